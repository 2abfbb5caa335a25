-- Nobody else may own schema pipedrive, create in it, or have anything in it; looked at before an
-- update, too.

DO $$
DECLARE
    path text := pg_catalog.current_setting('search_path');
    intruder text;
BEGIN
    -- not even this block may find an operator there
    PERFORM pg_catalog.set_config('search_path'::text, 'pg_catalog, pg_temp'::text, true);
    SELECT format(o.what, coalesce(quote_ident(r.rolname), 'PUBLIC')) INTO intruder
      FROM pg_namespace n
     CROSS JOIN LATERAL (
           SELECT 1, 'It belongs to role %s', n.nspowner
            UNION ALL
           SELECT 2, 'Role %s may create in it', a.grantee
             FROM aclexplode(n.nspacl) a WHERE a.privilege_type = 'CREATE'
            UNION ALL
           SELECT 3, format('Function %s belongs to role %%s',
                            replace(p.oid::regprocedure::text, '%', '%%')), p.proowner
             FROM pg_proc p WHERE p.pronamespace = n.oid
            UNION ALL
           SELECT 4, format('Operator %s belongs to role %%s',
                            replace(p.oid::regoperator::text, '%', '%%')), p.oprowner
             FROM pg_operator p WHERE p.oprnamespace = n.oid
            UNION ALL
           SELECT 5, format('Type %s belongs to role %%s',
                            replace(t.oid::regtype::text, '%', '%%')), t.typowner
             FROM pg_type t WHERE t.typnamespace = n.oid
            UNION ALL
           SELECT 6, format('Relation %s belongs to role %%s',
                            replace(c.oid::regclass::text, '%', '%%')), c.relowner
             FROM pg_class c WHERE c.relnamespace = n.oid) AS o (kind, what, role)
      LEFT JOIN pg_roles r ON r.oid = o.role
     WHERE n.nspname = 'pipedrive'
       AND (o.role = 0 OR NOT pg_has_role(o.role, current_user::name, 'USAGE'))
     ORDER BY o.kind, o.what COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'schema "pipedrive" is not the installing role''s alone',
            DETAIL = intruder || '. What that role puts there would run with the rights of whoever '
                     'uses the extension.',
            HINT = 'Drop the schema; or drop what others made in it, take CREATE on it from them, '
                   'and ALTER SCHEMA pipedrive OWNER TO CURRENT_USER.';
    END IF;
    PERFORM pg_catalog.set_config('search_path'::text, path, true);
END
$$;
