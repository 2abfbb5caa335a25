-- Roles that keep mirrors of their own. They write the bookkeeping of their mirrors, views and
-- servers, and of no other.
--
-- By triggers and not by row level security, which a dump would write down a second time beside
-- CREATE EXTENSION. Whoever owns the bookkeeping passes by the WHEN of the triggers, at no cost.

-- Who may fill and empty a table may say how its mirror stands.
CREATE OR REPLACE FUNCTION pipedrive_internal.keeps(target regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (has_table_privilege(target, 'INSERT'::text)
            AND has_table_privilege(target, 'DELETE'::text)) IS TRUE
$$;
COMMENT ON FUNCTION pipedrive_internal.keeps(regclass) IS
    'whether the current user may fill and empty a table';

CREATE OR REPLACE FUNCTION pipedrive_internal.keeps_mirror(mirror_id integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT bool_and(pipedrive_internal.keeps(t.target)) IS TRUE
      FROM (SELECT m.target FROM pipedrive_internal.mirror m WHERE m.mirror_id = $1
             UNION ALL
            SELECT d.target FROM pipedrive_internal.detached_mirror d WHERE d.mirror_id = $1) AS t
$$;
COMMENT ON FUNCTION pipedrive_internal.keeps_mirror(integer) IS
    'whether the current user may write a mirror''s table, or that of one that was';

CREATE OR REPLACE FUNCTION pipedrive_internal.refuse_write(relation name, of_whom text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
        MESSAGE = format('permission denied to write table "%s" for %s', relation, of_whom);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.refuse_write(name, text) IS 'the error of the guards';

CREATE OR REPLACE FUNCTION pipedrive_internal.guard_mirror() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND NOT pipedrive_internal.keeps_mirror(old.mirror_id)
       OR TG_OP <> 'DELETE' AND NOT pipedrive_internal.keeps_mirror(new.mirror_id) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'mirrors of other roles'::text);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.guard_mirror() IS
    'trigger function: the mirror is one that the current user may write';

-- Whoever takes events marks and counts for every mirror; nobody sets a mark that no answer
-- settles.
CREATE OR REPLACE FUNCTION pipedrive_internal.guard_mark() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    takes_events boolean := has_table_privilege('pipedrive.inbox'::regclass, 'INSERT'::text);
BEGIN
    IF TG_OP = 'UPDATE' AND new.mirror_id <> old.mirror_id
       OR TG_OP = 'DELETE' AND NOT pipedrive_internal.keeps_mirror(old.mirror_id)
       OR TG_OP <> 'DELETE' AND NOT takes_events
          AND NOT pipedrive_internal.keeps_mirror(new.mirror_id) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'mirrors of other roles'::text);
    ELSIF TG_OP <> 'DELETE'
          AND (to_jsonb(new) ->> 'arrival')::bigint
              > pg_sequence_last_value('pipedrive_internal.arrival'::regclass) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'times to come'::text);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.guard_mark() IS
    'trigger function: the mirror is one that the current user may write, or he takes events for '
    'all of them';

-- The number of a mirror is nobody else's, and its source and list of deleted rows are not
-- somebody's who gave no right to them.
CREATE OR REPLACE FUNCTION pipedrive_internal.guard_target() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND NOT pipedrive_internal.keeps(old.target)
          -- what is about a table that is gone may go
          AND (TG_OP = 'UPDATE' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = old.target)) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'mirrors of other roles'::text);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN old;
    ELSIF NOT pipedrive_internal.keeps(new.target)
          OR has_table_privilege(new.source, 'SELECT'::text) IS NOT TRUE
          OR EXISTS (SELECT FROM pg_class c
                      WHERE c.oid = new.deleted_source
                        AND NOT pg_has_role(c.relowner, 'USAGE'::text))
          OR EXISTS (SELECT FROM pipedrive_internal.detached_mirror d
                      WHERE d.mirror_id = new.mirror_id AND d.target <> new.target)
          OR new.mirror_id > pg_sequence_last_value(
                                 'pipedrive_internal.mirror_mirror_id_seq'::regclass) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'mirrors of other roles'::text);
    END IF;
    RETURN new;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.guard_target() IS
    'trigger function: the target is a table that the current user may write, and nothing else of '
    'the row is another''s';

