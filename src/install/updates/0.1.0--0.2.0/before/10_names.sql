-- From 0.1.0, which is what the extension was called from its first day to its rooms: which tables,
-- columns and functions are there is asked, not assumed.
--
-- All that is internal moves to pipedrive_internal, where names have no underscore, and keeps its
-- rows and OIDs. What code/ does not make again goes at the end; what it makes again has a comment
-- again, so comments are taken off here.

CREATE TABLE pipedrive_internal.before_update (
    kind text NOT NULL, -- execute, table or view
    name name,
    grantee regrole,
    privilege text,
    view regclass,
    definition text,
    options text[]
);
COMMENT ON TABLE pipedrive_internal.before_update IS
    'what an update has to bring back: grants, and definitions of views; gone at its end';

DO $$
DECLARE
    extension oid := (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pipedrive_fdw');
    ours oid[] := ARRAY(SELECT d.objid FROM pg_depend d -- every routine of ours
                         WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
                           AND d.refclassid = 'pg_extension'::regclass
                           AND d.refobjid = extension);
    o record;
BEGIN
    -- what follows is nothing that they should act upon
    FOR o IN
        SELECT t.evtname FROM pg_depend d JOIN pg_event_trigger t ON t.oid = d.objid
         WHERE d.classid = 'pg_event_trigger'::regclass AND d.deptype = 'e'
           AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension LOOP
        EXECUTE format('DROP EVENT TRIGGER %I', o.evtname);
    END LOOP;

    INSERT INTO pipedrive_internal.before_update (kind, name, grantee, privilege, options)
    SELECT 'execute', p.proname, a.grantee, a.privilege_type,
           CASE WHEN a.is_grantable THEN ARRAY['WITH GRANT OPTION'] ELSE '{}' END
      FROM pg_proc p, aclexplode(p.proacl) AS a
     WHERE p.oid = ANY (ours) AND a.grantee NOT IN (0, p.proowner);
    FOR o IN SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t
              WHERE t.tgfoid = ANY (ours) AND t.tgparentid = 0
                AND t.tgrelid IN (SELECT d.objid FROM pg_depend d
                                   WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
                                     AND d.refclassid = 'pg_extension'::regclass
                                     AND d.refobjid = extension) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', o.tgname, o.relation);
    END LOOP;
    FOR o IN SELECT p.oid::regprocedure AS routine FROM pg_proc p WHERE p.oid = ANY (ours) LOOP
        EXECUTE format('COMMENT ON ROUTINE %s IS NULL', o.routine);
    END LOOP;

    FOR o IN SELECT c.oid::regclass AS relation, c.relname
               FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
              WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
                AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension
                AND c.relnamespace = 'pipedrive'::regnamespace
                AND CASE c.relkind WHEN 'v' THEN starts_with(c.relname::text, '_')
                                   WHEN 'S' THEN NOT EXISTS (
                                       SELECT FROM pg_depend s
                                        WHERE s.classid = 'pg_class'::regclass
                                          AND s.objid = c.oid AND s.deptype IN ('a', 'i')
                                          AND s.refclassid = 'pg_class'::regclass)
                                   ELSE c.relkind = 'r' AND NOT c.relispartition
                                        AND c.relname NOT IN ('settings', 'inbox', 'refresh_log')
                                   END LOOP
        EXECUTE format('ALTER TABLE %s SET SCHEMA pipedrive_internal', o.relation);
        IF starts_with(o.relname::text, '_') THEN
            EXECUTE format('ALTER TABLE pipedrive_internal.%I RENAME TO %I', o.relname,
                           substr(o.relname, 2));
        END IF;
    END LOOP;
    FOR o IN SELECT p.oid::regprocedure AS routine, p.oid, p.proname FROM pg_proc p
              WHERE p.oid = ANY (ours) AND p.proname ~ '^(_|pipedrive_fdw_)' LOOP
        EXECUTE format('ALTER ROUTINE %s SET SCHEMA pipedrive_internal', o.routine);
        EXECUTE format('ALTER ROUTINE %s RENAME TO %I', o.oid::regprocedure,
                       regexp_replace(o.proname, '^(_|pipedrive_fdw_)', ''));
    END LOOP;
END
$$;

COMMENT ON FUNCTION pipedrive_internal.handler() IS
    'handler of the foreign-data wrapper pipedrive_fdw';
COMMENT ON FUNCTION pipedrive_internal.validator(text[], oid) IS
    'checks options of servers, user mappings, foreign tables and columns';
