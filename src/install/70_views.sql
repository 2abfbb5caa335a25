-- Materialized views over mirrors: which there are, what each one reads, and a refresh of those that need it.

CREATE TABLE tracked_view (
    view regclass PRIMARY KEY,
    max_age interval CHECK (max_age > interval '0'),
    tracked_at timestamptz NOT NULL DEFAULT now(),
    last_refresh timestamptz,
    last_serials jsonb,
    refreshes bigint NOT NULL DEFAULT 0,
    last_duration interval,
    last_rows bigint,
    last_concurrent boolean,
    last_error text,
    last_error_at timestamptz,
    hinted boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE tracked_view IS 'materialized views that refresh_views() keeps current';
COMMENT ON COLUMN tracked_view.max_age IS 'refreshed at this age even if nothing changed: for views that use now()';
COMMENT ON COLUMN tracked_view.last_refresh IS 'when the last successful refresh began';
COMMENT ON COLUMN tracked_view.last_serials IS 'state of everything the view reads, taken before that refresh: {mirror_id: _change_serial(), view:oid: refreshes}';
COMMENT ON COLUMN tracked_view.refreshes IS 'grows with every refresh; views that read this one compare it';
COMMENT ON COLUMN tracked_view.last_error IS 'SQLSTATE and text, which may quote rows: tracked_views shows the text to the view''s owner only';
COMMENT ON COLUMN tracked_view.hinted IS 'whether the hint about the missing unique index was given';
SELECT pg_catalog.pg_extension_config_dump('tracked_view', '');

CREATE TABLE refresh_log (
    view regclass NOT NULL,
    started timestamptz NOT NULL,
    duration interval NOT NULL,
    rows bigint,
    concurrent boolean,
    error text
);
COMMENT ON TABLE refresh_log IS 'refreshes of tracked views; kept for setting refresh_log_retention';
COMMENT ON COLUMN refresh_log.error IS 'SQLSTATE and text, which may quote rows: for the owner of the extension';
CREATE INDEX refresh_log_started ON refresh_log (started);

-- What it reads, through views, functions with a parsed body and materialized views; a tracked one ends the way, as its own refresh is
-- what counts. Anybody may ask: it tells no more than the catalogue does.
CREATE FUNCTION _view_inputs(view regclass) RETURNS TABLE (kind text, input regclass, key text, serial bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE reads (classid, objid) AS (
        SELECT 'pg_class'::regclass::oid, $1::oid
         UNION
        SELECT d.refclassid, d.refobjid
          FROM reads r
          LEFT JOIN pg_rewrite w ON r.classid = 'pg_class'::regclass AND w.ev_class = r.objid
          JOIN pg_depend d ON d.classid = CASE WHEN r.classid = 'pg_class'::regclass THEN 'pg_rewrite'::regclass::oid ELSE r.classid END
                          AND d.objid = CASE WHEN r.classid = 'pg_class'::regclass THEN w.oid ELSE r.objid END
         WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
           AND (r.objid = $1 OR NOT EXISTS (SELECT FROM pipedrive.tracked_view t WHERE t.view = r.objid))
           -- the ready history views read the changes of one mirror, which they name as well
           AND NOT (d.refobjid = 'pipedrive.changes'::regclass
                    AND EXISTS (SELECT FROM pipedrive.mirror_view v WHERE v.view = r.objid AND v.kind <> 'live'))
    ),
    relations AS (SELECT objid FROM reads WHERE classid = 'pg_class'::regclass AND objid <> $1)
    SELECT 'mirror', m.target, m.mirror_id::text, coalesce(pipedrive._change_serial(m.mirror_id), 0)
      FROM pipedrive.mirror m
     WHERE m.target IN (SELECT objid FROM relations) OR 'pipedrive.changes'::regclass IN (SELECT objid FROM relations)
     UNION ALL
    SELECT 'view', t.view, 'view:' || t.view::oid, t.refreshes
      FROM pipedrive.tracked_view t WHERE t.view IN (SELECT objid FROM relations)
     UNION ALL
    SELECT CASE c.relkind WHEN 'm' THEN 'untracked view' ELSE 'foreign table' END, c.oid, NULL, NULL
      FROM pg_class c
      LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
      LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
      LEFT JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
     WHERE c.oid IN (SELECT objid FROM relations)
       AND (w.fdwname = 'pipedrive_fdw' OR c.relkind = 'm' AND NOT EXISTS (SELECT FROM pipedrive.tracked_view t WHERE t.view = c.oid))
$$;
COMMENT ON FUNCTION _view_inputs(regclass) IS 'mirrors and tracked materialized views that a view reads, with the state of each; also other materialized views and Pipedrive foreign tables';

CREATE FUNCTION _view_serials(view regclass) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(i.key, i.serial), '{}') FROM pipedrive._view_inputs($1) i WHERE i.key IS NOT NULL
$$;
COMMENT ON FUNCTION _view_serials(regclass) IS 'state of what a view reads, as tracked_view.last_serials keeps it';

CREATE FUNCTION _refresh_reason(view regclass) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN t.last_refresh IS NULL THEN 'first refresh'
                WHEN NOT c.relispopulated THEN 'it is not populated'
                WHEN i.changed IS NOT NULL THEN i.changed
                WHEN t.last_refresh + t.max_age <= clock_timestamp() THEN 'it is older than ' || t.max_age END
      FROM pipedrive.tracked_view t
      JOIN pg_class c ON c.oid = t.view
     CROSS JOIN LATERAL (
           SELECT string_agg(CASE i.kind WHEN 'mirror' THEN 'changes in ' ELSE 'refresh of ' END || i.input, ', ' ORDER BY i.kind, i.input::text) AS changed
             FROM pipedrive._view_inputs(t.view) i
            WHERE i.key IS NOT NULL AND (t.last_serials ->> i.key)::bigint IS DISTINCT FROM i.serial) AS i
     WHERE t.view = $1
$$;
COMMENT ON FUNCTION _refresh_reason(regclass) IS 'why a tracked view needs a refresh; NULL if it does not';

-- The same conditions as PostgreSQL's for REFRESH ... CONCURRENTLY.
CREATE FUNCTION _has_usable_unique_index(view regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
         WHERE i.indrelid = $1 AND i.indisunique AND i.indimmediate AND i.indisvalid
           AND i.indpred IS NULL AND i.indexprs IS NULL)
$$;
COMMENT ON FUNCTION _has_usable_unique_index(regclass) IS 'whether a materialized view can be refreshed concurrently once it is populated';

CREATE FUNCTION _forget_dropped_views() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pipedrive.tracked_view t WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.view AND c.relkind = 'm')
$$;
COMMENT ON FUNCTION _forget_dropped_views() IS 'takes dropped views off the list';

