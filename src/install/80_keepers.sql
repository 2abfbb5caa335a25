-- Roles that keep mirrors of their own. They write the bookkeeping of their mirrors, views and servers, and of no other.
--
-- By triggers and not by row level security, which a dump would write down a second time beside CREATE EXTENSION. Whoever owns
-- the bookkeeping passes by the WHEN of the triggers, at no cost.

-- Who may fill and empty a mirror may say how it stands.
CREATE FUNCTION _keeps_mirror(mirror_id integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM (SELECT m.target FROM pipedrive.mirror m WHERE m.mirror_id = $1
                                 UNION ALL
                                SELECT d.target FROM pipedrive.detached_mirror d WHERE d.mirror_id = $1) AS t
                    WHERE has_table_privilege(t.target, 'INSERT'::text) AND has_table_privilege(t.target, 'DELETE'::text))
$$;
COMMENT ON FUNCTION _keeps_mirror(integer) IS 'whether the current user may write a mirror''s table, or that of one that was';

CREATE FUNCTION _guard_mirror() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND NOT pipedrive._keeps_mirror(old.mirror_id)
       OR TG_OP <> 'DELETE' AND NOT pipedrive._keeps_mirror(new.mirror_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied to write table "%s" for mirrors of other roles', TG_TABLE_NAME);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION _guard_mirror() IS 'trigger function: the mirror is one that the current user may write';

CREATE FUNCTION _guard_target() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    targets regclass[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[new.target] WHEN 'DELETE' THEN ARRAY[old.target]
                                     ELSE ARRAY[old.target, new.target] END;
BEGIN
    -- what is about a table that is gone may go
    IF EXISTS (SELECT FROM unnest(targets) AS t
                WHERE (TG_OP <> 'DELETE' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t))
                  AND (has_table_privilege(t, 'INSERT'::text) AND has_table_privilege(t, 'DELETE'::text)) IS NOT TRUE) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied to write table "%s" for mirrors of other roles', TG_TABLE_NAME);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION _guard_target() IS 'trigger function: the target is a table that the current user may write';

CREATE FUNCTION _guard_view() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    views regclass[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[new.view] WHEN 'DELETE' THEN ARRAY[old.view]
                                   ELSE ARRAY[old.view, new.view] END;
BEGIN
    -- one that was dropped is nobody's
    IF EXISTS (SELECT FROM unnest(views) AS v JOIN pg_class c ON c.oid = v
                WHERE NOT pg_has_role(c.relowner, 'USAGE'::text)) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied to write table "%s" for views of other roles', TG_TABLE_NAME);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION _guard_view() IS 'trigger function: the view is the current user''s';

CREATE FUNCTION _guard_server() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    servers name[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[new.server] WHEN 'DELETE' THEN ARRAY[old.server]
                                 ELSE ARRAY[old.server, new.server] END;
BEGIN
    IF EXISTS (SELECT FROM pg_foreign_server s
                WHERE s.srvname = ANY (servers) AND NOT has_server_privilege(s.oid, 'USAGE'::text)) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied to write table "%s" for servers that are not to be used', TG_TABLE_NAME);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION _guard_server() IS 'trigger function: the server is one that the current user may use';

-- These four are not guarded but against deletion: whoever takes events marks and counts for every mirror.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT c.oid::regclass AS relation, c.relname, k.guard,
               CASE WHEN c.relname IN ('refetch', 'late_mark', 'mirror_event', 'event_company') THEN 'DELETE' ELSE 'INSERT OR UPDATE OR DELETE' END AS events
          FROM pg_catalog.pg_class c
          JOIN (VALUES ('mirror_id'::name, '_guard_mirror'::name), ('view', '_guard_view'), ('server', '_guard_server')) AS k (column_name, guard)
            ON k.column_name = (SELECT a.attname FROM pg_catalog.pg_attribute a
                                 WHERE a.attrelid = c.oid AND a.attname IN ('mirror_id', 'view', 'server') ORDER BY a.attname LIMIT 1)
         WHERE c.relnamespace = 'pipedrive'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relname NOT IN ('mirror', 'detached_mirror', 'detached_view', 'inbox', 'known_server', 'fields')
         UNION ALL
        SELECT r, r::name, '_guard_target', 'INSERT OR UPDATE OR DELETE' FROM unnest(ARRAY['mirror', 'detached_mirror', 'detached_view']::regclass[]) AS r LOOP
        EXECUTE pg_catalog.format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW
            WHEN (NOT pg_catalog.has_table_privilege(%L::regclass, ''TRIGGER'')) EXECUTE FUNCTION pipedrive.%I()',
            pg_catalog.substr(t.guard, 2), t.events, t.relation, t.relation::text, t.guard);
        EXECUTE pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS ''a role without further rights writes only what is its own''',
            pg_catalog.substr(t.guard, 2), t.relation);
    END LOOP;
END
$$;

CREATE FUNCTION grant_mirrors(keeper regrole, webhooks boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    o record;
BEGIN
    FOR o IN
        SELECT d.classid, d.objid, c.relkind,
               -- what cannot be written for another is written; of the rest is read what is no secret
               CASE WHEN EXISTS (SELECT FROM pg_trigger t JOIN pg_proc g ON g.oid = t.tgfoid
                                  WHERE t.tgrelid = c.oid AND g.pronamespace = 'pipedrive'::regnamespace AND starts_with(g.proname::text, '_guard_'::text))
                      OR c.oid = 'pipedrive.inbox'::regclass
                    THEN 'SELECT, INSERT, UPDATE, DELETE' ELSE 'SELECT' END AS rights
          FROM pg_depend d
          LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
          LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
         WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
           AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pipedrive_fdw')
           AND (c.relkind IN ('r', 'p', 'v', 'S') AND NOT c.relispartition
                AND (webhooks OR c.oid <> ALL (ARRAY['pipedrive.inbox', 'pipedrive.inbox_summary', 'pipedrive.webhook_login',
                                                     'pipedrive.webhook_subscription']::regclass[]))
                OR NOT p.prosecdef OR p.provolatile = 's') -- what runs with its owner's rights only reads
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
COMMENT ON FUNCTION grant_mirrors(regrole, boolean) IS
    'lets a role make, sync and look after mirrors, views and, with webhooks, logins and webhooks of its own; the bookkeeping of others it reads and cannot write; to be called again after an update of the extension';
