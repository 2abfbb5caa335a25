-- Mirrors: local tables that are brought up to the account by sync(), a few pages and one commit at a time.
--
-- Everything a run has to remember is in mirror_state, so that the next call goes on where the last one stopped, whatever stopped it.
-- Procedures that commit cannot set search_path: every name in them is qualified.

-- The part belongs to this one statement: nothing is armed that another scan of the table could take.
CREATE FUNCTION _walk(source regclass, from_position text, pages integer, statement text, VARIADIC arguments "any",
                      OUT next_position text, OUT tokens bigint, OUT rows bigint, OUT pages_read bigint, OUT written bigint, OUT set_aside jsonb)
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pipedrive_fdw_walk';
COMMENT ON FUNCTION _walk(regclass, text, integer, text, "any") IS
    'runs a statement that scans the table once, with the further arguments as $1 and so on, on so many pages (0: all) from that position (NULL: the start); where it ended (NULL: everything was read), what it cost, how many rows the statement wrote, and which it did not get as a value of theirs does not fit';
REVOKE EXECUTE ON FUNCTION _walk(regclass, text, integer, text, "any") FROM PUBLIC; -- it reads part of a table

CREATE FUNCTION _request(server name, method text, path text, body jsonb DEFAULT NULL) RETURNS jsonb
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pipedrive_fdw_request';
COMMENT ON FUNCTION _request(name, text, text, jsonb) IS 'one API call with the current user''s credentials; its answer';
REVOKE EXECUTE ON FUNCTION _request(name, text, text, jsonb) FROM PUBLIC; -- it could write

CREATE FUNCTION _mirror_columns(target regclass) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(a.attname::text ORDER BY a.attnum)
      FROM pg_attribute a
     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('_synced_at', '_source')
$$;
COMMENT ON FUNCTION _mirror_columns(regclass) IS 'data columns of a mirror';

CREATE FUNCTION _column_list(target regclass, prefix text DEFAULT '') RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(prefix || quote_ident(c), ', ' ORDER BY n) FROM unnest(pipedrive._mirror_columns(target)) WITH ORDINALITY AS u (c, n)
$$;
COMMENT ON FUNCTION _column_list(regclass, text) IS 'data columns of a mirror, quoted, for SQL';

-- whose code may run --------------------------------------------------------------------------------------------------------------

-- Writing a table runs what its owner put there: triggers, defaults, checks, index expressions, types with operators of their own.
-- They run with the rights of who writes. So a mirror is written only where its owner has those rights already.
CREATE FUNCTION _may_write(source regclass, target regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) = 2 FROM pg_class c
      LEFT JOIN pg_foreign_table t ON t.ftrelid = c.oid
      LEFT JOIN pg_foreign_server s ON s.oid = t.ftserver
      LEFT JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
     WHERE (c.oid = source AND w.fdwname = 'pipedrive_fdw' OR c.oid = target AND c.relkind = 'r')
       AND pg_has_role(c.relowner, current_user::name, 'USAGE')
$$;
COMMENT ON FUNCTION _may_write(regclass, regclass) IS
    'whether the current user may write a mirror: the source is a foreign table of pipedrive_fdw, the target a plain table, and the owner of each has the rights of the current user';

