-- What the code did not make again, and who may do what.

DO $$
DECLARE
    o record;
    used text;
BEGIN
    FOR o IN
        SELECT p.oid, p.oid::regprocedure AS routine
          FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
         WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
           AND d.refclassid = 'pg_extension'::regclass
           AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pipedrive_fdw')
           AND obj_description(p.oid, 'pg_proc') IS NULL LOOP
        SELECT string_agg(DISTINCT coalesce(
                   format('view %s', r.ev_class::regclass),
                   pg_describe_object(d.classid, d.objid, d.objsubid)), ', ') INTO used
          FROM pg_depend d
          LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
         WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = o.oid AND d.deptype <> 'e';
        IF used IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
                MESSAGE = format('%s is no more, and in use', o.routine), DETAIL = used,
                HINT = 'Drop these, and make them again after the update.';
        END IF;
        EXECUTE format('DROP ROUTINE %s', o.routine);
    END LOOP;
END
$$;

-- Grants of routines by their name, as arguments were added. Whoever had been granted what is
-- internal was made a keeper or a door, which have rights of their own to what is new.
DO $$
DECLARE
    o record;
BEGIN
    FOR o IN
        SELECT p.oid::regprocedure::text AS object, b.grantee, b.options
          FROM pipedrive_internal.before_update b
          JOIN pg_proc p ON p.proname = b.name AND p.pronamespace = 'pipedrive'::regnamespace
         WHERE b.kind = 'execute'
           AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee = b.grantee) LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', o.object, o.grantee)
                || CASE WHEN o.options <> '{}' THEN ' WITH GRANT OPTION' ELSE '' END;
    END LOOP;
    FOR o IN
        SELECT c.oid::regclass AS object, b.grantee, b.privilege, b.options
          FROM pipedrive_internal.before_update b
          JOIN pg_class c ON c.relname = b.name
                         AND c.relnamespace IN ('pipedrive'::regnamespace,
                                                'pipedrive_internal'::regnamespace)
         WHERE b.kind = 'table' LOOP
        EXECUTE format('GRANT %s ON %s TO %s', o.privilege, o.object, o.grantee)
                || CASE WHEN o.options <> '{}' THEN ' WITH GRANT OPTION' ELSE '' END;
    END LOOP;
    FOR o IN
        SELECT b.grantee,
               EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) AS a
                        WHERE c.oid = 'pipedrive_internal.mirror'::regclass
                          AND a.grantee = b.grantee AND a.privilege_type = 'INSERT') AS keeps,
               EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) AS a
                        WHERE c.oid = 'pipedrive.inbox'::regclass
                          AND a.grantee = b.grantee AND a.privilege_type = 'INSERT') AS takes
          FROM (SELECT DISTINCT x.grantee FROM pipedrive_internal.before_update x
                 WHERE x.kind = 'execute' AND starts_with(x.name::text, '_keeps')) AS b LOOP
        IF o.keeps THEN
            PERFORM pipedrive.grant_mirrors(o.grantee, o.takes);
        ELSIF o.takes THEN
            PERFORM pipedrive.grant_webhook_door(o.grantee);
        END IF;
    END LOOP;
END
$$;

-- GRANT in an update tells pg_dump that the extension itself gives all that an object has by then.
-- What users granted would be missing in dumps.
UPDATE pg_init_privs i
   SET initprivs = ARRAY(SELECT a FROM unnest(i.initprivs) AS a
                          WHERE EXISTS (SELECT FROM aclexplode(ARRAY[a]) AS g
                                         WHERE g.grantee IN (0, o.owner)))
  FROM (SELECT 'pg_class'::regclass, c.oid, c.relowner FROM pg_class c
         UNION ALL
        SELECT 'pg_proc'::regclass, p.oid, p.proowner FROM pg_proc p
         UNION ALL
        SELECT 'pg_namespace'::regclass, n.oid, n.nspowner FROM pg_namespace n)
       AS o (class, oid, owner)
 WHERE o.class = i.classoid AND o.oid = i.objoid
   AND EXISTS (SELECT FROM pg_depend d
                WHERE d.classid = i.classoid AND d.objid = i.objoid AND d.deptype = 'e'
                  AND d.refclassid = 'pg_extension'::regclass
                  AND d.refobjid = (SELECT e.oid FROM pg_extension e
                                     WHERE e.extname = 'pipedrive_fdw'))
   AND EXISTS (SELECT FROM aclexplode(i.initprivs) AS g WHERE g.grantee NOT IN (0, o.owner));

-- From 17 on roles are known to be in these, too.
DELETE FROM pg_shdepend s
 WHERE s.deptype = 'i' AND s.refclassid = 'pg_authid'::regclass
   AND s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
   AND EXISTS (SELECT FROM pg_init_privs i
                WHERE i.classoid = s.classid AND i.objoid = s.objid AND i.objsubid = s.objsubid
                  AND NOT EXISTS (SELECT FROM aclexplode(i.initprivs) AS g
                                   WHERE g.grantee = s.refobjid))
   AND EXISTS (SELECT FROM pg_depend d
                WHERE d.classid = s.classid AND d.objid = s.objid AND d.deptype = 'e'
                  AND d.refclassid = 'pg_extension'::regclass
                  AND d.refobjid = (SELECT e.oid FROM pg_extension e
                                     WHERE e.extname = 'pipedrive_fdw'));

DROP TABLE pipedrive_internal.before_update;
