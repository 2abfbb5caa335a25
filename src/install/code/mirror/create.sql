-- create_mirror(), create_mirrors() and drop_mirror().

CREATE OR REPLACE FUNCTION pipedrive_internal.mirror_schema(source_schema oid) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pipedrive_internal.derived_name(n.nspname::text, '_mirror'::text)
      FROM pg_namespace n WHERE n.oid = source_schema
$$;
COMMENT ON FUNCTION pipedrive_internal.mirror_schema(oid) IS
    'the schema in which mirrors of the tables of a schema are made unless told otherwise';

-- A target is a table's name as SQL spells it.
CREATE OR REPLACE FUNCTION pipedrive_internal.mirror_target(source regclass, target text)
RETURNS name[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place name;
    base name;
    parts text[] := parse_ident(target);
BEGIN
    SELECT pipedrive_internal.mirror_schema(c.relnamespace), c.relname INTO place, base
      FROM pg_class c WHERE c.oid = source;
    IF cardinality(parts) > 2 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_name',
            MESSAGE = format('"%s" is no name for a local table', target),
            HINT = 'A target is a table, or a schema and a table: deals or crm_mirror.deals.';
    END IF;
    RETURN CASE cardinality(parts) WHEN 2 THEN parts::name[]
                                   WHEN 1 THEN ARRAY[place, parts[1]]::name[]
                                   ELSE ARRAY[place, base] END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.mirror_target(regclass, text) IS
    'schema and name of a new mirror: without a schema, and without a name, the default ones';

CREATE OR REPLACE FUNCTION pipedrive_internal.create_target(
    source regclass, target name[], key_column name)
RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made regclass;
    c record;
BEGIN
    EXECUTE format('CREATE TABLE %I.%I (%s, _synced_at timestamptz NOT NULL DEFAULT now(), _source text NOT NULL DEFAULT ''sync'', PRIMARY KEY (%I))', target[1], target[2],
        (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
           FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped), key_column);
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
COMMENT ON FUNCTION pipedrive_internal.create_target(regclass, name[], name) IS
    'table for a mirror, with indexes and comments';

CREATE OR REPLACE FUNCTION pipedrive_internal.mirror_source(
    source regclass, OUT entity text, OUT server name, OUT key_column name)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    SELECT k.entity, k.server INTO entity, server FROM pipedrive_internal.table_columns k WHERE k.relation = source LIMIT 1;
    IF entity IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is not a foreign table of pipedrive_fdw', source);
    END IF;
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = source AND c.relpersistence = 't') THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is temporary: it cannot be mirrored', source);
    END IF;
    IF EXISTS (SELECT FROM pipedrive_internal.mirror x JOIN pg_class c ON c.oid = x.target WHERE x.source = mirror_source.source) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = format('"%s" is already mirrored by "%s"', source, (SELECT x.target FROM pipedrive_internal.mirror x WHERE x.source = mirror_source.source));
    END IF;
    key_column := (SELECT e.key_column::name FROM pipedrive.entities e WHERE e.entity = mirror_source.entity);
    IF key_column IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" cannot be mirrored', source),
            DETAIL = 'Nothing tells its rows apart.';
    END IF;
    IF EXISTS (SELECT FROM unnest(pipedrive_internal.columns_to_read(entity)) AS needed
                WHERE NOT EXISTS (SELECT FROM pipedrive_internal.table_columns k WHERE k.relation = source AND k.attname = needed AND k.type IS NULL)) THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" lacks a column that a mirror needs', source),
            HINT = format('A mirror of %s needs the columns %s.', entity, array_to_string(pipedrive_internal.columns_to_read(entity), ', '));
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.mirror_source(regclass) IS
    'entity, server and key of a foreign table that can be mirrored, and is not yet';

CREATE OR REPLACE FUNCTION pipedrive_internal.begin_mirror(
    source regclass, target regclass, entity text, server name, old_id integer)
RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place name[] := (SELECT ARRAY[n.nspname, c.relname] FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target);
    deleted regclass := pipedrive_internal.create_deleted_list(entity, place, server);
    key record;
    id integer;
