-- Mirrors: local tables that are brought up to the account by sync(), a few pages and one commit at a time.
--
-- Everything a run has to remember is in mirror_state, so that the next call goes on where the last one stopped, whatever stopped it.
-- Procedures that commit cannot set search_path: every name in them is qualified.

-- The part belongs to this one statement: nothing is armed that another scan of the table could take.
CREATE FUNCTION _walk(source regclass, from_position text, pages integer, above_id bigint, stage name, statement text, VARIADIC arguments "any",
                      OUT next_position text, OUT tokens bigint, OUT rows bigint, OUT pages_read bigint, OUT written bigint, OUT set_aside jsonb,
                      OUT answered_at timestamptz, OUT highest_id bigint)
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pipedrive_fdw_walk';
COMMENT ON FUNCTION _walk(regclass, text, integer, bigint, name, text, "any") IS
    'runs a statement that scans the table once, with the further arguments as $1 and so on, on so many pages (0: all) from that position (NULL: the start), with above_id newest rows first and down to that id; with stage the rows of a SELECT go into a temporary table, made if there are any; where it ended (NULL: everything was read), what it cost, how many rows the statement wrote, which it did not get as a value of theirs does not fit, Pipedrive''s clock at the first answer, and the highest id of the first list';
REVOKE EXECUTE ON FUNCTION _walk(regclass, text, integer, bigint, name, text, "any") FROM PUBLIC; -- it reads part of a table

CREATE FUNCTION _tokens_spent() RETURNS bigint
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_tokens_spent';
COMMENT ON FUNCTION _tokens_spent() IS 'API tokens that this session has spent, those of failed statements included';

CREATE FUNCTION _request(server name, method text, path text, body jsonb DEFAULT NULL) RETURNS jsonb
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pipedrive_fdw_request';
COMMENT ON FUNCTION _request(name, text, text, jsonb) IS 'one API call with the current user''s credentials; its answer';
REVOKE EXECUTE ON FUNCTION _request(name, text, text, jsonb) FROM PUBLIC; -- it could write

CREATE FUNCTION _column_list(target regclass, prefix text DEFAULT '') RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(prefix || quote_ident(c), ', ' ORDER BY n) FROM unnest(pipedrive._mirror_columns(target)) WITH ORDINALITY AS u (c, n)
$$;
COMMENT ON FUNCTION _column_list(regclass, text) IS 'data columns of a mirror, quoted, for SQL';

-- whose code may run --------------------------------------------------------------------------------------------------------------

-- Writing a table runs what its owner put there: triggers, defaults, checks, index expressions, types with operators of their own.
-- They run with the rights of who writes. So a mirror is written only where those have these rights already who could put something
-- there: its owner, the owners of tables that inherit from it, and who was granted TRIGGER.
-- In plpgsql, which keeps the plans: it is asked for every event.
CREATE FUNCTION _others_code(target regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        WITH RECURSIVE tables (oid) AS (
            SELECT target::oid
             UNION
            SELECT i.inhrelid FROM tables t JOIN pg_inherits i ON i.inhparent = t.oid)
        SELECT FROM tables t JOIN pg_class c ON c.oid = t.oid
         WHERE NOT pg_has_role(c.relowner, current_user::name, 'USAGE')
            OR c.relacl IS NOT NULL
               AND EXISTS (SELECT FROM aclexplode(c.relacl) AS a
                            WHERE a.privilege_type = 'TRIGGER'
                              AND (a.grantee = 0 OR NOT pg_has_role(a.grantee, current_user::name, 'USAGE'))));
END
$$;
COMMENT ON FUNCTION _others_code(regclass) IS
    'whether a role without the rights of the current user could have code run by whoever writes a table';

CREATE FUNCTION _may_write(source regclass, target regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pg_class c
                     JOIN pg_foreign_table t ON t.ftrelid = c.oid
                     JOIN pg_foreign_server s ON s.oid = t.ftserver
                     JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
                    WHERE c.oid = source AND w.fdwname = 'pipedrive_fdw'
                      AND pg_has_role(c.relowner, current_user::name, 'USAGE'))
       AND EXISTS (SELECT FROM pg_class c WHERE c.oid = target AND c.relkind = 'r')
       AND has_table_privilege(target, 'INSERT'::text) AND has_table_privilege(target, 'UPDATE'::text)
       AND has_table_privilege(target, 'DELETE'::text) AND NOT pipedrive._others_code(target);
END
$$;
COMMENT ON FUNCTION _may_write(regclass, regclass) IS
    'whether the current user may write a mirror: the source is a foreign table of pipedrive_fdw, the target a plain table with the grants for it, and who could have code run there has the rights of the current user';