CREATE FUNCTION _require_own(source regclass, target regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN ROW SHARE MODE', target); -- its name is its own until the end of this batch
    IF to_regclass(target::text) IS DISTINCT FROM target OR NOT pipedrive._may_write(source, target) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('mirror "%s" belongs to another role', target),
            DETAIL = 'Triggers, types and index expressions of its owner would run with the rights of the current user.',
            HINT = 'Its owner, or a role whose rights the owner has, calls sync().';
    END IF;
END
$$;
COMMENT ON FUNCTION _require_own(regclass, regclass) IS 'locks the target of a mirror; the error where _may_write() says no';

-- what makes a mirror ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION _create_target(source regclass, target text) RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made regclass;
    c record;
BEGIN
    EXECUTE format('CREATE TABLE %s (%s, _synced_at timestamptz NOT NULL DEFAULT now(), _source text NOT NULL DEFAULT ''sync'', PRIMARY KEY (id))', target,
        (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
           FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped));
    made := target::regclass;
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
COMMENT ON FUNCTION _create_target(regclass, text) IS 'table for a mirror, with indexes and comments';

CREATE FUNCTION create_mirror(source regclass, target text DEFAULT NULL) RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    info record;
    schema_name text;
    made regclass;
    live text;
    deleted regclass;
    new_id integer;
BEGIN
    SELECT c.relname, n.nspname, t.entity, t.server INTO info
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN LATERAL (SELECT k.entity, k.server FROM pipedrive._table_columns k WHERE k.relation = source LIMIT 1) t ON true
     WHERE c.oid = source;
    IF info.entity IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is not a foreign table of pipedrive_fdw', source);
    END IF;
    IF EXISTS (SELECT FROM pipedrive.mirror x WHERE x.source = create_mirror.source) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = format('"%s" is already mirrored by "%s"', source, (SELECT x.target FROM pipedrive.mirror x WHERE x.source = create_mirror.source));
    END IF;
    IF EXISTS (SELECT FROM unnest(CASE WHEN pipedrive._is_windowed(info.entity) THEN ARRAY['id', 'update_time', 'add_time'] ELSE ARRAY['id'] END) AS needed
                WHERE NOT EXISTS (SELECT FROM pipedrive._table_columns k WHERE k.relation = source AND k.attname = needed AND k.type IS NULL)) THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" lacks a column that a mirror needs', source),
            HINT = 'A mirror needs the columns id, and where the API can tell what changed, update_time and add_time.';
    END IF;
    IF target IS NULL THEN
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', info.nspname || '_mirror');
        target := format('%I.%I', info.nspname || '_mirror', info.relname);
    END IF;
    made := pipedrive._create_target(source, target);
    SELECT quote_ident(n.nspname) INTO schema_name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = made;
    IF info.entity = 'deals' THEN
        live := format('%s.%I', schema_name, '_' || (SELECT c.relname FROM pg_class c WHERE c.oid = made) || '_deleted');
        EXECUTE format('CREATE FOREIGN TABLE %s (id bigint, update_time timestamptz) SERVER %I OPTIONS (entity %L)', live, info.server, 'deleted_deals');
        EXECUTE format('COMMENT ON FOREIGN TABLE %s IS %L', live, 'deals deleted in the last 30 days, read by pipedrive.sync()');
        deleted := live::regclass;
    END IF;
    INSERT INTO pipedrive.mirror (source, target, deleted_source, entity) VALUES (source, made, deleted, info.entity) RETURNING mirror_id INTO new_id;
    INSERT INTO pipedrive.mirror_state (mirror_id) VALUES (new_id);
    PERFORM pipedrive._create_views(new_id);
    RETURN made;
END
$$;
COMMENT ON FUNCTION create_mirror(regclass, text) IS
    'a local table with the columns of a Pipedrive foreign table, kept by sync() and webhooks; default name: <schema>_mirror.<table>; empty until the first sync()';

CREATE FUNCTION create_mirrors(source_schema regnamespace, target_schema text DEFAULT NULL) RETURNS SETOF regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
    name text := coalesce(target_schema, source_schema::text || '_mirror');
BEGIN
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', name);
    FOR t IN SELECT DISTINCT k.relation, c.relname FROM pipedrive._table_columns k JOIN pg_class c ON c.oid = k.relation
              WHERE c.relnamespace = source_schema AND k.entity <> 'deleted_deals'
                AND NOT EXISTS (SELECT FROM pipedrive.mirror m WHERE m.source = k.relation) ORDER BY c.relname LOOP
        RETURN NEXT pipedrive.create_mirror(t.relation, format('%I.%I', name, t.relname));
    END LOOP;
END
$$;
COMMENT ON FUNCTION create_mirrors(regnamespace, text) IS 'create_mirror() for every Pipedrive table of a schema that has none yet';

-- the last second as a view
CREATE FUNCTION _create_live_view(m pipedrive.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    IF NOT 'update_time' = ANY (pipedrive._mirror_columns(m.target))
       OR NOT EXISTS (SELECT FROM pipedrive.entity_columns e WHERE e.entity = m.entity AND e.parameter LIKE 'updated_since%') THEN
        RETURN;
    END IF;
    SELECT format('%I.%I', n.nspname, c.relname || '_live') INTO name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.target;
    EXECUTE format($v$CREATE VIEW %1$s AS
        WITH tail AS MATERIALIZED (
            SELECT %2$s FROM %3$s
             WHERE update_time >= (SELECT s.watermark - x.overlap FROM pipedrive.mirror_state s JOIN pipedrive.mirror x USING (mirror_id) WHERE s.mirror_id = %4$s))
        SELECT %2$s FROM tail UNION ALL SELECT %2$s FROM %5$s AS kept WHERE NOT EXISTS (SELECT FROM tail WHERE tail.id = kept.id)$v$,
        name, pipedrive._column_list(m.target), m.source, m.mirror_id, m.target);
    EXECUTE format('COMMENT ON VIEW %s IS %L', name, format('%s with what changed in Pipedrive since its last sync; reads the API', m.target));
END
$$;
COMMENT ON FUNCTION _create_live_view(pipedrive.mirror) IS 'view <table>_live beside a mirror';

CREATE FUNCTION _drop_live_view(m pipedrive.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
BEGIN
    EXECUTE (SELECT format('DROP VIEW IF EXISTS %I.%I', n.nspname, c.relname || '_live') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.target);
END
$$;
COMMENT ON FUNCTION _drop_live_view(pipedrive.mirror) IS 'removes the view that _create_live_view() made; it is made anew when the columns have changed';

-- the history of one column of deals as intervals
CREATE FUNCTION _create_history_view(m pipedrive.mirror, field text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    SELECT format('%I.%I', n.nspname, CASE WHEN c.relname = 'deals' THEN '' ELSE c.relname || '_' END || replace(field, '_id', '') || '_history') INTO name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.target;
    EXECUTE format($v$CREATE VIEW %1$s AS
        WITH steps AS (
            SELECT c.id, c.changed_at, c.recorded_at, (c.old_value #>> '{}')::bigint AS old_value, (c.new_value #>> '{}')::bigint AS new_value
              FROM pipedrive.changes c WHERE c.mirror_id = %2$s AND c.field = %3$L),
        entered AS (
            SELECT s.id AS deal_id, s.new_value AS %4$I, s.changed_at AS entered, s.recorded_at FROM steps s
            UNION ALL
            SELECT d.id, coalesce((SELECT s.old_value FROM steps s WHERE s.id = d.id ORDER BY s.changed_at, s.recorded_at LIMIT 1), d.%4$I), d.add_time, '-infinity' FROM %5$s d)
        SELECT deal_id, %4$I, entered, lead(entered) OVER w AS left_at, lead(entered) OVER w - entered AS duration
          FROM entered WINDOW w AS (PARTITION BY deal_id ORDER BY entered, recorded_at)$v$, name, m.mirror_id, field, field, m.target);
    EXECUTE format('COMMENT ON VIEW %s IS %L', name, format('for each deal the values of %s: entered, left and duration, as far as pipedrive.changes goes back', field));
END
$$;
COMMENT ON FUNCTION _create_history_view(pipedrive.mirror, text) IS 'views stage_history and owner_history beside a mirror of deals';

CREATE FUNCTION _create_views(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive._create_live_view(m);
    IF m.entity = 'deals' THEN
        PERFORM pipedrive._create_history_view(m, f) FROM unnest(ARRAY['stage_id', 'owner_id']) AS f
         WHERE ARRAY[f, 'add_time'] <@ pipedrive._mirror_columns(m.target);
    END IF;
END
$$;
COMMENT ON FUNCTION _create_views(integer) IS 'views beside a mirror: <table>_live; for deals stage_history and owner_history';

CREATE FUNCTION drop_mirror(mirror regclass, drop_table boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    m pipedrive.mirror;
    schema_name name;
    table_name name;
    view_name name;
    p text; -- what the history views' names begin with
BEGIN
    SELECT * INTO m FROM pipedrive.mirror x WHERE x.target = mirror OR x.source = mirror;
    IF m.mirror_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('"%s" is not mirrored', mirror);
    END IF;
    SELECT n.nspname, c.relname INTO schema_name, table_name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.target;
    p := CASE WHEN table_name = 'deals' THEN '' ELSE table_name || '_' END;
    DELETE FROM pipedrive.mirror x WHERE x.mirror_id = m.mirror_id;
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = m.deleted_source) THEN
        EXECUTE format('DROP FOREIGN TABLE %s', m.deleted_source);
    END IF;
    IF NOT drop_table THEN
        RETURN;
    END IF;
    FOREACH view_name IN ARRAY ARRAY[table_name || '_live']::name[] || CASE WHEN m.entity = 'deals' THEN ARRAY[p || 'stage_history', p || 'owner_history']::name[] ELSE '{}' END LOOP
        EXECUTE format('DROP VIEW IF EXISTS %I.%I', schema_name, view_name);
    END LOOP;
    EXECUTE format('DROP TABLE %s', m.target);
END
$$;
COMMENT ON FUNCTION drop_mirror(regclass, boolean) IS 'ends a mirror, named by its local or foreign table, and drops the local table unless told otherwise';

-- writing rows ----------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION _record_change_count(which integer, n bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state SET change_serial = change_serial + n WHERE mirror_id = which AND n > 0
$$;
COMMENT ON FUNCTION _record_change_count(integer, bigint) IS 'counts changed rows of a mirror, so that views know that they are out of date';

CREATE FUNCTION _delete_rows(which integer, ids bigint[], as_of timestamptz, change_source text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    gone bigint;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    -- rows before tombstones and by id, as events lock them in this order too
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE id = ANY ($1) ORDER BY id FOR UPDATE) AS locked', m.target) USING ids;
    EXECUTE format('WITH gone AS (DELETE FROM %s WHERE id = ANY ($1) RETURNING id)
                    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
                    SELECT $2, $3, id, ''is_deleted'', ''false'', ''true'', coalesce($4, now()), $5 FROM gone', m.target)
      USING ids, which, m.entity, as_of, change_source;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO pipedrive.tombstone AS t (mirror_id, id, as_of)
    SELECT which, i, coalesce(as_of, now()) FROM unnest(ids) AS i ORDER BY i
        ON CONFLICT (mirror_id, id) DO UPDATE SET as_of = greatest(t.as_of, excluded.as_of), recorded_at = clock_timestamp();
    PERFORM pipedrive._record_change_count(which, gone);
    RETURN gone;
END
$$;
COMMENT ON FUNCTION _delete_rows(integer, bigint[], timestamptz, text) IS 'deletes rows of a mirror, with tombstones and history; how many existed';

-- Rows of a staging table go in where they differ. A row deleted since the reading began stays deleted, and one that an event made newer stays, unless forced.
CREATE FUNCTION _merge_stage(which integer, stage regclass, change_source text, started_at timestamptz, force boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    columns text[];
    newer text;
    stamp text;
    changed bigint;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    columns := pipedrive._mirror_columns(m.target);
    newer := CASE WHEN force OR NOT 'update_time' = ANY (columns) THEN 'true' ELSE '(t.update_time IS NULL OR e.update_time >= t.update_time)' END;
    stamp := CASE WHEN 'update_time' = ANY (columns) THEN 'coalesce(e.update_time, now())' ELSE 'now()' END;
    EXECUTE format('DELETE FROM %s s USING pipedrive.tombstone d WHERE d.mirror_id = $1 AND d.id = s.id AND d.recorded_at >= $2', stage) USING which, started_at;
    EXECUTE format('INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
                    SELECT $1, $2, e.id, o.key, o.value, n.value, %s, $3
                      FROM %s e JOIN %s t ON t.id = e.id
                     CROSS JOIN LATERAL jsonb_each(to_jsonb(t)) o JOIN LATERAL jsonb_each(to_jsonb(e)) n ON n.key = o.key AND n.value IS DISTINCT FROM o.value
                     WHERE ROW(%s) IS DISTINCT FROM ROW(%s) AND %s AND o.key NOT IN (''_synced_at'', ''_source'', ''custom_fields'', ''update_time'')',
                   stamp, stage, m.target, pipedrive._column_list(m.target, 't.'), pipedrive._column_list(m.target, 'e.'), newer)
      USING which, m.entity, change_source;
    EXECUTE format('INSERT INTO %1$s AS t (%2$s, _synced_at, _source) SELECT %3$s, clock_timestamp(), $1 FROM %4$s e ORDER BY e.id
                    ON CONFLICT (id) DO UPDATE SET %5$s, _synced_at = excluded._synced_at, _source = excluded._source
                    WHERE ROW(%6$s) IS DISTINCT FROM ROW(%7$s) AND %8$s',
                   m.target, pipedrive._column_list(m.target), pipedrive._column_list(m.target, 'e.'), stage,
                   (SELECT string_agg(format('%1$I = excluded.%1$I', c), ', ') FROM unnest(columns) AS c WHERE c <> 'id'),
                   pipedrive._column_list(m.target, 't.'), pipedrive._column_list(m.target, 'excluded.'), replace(newer, 'e.', 'excluded.'))
      USING change_source;
    GET DIAGNOSTICS changed = ROW_COUNT;
    -- the API shows them: whatever was said before, they are alive, and need no reading by id
    EXECUTE format('DELETE FROM pipedrive.tombstone d USING %s s WHERE d.mirror_id = $1 AND d.id = s.id AND d.recorded_at < $2', stage) USING which, started_at;
    EXECUTE format('DELETE FROM pipedrive.refetch r USING %s s WHERE r.mirror_id = $1 AND r.id = s.id AND r.requested_at < $2', stage) USING which, started_at;
    PERFORM pipedrive._record_change_count(which, changed);
    RETURN changed;
END
$$;
COMMENT ON FUNCTION _merge_stage(integer, regclass, text, timestamptz, boolean) IS 'set-based upsert of a staging table into a mirror; rows that did not change are not written';
