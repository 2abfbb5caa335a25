-- CALL refresh_views(): views that are out of date, those that others read first.

-- Views that read others after them: by the longest way down; views that read each other in a
-- circle come in some order.
CREATE OR REPLACE FUNCTION pipedrive_internal.refresh_order(only_view regclass DEFAULT NULL)
RETURNS regclass[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    views regclass[];
BEGIN
    WITH RECURSIVE edges AS MATERIALIZED (
        SELECT t.view, i.input
          FROM pipedrive_internal.tracked_view t
         CROSS JOIN LATERAL pipedrive_internal.view_inputs(t.view) i WHERE i.kind = 'view'
    ),
    levels (view, path) AS (
        SELECT t.view, ARRAY[t.view::oid]
          FROM pipedrive_internal.tracked_view t JOIN pg_class c ON c.oid = t.view
         UNION ALL
        SELECT e.view, l.path || e.view::oid
          FROM levels l JOIN edges e ON e.input = l.view WHERE NOT e.view = ANY (l.path)
    )
    SELECT array_agg(o.view ORDER BY o.level, o.view::text) INTO views
      FROM (SELECT l.view, max(cardinality(l.path)) AS level FROM levels l
             WHERE only_view IS NULL OR l.view = only_view GROUP BY 1) AS o;
    IF views IS NULL AND only_view IS NOT NULL THEN
        RAISE EXCEPTION '% is not tracked', only_view
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT pipedrive.track_view(%L)', only_view);
    END IF;
    RETURN coalesce(views, '{}');
END
$$;
COMMENT ON FUNCTION pipedrive_internal.refresh_order(regclass) IS
    'tracked views in the order in which to refresh them, or the one';

-- search_path: what the view calls runs as its owner, so nothing of the caller's may get in between
-- (as REFRESH itself does from 17 on).
CREATE OR REPLACE FUNCTION pipedrive_internal.refresh_view(view regclass) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := clock_timestamp();
    -- before the refresh: a change during it is a change after it
    serials jsonb := pipedrive_internal.view_serials(refresh_view.view);
    unique_index boolean := pipedrive_internal.has_usable_unique_index(refresh_view.view);
    populated boolean := (SELECT c.relispopulated FROM pg_class c WHERE c.oid = refresh_view.view);
    n bigint;
BEGIN
    EXECUTE format('REFRESH MATERIALIZED VIEW %s%s',
                   CASE WHEN populated AND unique_index THEN 'CONCURRENTLY ' ELSE '' END,
                   refresh_view.view);
    EXECUTE format('SELECT count(*) FROM %s', refresh_view.view) INTO n;
    IF NOT unique_index AND NOT (SELECT t.hinted FROM pipedrive_internal.tracked_view t
                                  WHERE t.view = refresh_view.view) THEN
        RAISE NOTICE USING
            MESSAGE = format('materialized view %s cannot be refreshed concurrently: its readers '
                             'wait while it is refreshed', refresh_view.view),
            HINT = 'Create a unique index on plain columns of it, without a WHERE clause.';
    END IF;
    UPDATE pipedrive_internal.tracked_view t
       SET last_refresh = began, last_serials = serials, refreshes = t.refreshes + 1,
           last_duration = clock_timestamp() - began, last_rows = n,
           last_concurrent = populated AND unique_index, last_error = NULL, last_error_at = NULL,
           hinted = NOT unique_index
     WHERE t.view = refresh_view.view;
    INSERT INTO pipedrive.refresh_log
    VALUES (refresh_view.view, began, clock_timestamp() - began, n, populated AND unique_index,
            NULL);
    PERFORM pg_notify('pipedrive_changes',
                      json_build_object('view', refresh_view.view, 'rows', n)::text);
    RETURN n;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.refresh_view(regclass) IS
    'refreshes a tracked view, concurrently if it can be, and writes it down; errors are raised';

CREATE OR REPLACE FUNCTION pipedrive_internal.refresh_if_due(view regclass, force boolean)
RETURNS boolean
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
    IF NOT pg_try_advisory_xact_lock('pipedrive_internal.tracked_view'::regclass::oid::integer,
                                     refresh_if_due.view::oid::integer) THEN
        RAISE NOTICE 'another session refreshes materialized view %: left to it',
            refresh_if_due.view;
        RETURN false;
    END IF;
    IF NOT force AND pipedrive_internal.refresh_reason(refresh_if_due.view) IS NULL
       OR NOT EXISTS (SELECT FROM pg_class c
                       WHERE c.oid = refresh_if_due.view AND c.relkind = 'm') THEN
        RETURN false;
    END IF;
    BEGIN
        PERFORM pipedrive_internal.refresh_view(refresh_if_due.view);
        RETURN true;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
            hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        state := SQLSTATE;
    END;
    -- a warning may go to the server's log, the rest is for the view's owner: see tracked_views
    RAISE WARNING 'materialized view % could not be refreshed: %: %', refresh_if_due.view, state,
        pipedrive_internal.error_text(state, message, detail, hint, context);
    message := pipedrive_internal.full_text(state, message, detail, hint);
    UPDATE pipedrive_internal.tracked_view t
       SET last_error = message, last_error_at = clock_timestamp()
     WHERE t.view = refresh_if_due.view;
    INSERT INTO pipedrive.refresh_log
    VALUES (refresh_if_due.view, began, clock_timestamp() - began, NULL, NULL, message);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.refresh_if_due(regclass, boolean) IS
    'one step of refresh_views(): whether the view was refreshed; NULL for an error, which is '
    'written down';

CREATE OR REPLACE PROCEDURE pipedrive.refresh_views(
    only_view regclass DEFAULT NULL, force boolean DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
    views pg_catalog.regclass[];
    view pg_catalog.regclass;
    failed pg_catalog.regclass[] := ARRAY[]::pg_catalog.regclass[];
BEGIN
    COMMIT; -- inside a transaction block this is the error, before anything is done
    views := pipedrive_internal.refresh_order(only_view);
    FOREACH view IN ARRAY views LOOP
        IF pipedrive_internal.refresh_if_due(view, force) IS NULL THEN
            failed := pg_catalog.array_append(failed, view);
        END IF;
        COMMIT;
    END LOOP;
    IF pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = pg_catalog.format('%s of %s tracked views could not be refreshed',
                                        pg_catalog.cardinality(failed),
                                        pg_catalog.cardinality(views)),
            DETAIL = pg_catalog.format('Failed: %s.', pg_catalog.array_to_string(failed, ', ')),
            HINT = 'The others are done. See error in pipedrive.tracked_views.';
    END IF;
END
$$;
COMMENT ON PROCEDURE pipedrive.refresh_views(regclass, boolean) IS
    'refreshes tracked materialized views that need it (all with force), those first that others '
    'read, each in its own transaction; a failure is a warning, an entry in refresh_log and, when '
    'the others are done, an error';
