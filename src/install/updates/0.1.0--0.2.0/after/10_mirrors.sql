-- What the code has to know of each mirror, where 0.1.0 knew it by names.

DO $$
DECLARE
    m pipedrive_internal.mirror;
    missing record;
BEGIN
    -- lists of deleted rows had two columns
    FOR missing IN
        SELECT f.oid::regclass AS list, c.name, c.type
          FROM pipedrive_internal.mirror x
          JOIN pg_class f ON f.oid = x.deleted_source AND f.relkind = 'f'
         CROSS JOIN (VALUES ('status', 'text'::regtype), ('is_deleted', 'boolean'),
                            ('is_archived', 'boolean')) AS c (name, type)
         WHERE NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = f.oid AND a.attname = c.name) LOOP
        EXECUTE format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s', missing.list, missing.name,
                       missing.type);
    END LOOP;

    -- all columns of a mirror were ours, and its views had names that were made of its own
    FOR m IN SELECT * FROM pipedrive_internal.mirror x
              WHERE NOT EXISTS (SELECT FROM pipedrive_internal.mirror_column k
                                 WHERE k.mirror_id = x.mirror_id)
                AND EXISTS (SELECT FROM pg_class c WHERE c.oid = x.target AND c.relkind = 'r') LOOP
        PERFORM pipedrive_internal.adopt_columns(m, ARRAY(
            SELECT a.attname FROM pg_attribute a
             WHERE a.attrelid = m.target AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attname NOT IN ('_synced_at', '_source')));
        INSERT INTO pipedrive_internal.mirror_view (view, mirror_id, kind)
        SELECT v.oid, m.mirror_id, n.kind
          FROM pg_class t
         CROSS JOIN LATERAL (
               SELECT 'live' AS kind, t.relname || '_live' AS name
                UNION ALL
               SELECT e.column_name,
                      format('%s%s_history',
                             CASE WHEN t.relname <> m.entity THEN t.relname || '_' END,
                             replace(e.column_name, '_id', ''))
                 FROM pipedrive.entity_columns e
                WHERE e.entity = m.entity AND e.history) AS n
          JOIN pg_class v ON v.relnamespace = t.relnamespace AND v.relkind = 'v'
                         AND v.relname = n.name::name
         WHERE t.oid = m.target
           AND (EXISTS (SELECT FROM pg_rewrite r
                          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass
                                          AND d.objid = r.oid
                         WHERE r.ev_class = v.oid AND d.refobjid = m.target)
                OR EXISTS (SELECT FROM pipedrive_internal.before_update b -- it selects nothing now
                            WHERE b.view = v.oid
                              AND strpos(b.definition, m.target::text) > 0));
    END LOOP;
END
$$;

-- The views of tables that were mirrors were an object of names by kinds.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = 'pipedrive_internal.detached_mirror'::regclass
                  AND a.attname = 'views') THEN
        INSERT INTO pipedrive_internal.detached_view (view, target, kind)
        SELECT c.oid, d.target, v.key
          FROM pipedrive_internal.detached_mirror d
         CROSS JOIN jsonb_each_text(d.views) AS v
          JOIN pg_class c ON c.oid = to_regclass(v.value) AND c.relkind = 'v'
            ON CONFLICT DO NOTHING;
        ALTER TABLE pipedrive_internal.detached_mirror DROP COLUMN views;
    END IF;
END
$$;

-- Names are not told when a server is renamed; see follow_server().
INSERT INTO pipedrive_internal.known_server (server_oid, server)
SELECT s.oid, s.srvname
  FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
 WHERE w.fdwname = 'pipedrive_fdw'
    ON CONFLICT DO NOTHING;