-- What others do to a table may leave it without what every writer leans on.
CREATE FUNCTION _unwritable(target regclass, began boolean DEFAULT true) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = target AND c.relkind = 'r') THEN 'Its table is gone.'
                WHEN NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
                                  WHERE a.attrelid = target AND a.attname = 'id' AND a.atttypid = 'bigint'::regtype
                                    AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL)
                THEN 'It has no bigint column "id" with a primary key or unique index.'
                     || coalesce((SELECT format(' Its primary key is column "%s".', a.attname)
                                    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                                   WHERE i.indrelid = target AND i.indisprimary AND i.indnkeyatts = 1 AND a.attname <> 'id'
                                     AND a.atttypid = 'bigint'::regtype AND began), '')
                ELSE (SELECT CASE WHEN a.attname IS NULL THEN format('It has no column "%s".', w.name)
                                  WHEN a.attgenerated <> '' OR a.attidentity = 'a' THEN format('Its column "%s" is always generated.', w.name)
                                  ELSE format('Its column "%s" is of type %s, not %s.', w.name, format_type(a.atttypid, a.atttypmod), w.type) END
                        FROM (VALUES ('id', 'bigint'::regtype), ('_synced_at', 'timestamptz'), ('_source', 'text')) AS w (name, type)
                        LEFT JOIN pg_attribute a ON a.attrelid = target AND a.attname = w.name
                       WHERE a.attname IS NULL AND began OR a.attgenerated <> '' OR a.attidentity = 'a' OR a.atttypid <> w.type
                       ORDER BY w.name DESC LIMIT 1) END
$$;
COMMENT ON FUNCTION _unwritable(regclass, boolean) IS
    'why nothing can be written into a table as a mirror; before it has begun to be one, columns of ours may be missing';

CREATE FUNCTION _require_table(source regclass, target regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = target) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('the table that mirrors "%s" is gone', source),
            HINT = format('SELECT pipedrive.drop_mirror(%L) forgets the mirror.', source);
    END IF;
END
$$;
COMMENT ON FUNCTION _require_table(regclass, regclass) IS 'the error for a mirror whose table is gone';

CREATE FUNCTION _require_own(source regclass, target regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text;
BEGIN
    PERFORM pipedrive._require_table(source, target);
    reason := pipedrive._unwritable(target);
    EXECUTE format('LOCK TABLE %s IN ROW SHARE MODE', target); -- its name is its own until the end of this batch
    IF to_regclass(target::text) IS DISTINCT FROM target OR NOT pipedrive._may_write(source, target) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('mirror "%s" belongs to another role', target),
            DETAIL = 'Triggers, types and index expressions of its owner, or of who was granted TRIGGER on it, would run with the rights of the current user.',
            HINT = 'Its owner, or a role whose rights these have and that may write it, calls sync().';
    END IF;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('mirror "%s" cannot be written', target), DETAIL = reason,
            HINT = 'Give the column its name, type and key back. A column "_synced_at" or "_source" that is missing is added by refresh_schema().';
    END IF;
END
$$;
COMMENT ON FUNCTION _require_own(regclass, regclass) IS 'locks the target of a mirror; the error where _may_write() says no, and where the table lacks what a mirror needs';

-- what makes a mirror ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION _create_target(source regclass, target name[]) RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made regclass;
    c record;
BEGIN
    EXECUTE format('CREATE TABLE %I.%I (%s, _synced_at timestamptz NOT NULL DEFAULT now(), _source text NOT NULL DEFAULT ''sync'', PRIMARY KEY (id))', target[1], target[2],
        (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
           FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped));
    made := format('%I.%I', target[1], target[2])::regclass;
    -- what dashboards filter and join by
    FOR c IN SELECT a.attname FROM pg_attribute a
              WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attname IN ('update_time', 'add_time', 'status', 'person_id', 'org_id', 'owner_id', 'deal_id', 'pipeline_id', 'stage_id', 'due_date') LOOP
        EXECUTE format('CREATE INDEX ON %s (%I)', made, c.attname);
    END LOOP;
    EXECUTE format('COMMENT ON TABLE %s IS %L', made, format('mirror of %s, kept by pipedrive.sync()', source));
    FOR c IN SELECT a.attname, d.description FROM pg_attribute a
               JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = source AND d.objsubid = a.attnum
              WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', made, c.attname, c.description);
    END LOOP;
    EXECUTE format('COMMENT ON COLUMN %s._synced_at IS %L', made, 'when the row was last written');
    EXECUTE format('COMMENT ON COLUMN %s._source IS %L', made, 'what wrote the row last: sync or webhook');
    RETURN made;
END
$$;
COMMENT ON FUNCTION _create_target(regclass, name[]) IS 'table for a mirror, with indexes and comments';

CREATE FUNCTION _mirror_source(source regclass, OUT entity text, OUT server name)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    SELECT k.entity, k.server INTO entity, server FROM pipedrive._table_columns k WHERE k.relation = source LIMIT 1;
    IF entity IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is not a foreign table of pipedrive_fdw', source);
    END IF;
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = source AND c.relpersistence = 't') THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is temporary: it cannot be mirrored', source);
    END IF;
    IF EXISTS (SELECT FROM pipedrive.mirror x JOIN pg_class c ON c.oid = x.target WHERE x.source = _mirror_source.source) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = format('"%s" is already mirrored by "%s"', source, (SELECT x.target FROM pipedrive.mirror x WHERE x.source = _mirror_source.source));
    END IF;
    IF EXISTS (SELECT FROM unnest(CASE WHEN pipedrive._is_windowed(entity) THEN ARRAY['id', 'update_time'] ELSE ARRAY['id'] END) AS needed
                WHERE NOT EXISTS (SELECT FROM pipedrive._table_columns k WHERE k.relation = source AND k.attname = needed AND k.type IS NULL)) THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" lacks a column that a mirror needs', source),
            HINT = 'A mirror needs the columns id, and where the API can tell what changed, update_time.';
    END IF;