-- The error of a view that cannot be tracked.
CREATE FUNCTION _refuse_view(view regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind "char" := (SELECT c.relkind FROM pg_class c WHERE c.oid = view);
    source regclass;
    target regclass;
BEGIN
    IF kind IS DISTINCT FROM 'm' THEN
        RAISE EXCEPTION '% is no materialized view', view
            USING ERRCODE = 'wrong_object_type',
                  HINT = CASE WHEN kind = 'v' THEN format('A view is always current. To store its rows: CREATE MATERIALIZED VIEW ... AS SELECT * FROM %s', view)
                              ELSE 'Only materialized views are refreshed.' END;
    END IF;
    SELECT i.input, m.target INTO source, target
      FROM pipedrive._view_inputs(view) i LEFT JOIN pipedrive.mirror m ON m.source = i.input
     WHERE i.kind = 'foreign table' ORDER BY m.target IS NULL, i.input::text LIMIT 1;
    RAISE EXCEPTION 'materialized view % depends on no mirror', view
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = CASE WHEN target IS NOT NULL THEN format('It reads foreign table %s: let it read its mirror %s.', source, target)
                          WHEN source IS NOT NULL THEN format('It reads foreign table %s: make a mirror with SELECT pipedrive.create_mirror(%L) and let the view read that.', source, source)
                          ELSE 'Tables that functions with a quoted body read are not seen; views, materialized views and functions with BEGIN ATOMIC are.' END;
END
$$;
COMMENT ON FUNCTION _refuse_view(regclass) IS 'raises the error of track_view()';

CREATE FUNCTION track_view(view regclass, max_age interval DEFAULT NULL) RETURNS regclass[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    inputs regclass[];
    i record;
BEGIN
    PERFORM pipedrive._forget_dropped_views();
    SELECT array_agg(i.input ORDER BY i.kind, i.input::text) INTO inputs FROM pipedrive._view_inputs(track_view.view) i WHERE i.key IS NOT NULL;
    IF inputs IS NULL OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = track_view.view AND c.relkind = 'm') THEN
        PERFORM pipedrive._refuse_view(track_view.view);
    END IF;
    FOR i IN SELECT n.kind, n.input FROM pipedrive._view_inputs(track_view.view) n WHERE n.key IS NULL ORDER BY 1, 2 LOOP
        IF i.kind = 'foreign table' THEN
            RAISE NOTICE 'materialized view % also reads foreign table %', track_view.view, i.input
                USING HINT = 'Every refresh asks the API for it, and its changes cause no refresh.';
        ELSE
            RAISE NOTICE 'materialized view % also reads materialized view %, which is not tracked', track_view.view, i.input
                USING HINT = format('Track it first: SELECT pipedrive.track_view(%L)', i.input);
        END IF;
    END LOOP;
    INSERT INTO pipedrive.tracked_view (view, max_age) VALUES (track_view.view, track_view.max_age)
        ON CONFLICT (view) DO UPDATE SET max_age = excluded.max_age;
    RETURN inputs;
END
$$;
COMMENT ON FUNCTION track_view(regclass, interval) IS
    'lets refresh_views() keep a materialized view current: whenever a mirror or tracked view that it reads has changed, and at max_age; returns what it reads. Again: sets max_age';

CREATE FUNCTION untrack_view(view regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    DELETE FROM pipedrive.tracked_view t WHERE t.view = untrack_view.view;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION untrack_view(regclass) IS 'ends what track_view() began; the view stays as it is. Returns whether it was tracked';

-- Views that read others after them: by the longest way down; views that read each other in a circle come in some order.
CREATE FUNCTION _refresh_order(only_view regclass DEFAULT NULL) RETURNS regclass[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    views regclass[];
BEGIN
    WITH RECURSIVE edges AS MATERIALIZED (
        SELECT t.view, i.input FROM pipedrive.tracked_view t CROSS JOIN LATERAL pipedrive._view_inputs(t.view) i WHERE i.kind = 'view'
    ),
    levels (view, path) AS (
        SELECT t.view, ARRAY[t.view::oid] FROM pipedrive.tracked_view t JOIN pg_class c ON c.oid = t.view
         UNION ALL
        SELECT e.view, l.path || e.view::oid FROM levels l JOIN edges e ON e.input = l.view WHERE NOT e.view = ANY (l.path)
    )
    SELECT array_agg(o.view ORDER BY o.level, o.view::text) INTO views
      FROM (SELECT l.view, max(cardinality(l.path)) AS level FROM levels l WHERE only_view IS NULL OR l.view = only_view GROUP BY 1) AS o;
    IF views IS NULL AND only_view IS NOT NULL THEN
        RAISE EXCEPTION '% is not tracked', only_view
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT pipedrive.track_view(%L)', only_view);
    END IF;
    RETURN coalesce(views, '{}');
END
$$;
COMMENT ON FUNCTION _refresh_order(regclass) IS 'tracked views in the order in which to refresh them, or the one';

-- search_path: what the view calls runs as its owner, so nothing of the caller's may get in between (as REFRESH itself does from 17 on).
CREATE FUNCTION _refresh_view(view regclass) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := clock_timestamp();
    serials jsonb := pipedrive._view_serials(_refresh_view.view); -- before the refresh: a change during it is a change after it
    unique_index boolean := pipedrive._has_usable_unique_index(_refresh_view.view);
    populated boolean := (SELECT c.relispopulated FROM pg_class c WHERE c.oid = _refresh_view.view);
    n bigint;
BEGIN
    EXECUTE format('REFRESH MATERIALIZED VIEW %s%s', CASE WHEN populated AND unique_index THEN 'CONCURRENTLY ' ELSE '' END, _refresh_view.view);
    EXECUTE format('SELECT count(*) FROM %s', _refresh_view.view) INTO n;
    IF NOT unique_index AND NOT (SELECT t.hinted FROM pipedrive.tracked_view t WHERE t.view = _refresh_view.view) THEN
        RAISE NOTICE 'materialized view % cannot be refreshed concurrently: its readers wait while it is refreshed', _refresh_view.view
            USING HINT = 'Create a unique index on plain columns of it, without a WHERE clause.';
    END IF;
    UPDATE pipedrive.tracked_view t
       SET last_refresh = began, last_serials = serials, refreshes = t.refreshes + 1, last_duration = clock_timestamp() - began, last_rows = n,
           last_concurrent = populated AND unique_index, last_error = NULL, last_error_at = NULL, hinted = NOT unique_index
     WHERE t.view = _refresh_view.view;
    INSERT INTO pipedrive.refresh_log VALUES (_refresh_view.view, began, clock_timestamp() - began, n, populated AND unique_index, NULL);
    PERFORM pg_notify('pipedrive_changes', json_build_object('view', _refresh_view.view, 'rows', n)::text);
    RETURN n;
END
$$;
COMMENT ON FUNCTION _refresh_view(regclass) IS 'refreshes a tracked view, concurrently if it can be, and writes it down; errors are raised';

CREATE FUNCTION _refresh_if_due(view regclass, force boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := clock_timestamp();
    message text;
    detail text;
    hint text;
    context text;
    state text;
BEGIN
    -- until the end of the transaction
    IF NOT pg_try_advisory_xact_lock('pipedrive.tracked_view'::regclass::oid::integer, _refresh_if_due.view::oid::integer) THEN
        RAISE NOTICE 'another session refreshes materialized view %: left to it', _refresh_if_due.view;
        RETURN false;
    END IF;
    IF NOT force AND pipedrive._refresh_reason(_refresh_if_due.view) IS NULL
       OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = _refresh_if_due.view AND c.relkind = 'm') THEN
        RETURN false;
    END IF;
    BEGIN
        PERFORM pipedrive._refresh_view(_refresh_if_due.view);
        RETURN true;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        state := SQLSTATE;
    END;
    -- a warning may go to the server's log, the rest is for the view's owner: see tracked_views
    RAISE WARNING 'materialized view % could not be refreshed: %: %', _refresh_if_due.view, state, pipedrive._error_text(state, message, detail, hint, context);
    message := pipedrive._full_text(state, message, detail, hint);
    UPDATE pipedrive.tracked_view t SET last_error = message, last_error_at = clock_timestamp() WHERE t.view = _refresh_if_due.view;
    INSERT INTO pipedrive.refresh_log VALUES (_refresh_if_due.view, began, clock_timestamp() - began, NULL, NULL, message);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION _refresh_if_due(regclass, boolean) IS 'one step of refresh_views(): whether the view was refreshed; NULL for an error, which is written down';

CREATE PROCEDURE refresh_views(only_view regclass DEFAULT NULL, force boolean DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
    views pg_catalog.regclass[];
    view pg_catalog.regclass;
    failed pg_catalog.regclass[] := '{}';
BEGIN
    COMMIT; -- inside a transaction block this is the error, before anything is done
    views := pipedrive._refresh_order(only_view);
    FOREACH view IN ARRAY views LOOP
        IF pipedrive._refresh_if_due(view, force) IS NULL THEN
            failed := pg_catalog.array_append(failed, view);
        END IF;
        COMMIT;
    END LOOP;
    IF pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = pg_catalog.format('%s of %s tracked views could not be refreshed',
                                        pg_catalog.cardinality(failed), pg_catalog.cardinality(views)),
            DETAIL = pg_catalog.format('Failed: %s.', pg_catalog.array_to_string(failed, ', ')),
            HINT = 'The others are done. See error in pipedrive.tracked_views.';
    END IF;
END
$$;
COMMENT ON PROCEDURE refresh_views(regclass, boolean) IS
    'refreshes tracked materialized views that need it (all with force), those first that others read, each in its own transaction; a failure is a warning, an entry in refresh_log and, when the others are done, an error';

CREATE VIEW tracked_views AS
SELECT t.view,
       i.mirrors, i.views,
       t.max_age, t.last_refresh,
       CASE WHEN w.reason IS NULL THEN pg_catalog.make_interval() ELSE pg_catalog.clock_timestamp() - t.last_refresh END AS lag,
       t.last_duration, t.last_rows AS rows, t.last_concurrent AS concurrent,
       w.reason IS NOT NULL AS due,
       CASE WHEN l.running THEN 'the refresh under way'
            WHEN w.reason IS NOT NULL THEN 'refresh_views(): ' || w.reason
            ELSE 'changes in ' || pg_catalog.array_to_string(i.mirrors || i.views, ', ')
                 || coalesce(', or ' || pg_catalog.date_trunc('second', t.last_refresh + t.max_age), '') END AS waits_for,
       CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN t.last_error
            ELSE pg_catalog.left(t.last_error, 5) || ': ' || _condition(pg_catalog.left(t.last_error, 5)) END AS error,
       t.last_error_at AS error_at
  FROM tracked_view t
  JOIN pg_catalog.pg_class c ON c.oid = t.view
 CROSS JOIN LATERAL _refresh_reason(t.view) AS r (reason)
 CROSS JOIN LATERAL (
       SELECT coalesce(pg_catalog.array_agg(n.input ORDER BY n.input::text) FILTER (WHERE n.kind = 'mirror'), '{}') AS mirrors,
              coalesce(pg_catalog.array_agg(n.input ORDER BY n.input::text) FILTER (WHERE n.kind = 'view'), '{}') AS views
         FROM _view_inputs(t.view) n) AS i
 CROSS JOIN LATERAL ( -- a view is as old as what it reads
       SELECT coalesce(r.reason, (
                  WITH RECURSIVE reads (view) AS (
                      SELECT pg_catalog.unnest(i.views)
                       UNION
                      SELECT n.input FROM reads CROSS JOIN LATERAL _view_inputs(reads.view) n WHERE n.kind = 'view')
                  SELECT 'refresh of ' || pg_catalog.string_agg(d.view::text, ', ' ORDER BY d.view::text)
                    FROM reads d WHERE _refresh_reason(d.view) IS NOT NULL)) AS reason) AS w
 CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT FROM pg_catalog.pg_locks k
                       WHERE k.locktype = 'advisory' AND k.objsubid = 2 AND k.granted
                         AND k.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
                         AND k.classid = 'pipedrive.tracked_view'::regclass AND k.objid = t.view)) AS l (running);
COMMENT ON VIEW tracked_views IS
    'tracked materialized views: what they read directly, how long they have been behind that (lag), the last refresh or its error, and what they wait for';
GRANT SELECT ON tracked_views TO PUBLIC;
