-- Routines that may come back with other results, types that only they use, and tables whose rows
-- are rules: code/ fills them.

DO $$
DECLARE
    extension oid := (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pipedrive_fdw');
    o record;
BEGIN
    -- those that views or the wrapper name stay, for what names them to stay
    FOR o IN SELECT p.oid::regprocedure AS routine
               FROM pg_depend e JOIN pg_proc p ON p.oid = e.objid
              WHERE e.classid = 'pg_proc'::regclass AND e.deptype = 'e'
                AND e.refclassid = 'pg_extension'::regclass AND e.refobjid = extension
                AND p.pronamespace = 'pipedrive_internal'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_depend d
                                 WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
                                   AND d.deptype <> 'e') LOOP
        EXECUTE format('DROP ROUTINE %s', o.routine);
    END LOOP;
    FOR o IN SELECT t.oid::regtype AS type
               FROM pg_depend d JOIN pg_type t ON t.oid = d.objid
               JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
              WHERE d.classid = 'pg_type'::regclass AND d.deptype = 'e'
                AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension
                AND c.relnamespace = 'pipedrive'::regnamespace LOOP
        EXECUTE format('DROP TYPE %s', o.type);
    END LOOP;
    FOR o IN SELECT c.oid::regclass AS relation, c.oid, c.relname FROM pg_class c
              WHERE c.relnamespace = 'pipedrive_internal'::regnamespace
                AND c.relname IN ('sync_phase', 'webhook_action', 'webhook_field',
                                  'webhook_object') LOOP
        INSERT INTO pipedrive_internal.before_update (kind, name, grantee, privilege, options)
        SELECT 'table', o.relname, a.grantee, a.privilege_type,
               CASE WHEN a.is_grantable THEN ARRAY['WITH GRANT OPTION'] ELSE '{}' END
          FROM pg_class c, aclexplode(c.relacl) AS a
         WHERE c.oid = o.oid AND a.grantee NOT IN (0, c.relowner);
        EXECUTE format('DROP TABLE %s', o.relation);
    END LOOP;
END
$$;