END
$$;
COMMENT ON FUNCTION _mirror_source(regclass) IS 'entity and server of a foreign table that can be mirrored, and is not yet';

-- One that an earlier mirror left behind is made anew: it may be of another server.
CREATE FUNCTION _create_deleted_list(place name[], server name) RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    listed text := format('%I.%I', place[1], pipedrive._derived_name(place[2]::text, '_deleted'::text, '_'::text));
BEGIN
    IF EXISTS (SELECT FROM pipedrive._table_columns k WHERE k.relation = to_regclass(listed) AND k.entity = 'deleted_deals')
       AND NOT EXISTS (SELECT FROM pipedrive.mirror x WHERE x.deleted_source = to_regclass(listed)) THEN
        EXECUTE format('DROP FOREIGN TABLE %s', listed);
    END IF;
    EXECUTE format('CREATE FOREIGN TABLE %s (id bigint, update_time timestamptz, status text, is_deleted boolean, is_archived boolean) SERVER %I OPTIONS (entity %L)', listed, server, 'deleted_deals');
    EXECUTE format('COMMENT ON FOREIGN TABLE %s IS %L', listed, 'deals deleted in the last 30 days, read by pipedrive.sync()');
    RETURN listed::regclass;
END
$$;
COMMENT ON FUNCTION _create_deleted_list(name[], name) IS 'foreign table beside a mirror of deals that lists deleted ones';

CREATE FUNCTION _restore_deleted_list(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m record;
BEGIN
    SELECT x.mirror_id, x.target, ARRAY[n.nspname, c.relname] AS place, pipedrive._server_of(x.source) AS server INTO m
      FROM pipedrive.mirror x JOIN pg_class c ON c.oid = x.target JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE x.mirror_id = which AND pipedrive._may_write(x.source, x.target)
       AND x.deleted_source IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class d WHERE d.oid = x.deleted_source);
    IF FOUND THEN
        UPDATE pipedrive.mirror x SET deleted_source = pipedrive._create_deleted_list(m.place, m.server) WHERE x.mirror_id = which;
    END IF;
EXCEPTION WHEN assert_failure OR OTHERS THEN
    RAISE WARNING USING MESSAGE = format('the list of deleted deals of mirror "%s" is gone, and could not be made again: %s', m.target, SQLERRM);
END
$$;
COMMENT ON FUNCTION _restore_deleted_list(integer) IS 'makes the list of deleted deals beside a mirror again where somebody dropped it';

CREATE FUNCTION _begin_mirror(source regclass, target regclass, entity text, server name, old_id integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place name[] := (SELECT ARRAY[n.nspname, c.relname] FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target);
    deleted regclass := CASE WHEN entity = 'deals' THEN pipedrive._create_deleted_list(place, server) END;
    id integer;
BEGIN
    IF NOT has_table_privilege(source, 'SELECT'::text) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for foreign table %s', source);
    END IF;
    -- a mirror whose table is gone is none
    DELETE FROM pipedrive.mirror x WHERE x.source = _begin_mirror.source AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = x.target);
    IF old_id IS NULL THEN
        INSERT INTO pipedrive.mirror (source, target, deleted_source, entity) VALUES (source, target, deleted, entity) RETURNING mirror_id INTO id;
    ELSE
        INSERT INTO pipedrive.mirror (mirror_id, source, target, deleted_source, entity) VALUES (old_id, source, target, deleted, entity) RETURNING mirror_id INTO id;
    END IF;
    INSERT INTO pipedrive.mirror_state (mirror_id) VALUES (id);
    RETURN id;
