-- track_view() and untrack_view().

-- The same conditions as PostgreSQL's for REFRESH ... CONCURRENTLY.
CREATE OR REPLACE FUNCTION pipedrive_internal.has_usable_unique_index(view regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
         WHERE i.indrelid = $1 AND i.indisunique AND i.indimmediate AND i.indisvalid
           AND i.indpred IS NULL AND i.indexprs IS NULL)
$$;
COMMENT ON FUNCTION pipedrive_internal.has_usable_unique_index(regclass) IS
    'whether a materialized view can be refreshed concurrently once it is populated';

CREATE OR REPLACE FUNCTION pipedrive_internal.forget_dropped_views() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pipedrive_internal.tracked_view t
     WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.view AND c.relkind = 'm')
$$;
COMMENT ON FUNCTION pipedrive_internal.forget_dropped_views() IS 'takes dropped views off the list';

-- The error of a view that cannot be tracked.
CREATE OR REPLACE FUNCTION pipedrive_internal.refuse_view(view regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind "char" := (SELECT c.relkind FROM pg_class c WHERE c.oid = view);
    source regclass;
    target regclass;
BEGIN
    IF kind IS DISTINCT FROM 'm' THEN
        RAISE EXCEPTION '% is no materialized view', view
            USING ERRCODE = 'wrong_object_type',
                  HINT = CASE WHEN kind = 'v'
                              THEN format('A view is always current. To store its rows: CREATE '
                                          'MATERIALIZED VIEW ... AS SELECT * FROM %s', view)
                              ELSE 'Only materialized views are refreshed.' END;
    END IF;
    SELECT i.input, m.target INTO source, target
      FROM pipedrive_internal.view_inputs(view) i
      LEFT JOIN pipedrive_internal.mirror m ON m.source = i.input
     WHERE i.kind = 'foreign table' ORDER BY m.target IS NULL, i.input::text LIMIT 1;
    RAISE EXCEPTION 'materialized view % depends on no mirror', view
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = CASE WHEN target IS NOT NULL
                          THEN format('It reads foreign table %s: let it read its mirror %s.',
                                      source, target)
                          WHEN source IS NOT NULL
                          THEN format('It reads foreign table %s: make a mirror with SELECT '
                                      'pipedrive.create_mirror(%L) and let the view read that.',
                                      source, source)
                          ELSE 'Tables that functions with a quoted body read are not seen; views, '
                               'materialized views and functions with BEGIN ATOMIC are.' END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.refuse_view(regclass) IS 'raises the error of track_view()';

CREATE OR REPLACE FUNCTION pipedrive.track_view(view regclass, max_age interval DEFAULT NULL)
RETURNS regclass[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    inputs regclass[];
    i record;
BEGIN
    PERFORM pipedrive_internal.forget_dropped_views();
    SELECT array_agg(i.input ORDER BY i.kind, i.input::text) INTO inputs
      FROM pipedrive_internal.view_inputs(track_view.view) i WHERE i.key IS NOT NULL;
    IF inputs IS NULL OR NOT EXISTS (SELECT FROM pg_class c
                                      WHERE c.oid = track_view.view AND c.relkind = 'm') THEN
        PERFORM pipedrive_internal.refuse_view(track_view.view);
    END IF;
    FOR i IN SELECT n.kind, n.input FROM pipedrive_internal.view_inputs(track_view.view) n
              WHERE n.key IS NULL ORDER BY 1, 2 LOOP
        IF i.kind = 'foreign table' THEN
            RAISE NOTICE 'materialized view % also reads foreign table %', track_view.view, i.input
                USING HINT = 'Every refresh asks the API for it, and its changes cause no refresh.';
        ELSE
            RAISE NOTICE 'materialized view % also reads materialized view %, which is not tracked',
                track_view.view, i.input
                USING HINT = format('Track it first: SELECT pipedrive.track_view(%L)', i.input);
        END IF;
    END LOOP;
    INSERT INTO pipedrive_internal.tracked_view (view, max_age)
    VALUES (track_view.view, track_view.max_age)
        ON CONFLICT (view) DO UPDATE SET max_age = excluded.max_age;
    RETURN inputs;
END
$$;
COMMENT ON FUNCTION pipedrive.track_view(regclass, interval) IS
    'lets refresh_views() keep a materialized view current: whenever a mirror or tracked view '
    'that it reads has changed, and at max_age; returns what it reads. Again: sets max_age';

CREATE OR REPLACE FUNCTION pipedrive.untrack_view(view regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    DELETE FROM pipedrive_internal.tracked_view t WHERE t.view = untrack_view.view;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pipedrive.untrack_view(regclass) IS
    'ends what track_view() began; the view stays as it is. Returns whether it was tracked';