BEGIN
    SELECT e.key_column, e.key_type::regtype INTO key FROM pipedrive.entities e WHERE e.entity = begin_mirror.entity;
    IF NOT has_table_privilege(source, 'SELECT'::text) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for foreign table %s', source);
    END IF;
    -- a mirror whose table is gone is none
    DELETE FROM pipedrive_internal.mirror x WHERE x.source = begin_mirror.source AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = x.target);
    IF old_id IS NULL THEN
        INSERT INTO pipedrive_internal.mirror (source, target, deleted_source, entity, key_column, key_type)
        VALUES (source, target, deleted, entity, key.key_column, key.key_type) RETURNING mirror_id INTO id;
    ELSE
        INSERT INTO pipedrive_internal.mirror (mirror_id, source, target, deleted_source, entity, key_column, key_type)
        VALUES (old_id, source, target, deleted, entity, key.key_column, key.key_type) RETURNING mirror_id INTO id;
    END IF;
    INSERT INTO pipedrive_internal.mirror_state (mirror_id) VALUES (id);
    RETURN id;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.begin_mirror(regclass, regclass, text, name, integer) IS
    'a table is a mirror from now on, under a number that it had before or a new one';

CREATE OR REPLACE FUNCTION pipedrive.create_mirror(source regclass, target text DEFAULT NULL)
RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    info record;
    place name[] := pipedrive_internal.mirror_target(source, target);
    source_schema oid := (SELECT c.relnamespace FROM pg_class c WHERE c.oid = source);
    made regclass;
    new_id integer;
BEGIN
    SELECT * INTO info FROM pipedrive_internal.mirror_source(source);
    IF place[1] = pipedrive_internal.mirror_schema(source_schema) THEN
        PERFORM pipedrive_internal.ensure_schema(place[1], format('mirrors of the Pipedrive tables in %s', source_schema::regnamespace));
    END IF;
    made := to_regclass(format('%I.%I', place[1], place[2]));
    IF made IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_table', MESSAGE = format('relation "%s" already exists', made),
            HINT = format('SELECT pipedrive.attach_mirror(%L, %L) goes on with a table that was a mirror before, and its history.', source, made);
    END IF;
    made := pipedrive_internal.create_target(source, place, info.key_column);
    PERFORM pipedrive_internal.refuse_target(source, made, info.entity);
    new_id := pipedrive_internal.begin_mirror(source, made, info.entity, info.server, NULL::integer);
    PERFORM pipedrive_internal.remember_column(new_id, NULL::name);
    PERFORM pipedrive_internal.create_views(new_id);
    RETURN made;
END
$$;
COMMENT ON FUNCTION pipedrive.create_mirror(regclass, text) IS
    'a local table with the columns of a Pipedrive foreign table, kept by sync() and webhooks; '
    'default name: <schema>_mirror.<table>; a target without a schema goes into that one; empty '
    'until the first sync()';

CREATE OR REPLACE FUNCTION pipedrive.create_mirrors(
    source_schema regnamespace, target_schema text DEFAULT NULL)
RETURNS SETOF regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
    place name := coalesce(pipedrive_internal.schema_name(target_schema), pipedrive_internal.mirror_schema(source_schema));
BEGIN
    PERFORM pipedrive_internal.ensure_schema(place, format('mirrors of the Pipedrive tables in %s', source_schema));
    FOR t IN SELECT DISTINCT k.relation, c.relname FROM pipedrive_internal.table_columns k JOIN pg_class c ON c.oid = k.relation
              JOIN pipedrive.entities e ON e.entity = k.entity AND e.mirrored
              WHERE c.relnamespace = source_schema
                AND NOT EXISTS (SELECT FROM pipedrive_internal.mirror m WHERE m.source = k.relation) ORDER BY c.relname LOOP
        RETURN NEXT pipedrive.create_mirror(t.relation, format('%I.%I', place, t.relname));
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive.create_mirrors(regnamespace, text) IS
    'create_mirror() for every Pipedrive table of a schema that has none yet and is mirrored by '
    'default (view entities); into target_schema, spelled as in SQL';

CREATE OR REPLACE FUNCTION pipedrive.drop_mirror(mirror regclass, drop_table boolean DEFAULT true)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    m pipedrive_internal.mirror;
    views regclass[];
    view regclass;
BEGIN
    SELECT * INTO m FROM pipedrive_internal.mirror x WHERE x.target = mirror OR x.source = mirror;
    IF m.mirror_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('"%s" is not mirrored', mirror);
    END IF;
    views := ARRAY(SELECT v.view FROM pipedrive_internal.mirror_view v JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v' WHERE v.mirror_id = m.mirror_id ORDER BY v.kind);
    DELETE FROM pipedrive_internal.mirror x WHERE x.mirror_id = m.mirror_id;
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
COMMENT ON FUNCTION pipedrive.drop_mirror(regclass, boolean) IS
    'ends a mirror, named by its local or foreign table, and drops the local table unless told '
    'otherwise; attach_mirror() goes on with one that was kept';