CREATE OR REPLACE FUNCTION pipedrive_internal.guard_detached() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP <> 'DELETE'
       OR NOT pipedrive_internal.keeps(old.target)
          AND EXISTS (SELECT FROM pg_class c WHERE c.oid = old.target) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'mirrors of other roles'::text);
    END IF;
    RETURN old;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.guard_detached() IS
    'trigger function: of what a table was, only the end is written, and of one''s own';

-- One that was dropped is nobody's.
CREATE OR REPLACE FUNCTION pipedrive_internal.guard_view() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    views regclass[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[new.view]
                                   WHEN 'DELETE' THEN ARRAY[old.view]
                                   ELSE ARRAY[old.view, new.view] END;
BEGIN
    IF EXISTS (SELECT FROM unnest(views) AS v JOIN pg_class c ON c.oid = v
                WHERE NOT pg_has_role(c.relowner, 'USAGE'::text)) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'views of other roles'::text);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.guard_view() IS
    'trigger function: the view is the current user''s';

-- What is known of a server's account is learnt by whoever may use it, and changed by who keeps all
-- of its mirrors, or owns it.
CREATE OR REPLACE FUNCTION pipedrive_internal.guard_server() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    servers name[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[new.server]
                                 WHEN 'DELETE' THEN ARRAY[old.server]
                                 ELSE ARRAY[old.server, new.server] END;
BEGIN
    IF EXISTS (SELECT FROM pg_foreign_server s
                WHERE s.srvname = ANY (servers)
                  AND NOT has_server_privilege(s.oid, 'USAGE'::text)) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME,
                                                'servers that are not to be used'::text);
    ELSIF TG_OP <> 'INSERT' AND TG_TABLE_NAME = 'server_company'
          AND EXISTS (SELECT FROM pg_foreign_server s JOIN pg_foreign_table t ON t.ftserver = s.oid
                        JOIN pipedrive_internal.mirror m ON m.source = t.ftrelid
                       WHERE s.srvname = ANY (servers)
                         AND NOT pg_has_role(s.srvowner, 'USAGE'::text)
                         AND NOT pipedrive_internal.keeps(m.target)) THEN
        PERFORM pipedrive_internal.refuse_write(TG_TABLE_NAME, 'mirrors of other roles'::text);
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.guard_server() IS
    'trigger function: the server is one that the current user may use';

-- Every table of ours by what its rows are about.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT DISTINCT c.oid::regclass AS relation, g.guard
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_attribute a
            ON a.attrelid = c.oid AND a.attname IN ('mirror_id', 'view', 'server', 'target')
         CROSS JOIN LATERAL (
               SELECT CASE WHEN c.relname = 'mirror' THEN 'guard_target'
                           WHEN c.relname IN ('detached_mirror', 'detached_view')
                               THEN 'guard_detached'
                           WHEN c.relname IN ('refetch', 'late_mark', 'mirror_event',
                                              'event_company') THEN 'guard_mark'
                           WHEN a.attname = 'mirror_id' THEN 'guard_mirror'
                           WHEN a.attname = 'view' THEN 'guard_view'
                           ELSE 'guard_server' END) AS g (guard)
         WHERE c.relnamespace IN ('pipedrive'::regnamespace, 'pipedrive_internal'::regnamespace)
           AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relname NOT IN ('inbox', 'known_server', 'fields') LOOP
        EXECUTE pg_catalog.format('DROP TRIGGER IF EXISTS %I ON %s', t.guard, t.relation);
        EXECUTE pg_catalog.format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %s
            FOR EACH ROW WHEN (NOT pg_catalog.has_table_privilege(%L::regclass, ''TRIGGER''))
            EXECUTE FUNCTION pipedrive_internal.%I()', t.guard, t.relation, t.relation, t.guard);
        EXECUTE pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', t.guard, t.relation,
            'a role without further rights writes only what is its own');
    END LOOP;
END
$$;
