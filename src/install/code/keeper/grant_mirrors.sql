-- grant_mirrors(): what a role needs to keep mirrors of its own.

CREATE OR REPLACE FUNCTION pipedrive.grant_mirrors(keeper regrole, webhooks boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    o record;
BEGIN
    FOR o IN
        SELECT d.classid, d.objid, c.relkind,
               -- what cannot be written for another is written; of the rest is read what is no
               -- secret
               CASE WHEN c.relname IN ('detached_mirror', 'detached_view') THEN 'SELECT, DELETE'
                    WHEN EXISTS (SELECT FROM pg_trigger t JOIN pg_proc g ON g.oid = t.tgfoid
                                  WHERE t.tgrelid = c.oid
                                    AND g.pronamespace = 'pipedrive_internal'::regnamespace
                                    AND starts_with(g.proname::text, 'guard_'::text))
                      OR c.oid = 'pipedrive.inbox'::regclass
                    THEN 'SELECT, INSERT, UPDATE, DELETE'
                    WHEN c.relkind = 'v' AND c.relhastriggers THEN 'SELECT, UPDATE'
                    ELSE 'SELECT' END AS rights
          FROM pg_depend d
          LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
          LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
         WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
           AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pipedrive_fdw')
           AND (c.relkind IN ('r', 'p', 'v', 'S') AND NOT c.relispartition
                AND (webhooks OR c.oid <> ALL (
                        ARRAY['pipedrive.inbox', 'pipedrive.inbox_summary',
                              'pipedrive_internal.webhook_login',
                              'pipedrive_internal.webhook_subscription']::regclass[]))
                -- what runs with its owner's rights only reads
                OR NOT p.prosecdef OR p.provolatile = 's')
         ORDER BY d.classid, d.objid LOOP
        IF o.relkind = 'S' THEN
            EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %s', o.objid::regclass, keeper);
        ELSIF o.relkind IS NOT NULL THEN
            EXECUTE format('GRANT %s ON %s TO %s', o.rights, o.objid::regclass, keeper);
        ELSE
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', o.objid::regprocedure, keeper);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive.grant_mirrors(regrole, boolean) IS
    'lets a role make, sync and look after mirrors, views and, with webhooks, logins and '
    'webhooks; the bookkeeping of others it reads and cannot write, but with webhooks it takes '
    'the events of all mirrors; to be called again after an update of the extension';