END
$$;
COMMENT ON FUNCTION _begin_mirror(regclass, regclass, text, name, integer) IS 'a table is a mirror from now on, under a number that it had before or a new one';

CREATE FUNCTION create_mirror(source regclass, target text DEFAULT NULL) RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    info record;
    place name[] := pipedrive._mirror_target(source, target);
    source_schema oid := (SELECT c.relnamespace FROM pg_class c WHERE c.oid = source);
    made regclass;
    new_id integer;
BEGIN
    SELECT * INTO info FROM pipedrive._mirror_source(source);
    IF place[1] = pipedrive._mirror_schema(source_schema) THEN
        PERFORM pipedrive._ensure_schema(place[1], format('mirrors of the Pipedrive tables in %s', source_schema::regnamespace));
    END IF;
    made := to_regclass(format('%I.%I', place[1], place[2]));
    IF made IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_table', MESSAGE = format('relation "%s" already exists', made),
            HINT = format('SELECT pipedrive.attach_mirror(%L, %L) goes on with a table that was a mirror before, and its history.', source, made);
    END IF;
    made := pipedrive._create_target(source, place);
    PERFORM pipedrive._refuse_target(source, made, info.entity);
    new_id := pipedrive._begin_mirror(source, made, info.entity, info.server, NULL::integer);
    PERFORM pipedrive._remember_column(new_id, NULL::name);
    PERFORM pipedrive._create_views(new_id);
    RETURN made;
END
$$;
COMMENT ON FUNCTION create_mirror(regclass, text) IS
    'a local table with the columns of a Pipedrive foreign table, kept by sync() and webhooks; default name: <schema>_mirror.<table>; a target without a schema goes into that one; empty until the first sync()';

CREATE FUNCTION create_mirrors(source_schema regnamespace, target_schema text DEFAULT NULL) RETURNS SETOF regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
    place name := coalesce(pipedrive._schema_name(target_schema), pipedrive._mirror_schema(source_schema));
BEGIN
    PERFORM pipedrive._ensure_schema(place, format('mirrors of the Pipedrive tables in %s', source_schema));
    FOR t IN SELECT DISTINCT k.relation, c.relname FROM pipedrive._table_columns k JOIN pg_class c ON c.oid = k.relation
              JOIN pipedrive.entities e ON e.entity = k.entity AND e.mirrored
              WHERE c.relnamespace = source_schema
                AND NOT EXISTS (SELECT FROM pipedrive.mirror m WHERE m.source = k.relation) ORDER BY c.relname LOOP
        RETURN NEXT pipedrive.create_mirror(t.relation, format('%I.%I', place, t.relname));
    END LOOP;
END
$$;
COMMENT ON FUNCTION create_mirrors(regnamespace, text) IS 'create_mirror() for every Pipedrive table of a schema that has none yet and is mirrored by default (view entities); into target_schema, spelled as in SQL';

CREATE FUNCTION drop_mirror(mirror regclass, drop_table boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    m pipedrive.mirror;
    views regclass[];
    view regclass;
BEGIN
    SELECT * INTO m FROM pipedrive.mirror x WHERE x.target = mirror OR x.source = mirror;
    IF m.mirror_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('"%s" is not mirrored', mirror);
    END IF;
    views := ARRAY(SELECT v.view FROM pipedrive.mirror_view v JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v' WHERE v.mirror_id = m.mirror_id ORDER BY v.kind);
    DELETE FROM pipedrive.mirror x WHERE x.mirror_id = m.mirror_id;
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = m.deleted_source) THEN
        EXECUTE format('DROP FOREIGN TABLE %s', m.deleted_source);
    END IF;
    IF NOT drop_table OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = m.target) THEN
        RETURN;
    END IF;
    FOREACH view IN ARRAY views LOOP
        EXECUTE format('DROP VIEW %s', view);
    END LOOP;
    EXECUTE format('DROP TABLE %s', m.target);
END
$$;
COMMENT ON FUNCTION drop_mirror(regclass, boolean) IS 'ends a mirror, named by its local or foreign table, and drops the local table unless told otherwise; attach_mirror() goes on with one that was kept';
