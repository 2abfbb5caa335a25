-- What a materialized view reads, and whether that has changed since its last refresh.

-- What it reads, through views, functions with a parsed body and materialized views; a tracked one
-- ends the way, as its own refresh is what counts. Anybody may ask: it tells no more than the
-- catalogue does.
CREATE OR REPLACE FUNCTION pipedrive_internal.view_inputs(view regclass)
RETURNS TABLE (kind text, input regclass, key text, serial bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE reads (classid, objid) AS (
        SELECT 'pg_class'::regclass::oid, $1::oid
         UNION
        SELECT d.refclassid, d.refobjid
          FROM reads r
          LEFT JOIN pg_rewrite w ON r.classid = 'pg_class'::regclass AND w.ev_class = r.objid
          JOIN pg_depend d
            ON d.classid = CASE WHEN r.classid = 'pg_class'::regclass
                                THEN 'pg_rewrite'::regclass::oid ELSE r.classid END
           AND d.objid = CASE WHEN r.classid = 'pg_class'::regclass THEN w.oid ELSE r.objid END
         WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
           AND (r.objid = $1 OR NOT EXISTS (SELECT FROM pipedrive_internal.tracked_view t
                                             WHERE t.view = r.objid))
           -- the ready history views read the changes of one mirror, which they name as well
           AND NOT (d.refobjid = 'pipedrive.changes'::regclass
                    AND EXISTS (SELECT FROM pipedrive_internal.mirror_view v
                                 WHERE v.view = r.objid AND v.kind <> 'live'))
    ),
    relations AS (SELECT objid FROM reads WHERE classid = 'pg_class'::regclass AND objid <> $1)
    SELECT 'mirror', m.target, m.mirror_id::text,
           coalesce(pipedrive_internal.change_serial(m.mirror_id), 0)
      FROM pipedrive_internal.mirror m
     WHERE m.target IN (SELECT objid FROM relations)
        OR 'pipedrive.changes'::regclass IN (SELECT objid FROM relations)
     UNION ALL
    SELECT 'view', t.view, 'view:' || t.view::oid, t.refreshes
      FROM pipedrive_internal.tracked_view t WHERE t.view IN (SELECT objid FROM relations)
     UNION ALL
    SELECT CASE c.relkind WHEN 'm' THEN 'untracked view' ELSE 'foreign table' END, c.oid, NULL, NULL
      FROM pg_class c
      LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
      LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
      LEFT JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
     WHERE c.oid IN (SELECT objid FROM relations)
       AND (w.fdwname = 'pipedrive_fdw'
            OR c.relkind = 'm' AND NOT EXISTS (SELECT FROM pipedrive_internal.tracked_view t
                                                WHERE t.view = c.oid))
$$;
COMMENT ON FUNCTION pipedrive_internal.view_inputs(regclass) IS
    'mirrors and tracked materialized views that a view reads, with the state of each; also other '
    'materialized views and Pipedrive foreign tables';

CREATE OR REPLACE FUNCTION pipedrive_internal.view_serials(view regclass) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(i.key, i.serial), '{}')
      FROM pipedrive_internal.view_inputs($1) i WHERE i.key IS NOT NULL
$$;
COMMENT ON FUNCTION pipedrive_internal.view_serials(regclass) IS
    'state of what a view reads, as tracked_view.last_serials keeps it';

CREATE OR REPLACE FUNCTION pipedrive_internal.refresh_reason(view regclass) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN t.last_refresh IS NULL THEN 'first refresh'
                WHEN NOT c.relispopulated THEN 'it is not populated'
                WHEN i.changed IS NOT NULL THEN i.changed
                WHEN t.last_refresh + t.max_age <= clock_timestamp()
                    THEN 'it is older than ' || t.max_age END
      FROM pipedrive_internal.tracked_view t
      JOIN pg_class c ON c.oid = t.view
     CROSS JOIN LATERAL (
           SELECT string_agg(CASE i.kind WHEN 'mirror' THEN 'changes in ' ELSE 'refresh of ' END
                             || i.input, ', ' ORDER BY i.kind, i.input::text) AS changed
             FROM pipedrive_internal.view_inputs(t.view) i
            WHERE i.key IS NOT NULL
              AND (t.last_serials ->> i.key)::bigint IS DISTINCT FROM i.serial) AS i
     WHERE t.view = $1
$$;
COMMENT ON FUNCTION pipedrive_internal.refresh_reason(regclass) IS
    'why a tracked view needs a refresh; NULL if it does not';
