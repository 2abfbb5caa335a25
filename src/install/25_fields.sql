-- Field definitions that import and refresh keep: labels for lists that cannot send them, and what has changed since.

CREATE TABLE fields (
    server name NOT NULL,
    mapped_user name NOT NULL,
    entity text NOT NULL,
    fields text NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (server, mapped_user, entity)
);
COMMENT ON TABLE fields IS 'field definitions and options as last read by IMPORT FOREIGN SCHEMA or refresh_schema(); written by the library only';
COMMENT ON COLUMN fields.server IS 'foreign server';
COMMENT ON COLUMN fields.mapped_user IS 'user whose mapping read them, empty for PUBLIC';
COMMENT ON COLUMN fields.entity IS 'entity whose fields they are';
COMMENT ON COLUMN fields.fields IS 'JSON array of {code, name, type, custom, optional, options}, in ASCII so that every database can hold it';
COMMENT ON COLUMN fields.read_at IS 'when they were read from Pipedrive';
SELECT pg_catalog.pg_extension_config_dump('fields', '');

CREATE FUNCTION _read_fields(server name, entity text) RETURNS jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_read_fields';
COMMENT ON FUNCTION _read_fields(name, text) IS 'field definitions of an entity as Pipedrive has them now; costs 10 tokens a request';

CREATE FUNCTION _stored_fields(server name, entity text) RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_stored_fields';
COMMENT ON FUNCTION _stored_fields(name, text) IS 'field definitions of an entity as they were kept by import or refresh';

CREATE FUNCTION _keep_fields(server name, entity text, keep_names boolean DEFAULT false) RETURNS void
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_keep_fields';
COMMENT ON FUNCTION _keep_fields(name, text, boolean) IS 'keeps the field definitions that this session read last; with keep_names, fields stay under the names they had when they were first kept';

CREATE FUNCTION _name_columns(entity text, fields jsonb, labels text, taken text[]) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_name_columns';
COMMENT ON FUNCTION _name_columns(text, jsonb, text, text[]) IS 'columns for custom fields, with names that avoid those taken';

CREATE FUNCTION decode_record(source regclass, record jsonb, shape text DEFAULT 'rest') RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_decode_record';
COMMENT ON FUNCTION decode_record(regclass, jsonb, text) IS
    'what the columns of a foreign table would show for one record of the API: shape rest, flat (v1) or webhook; columns of which the record does not say all are left out';

CREATE FUNCTION _decode_event(source regclass, record jsonb, shape text) RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_decode_event';
COMMENT ON FUNCTION _decode_event(regclass, jsonb, text) IS 'decode_record() where a value that does not fit leaves out its column';

CREATE VIEW _table_columns AS
SELECT t.ftrelid AS relation, s.srvname AS server,
       coalesce((SELECT option_value FROM pg_catalog.pg_options_to_table(t.ftoptions) WHERE option_name = 'entity'), c.relname::text) AS entity,
       a.attname, a.attnum,
       coalesce(o.field, a.attname::text) AS field, coalesce(o.subfield, '') AS subfield, o.type, coalesce(o.removed::boolean, false) AS removed
  FROM pg_catalog.pg_foreign_table t
  JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid
  JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
  JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwname = 'pipedrive_fdw'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.ftrelid AND a.attnum > 0 AND NOT a.attisdropped
  CROSS JOIN LATERAL (
       SELECT max(option_value) FILTER (WHERE option_name = 'field') AS field,
              max(option_value) FILTER (WHERE option_name = 'subfield') AS subfield,
              max(option_value) FILTER (WHERE option_name = 'type') AS type,
              max(option_value) FILTER (WHERE option_name = 'removed') AS removed
         FROM pg_catalog.pg_options_to_table(a.attfdwoptions)) AS o;
COMMENT ON VIEW _table_columns IS 'columns of all Pipedrive foreign tables with the field each one shows';
GRANT SELECT ON _table_columns TO PUBLIC;

CREATE FUNCTION _option_changes(before jsonb, after jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(CASE WHEN b.id IS NULL THEN format('added %s %I', a.id, a.label)
                           WHEN a.id IS NULL THEN format('removed %s %I', b.id, b.label)
                           ELSE format('relabelled %s from %I to %I', a.id, b.label, a.label) END, ', ' ORDER BY coalesce(a.id, b.id))
      FROM jsonb_to_recordset(before) AS b (id text, label text)
      FULL JOIN jsonb_to_recordset(after) AS a (id text, label text) ON a.id = b.id
     WHERE a.id IS NULL OR b.id IS NULL OR a.label <> b.label
$$;
COMMENT ON FUNCTION _option_changes(jsonb, jsonb) IS 'what changed between two lists of options, in words; NULL for nothing';

CREATE FUNCTION _table_changes(target regclass, live jsonb)
RETURNS TABLE (table_name regclass, column_name name, field text, change text, detail text, statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    info record;
    kept jsonb;
    taken text[];
    labels text;
    without_custom boolean;
    work jsonb; -- the account's fields with their kept names and options
BEGIN
    SELECT c.server, c.entity INTO STRICT info FROM pipedrive._table_columns c WHERE c.relation = target LIMIT 1;
    kept := coalesce(pipedrive._stored_fields(info.server, info.entity), live);
    SELECT array_agg(c.attname::text) INTO taken FROM pipedrive._table_columns c WHERE c.relation = target;
    -- the mode that IMPORT was given, as far as the columns show it
    SELECT CASE WHEN bool_or(c.subfield = 'id') AND bool_or(c.subfield = '') THEN 'both' WHEN bool_or(c.subfield = 'id') THEN 'id' ELSE 'label' END
      INTO labels FROM pipedrive._table_columns c WHERE c.relation = target AND c.type IN ('enum', 'set');
    -- imported with custom_fields 'false': nobody misses them
    without_custom := NOT EXISTS (SELECT FROM pipedrive._table_columns c WHERE c.relation = target AND c.type IS NOT NULL)
        AND EXISTS (SELECT FROM jsonb_to_recordset(kept) AS k (custom boolean) WHERE k.custom);

    SELECT coalesce(jsonb_agg(to_jsonb(l) || jsonb_build_object('old_name', k.name, 'old_options', k.options)), '[]') INTO work
      FROM jsonb_to_recordset(live) AS l (code text, name text, type text, custom boolean, options jsonb)
      LEFT JOIN jsonb_to_recordset(kept) AS k (code text, name text, options jsonb) USING (code);

    RETURN QUERY -- new fields
    SELECT target, n.name::name, n.field, 'added'::text, n.comment,
           format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s OPTIONS (field %L%s, type %L)', target, n.name, n.sql_type, n.field,
                  CASE WHEN n.subfield <> '' THEN format(', subfield %L', n.subfield) ELSE '' END, n.type)
      FROM jsonb_to_recordset(pipedrive._name_columns(info.entity,
               (SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]') FROM jsonb_to_recordset(work) AS w (code text, name text, type text, custom boolean, options jsonb, old_name text, old_options jsonb)
                 WHERE w.custom AND NOT without_custom
                   AND NOT EXISTS (SELECT FROM pipedrive._table_columns c WHERE c.relation = target AND c.field = w.code)), labels, taken))
           AS n (name text, sql_type text, field text, subfield text, type text, comment text);

    RETURN QUERY -- standard fields that the account did not have before
    SELECT target, e.column_name::name, e.field, 'added'::text, e.comment,
           format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s%s', target, e.column_name, e.type,
                  CASE WHEN e.subfield <> '' THEN format(' OPTIONS (field %L, subfield %L)', e.field, e.subfield) ELSE '' END)
      FROM pipedrive.entity_columns e
      JOIN jsonb_to_recordset(work) AS w (code text, name text, type text, custom boolean, options jsonb, old_name text, old_options jsonb) ON w.code = e.field
     WHERE e.entity = info.entity AND e.presence = 'where the account has it' AND NOT e.column_name = ANY (taken);

    RETURN QUERY -- fields that are gone, changed their type or came back
    SELECT target, c.attname, c.field, v.change,
           CASE v.change WHEN 'removed' THEN CASE WHEN c.removed THEN 'the column is kept and reads NULL' ELSE 'queries that use the column fail' END
                         WHEN 'restored' THEN 'the field exists again' ELSE format('was %s, is %s', c.type, w.type) END,
           CASE v.change WHEN 'removed' THEN format('ALTER FOREIGN TABLE %s DROP COLUMN %I', target, c.attname)
                         WHEN 'restored' THEN format('ALTER FOREIGN TABLE %s ALTER COLUMN %I OPTIONS (DROP removed)', target, c.attname)
                         ELSE format('ALTER FOREIGN TABLE %s DROP COLUMN %I', target, c.attname) END
      FROM pipedrive._table_columns c
      LEFT JOIN jsonb_to_recordset(work) AS w (code text, name text, type text, custom boolean, options jsonb, old_name text, old_options jsonb) ON w.code = c.field
      CROSS JOIN LATERAL (SELECT CASE WHEN w.code IS NULL THEN 'removed' WHEN w.type <> c.type THEN 'retyped' WHEN c.removed THEN 'restored' END) AS v (change)
     WHERE c.relation = target AND (c.type IS NOT NULL OR c.field ~ '^[0-9a-f]{40}$') AND v.change IS NOT NULL;

    RETURN QUERY -- what replaces a column whose field changed its type
    SELECT target, n.name::name, n.field, 'retyped'::text, n.comment,
           format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s OPTIONS (field %L%s, type %L)', target, n.name, n.sql_type, n.field,
                  CASE WHEN n.subfield <> '' THEN format(', subfield %L', n.subfield) ELSE '' END, n.type)
      FROM jsonb_to_recordset(pipedrive._name_columns(info.entity,
               (SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]') FROM jsonb_to_recordset(work) AS w (code text, name text, type text, custom boolean, options jsonb, old_name text, old_options jsonb)
                 WHERE EXISTS (SELECT FROM pipedrive._table_columns c WHERE c.relation = target AND c.field = w.code AND c.type <> w.type)), labels,
               (SELECT coalesce(array_agg(c.attname::text), '{}') FROM pipedrive._table_columns c LEFT JOIN jsonb_to_recordset(work) AS w (code text, name text, type text, custom boolean, options jsonb, old_name text, old_options jsonb) ON w.code = c.field
                 WHERE c.relation = target AND NOT (c.type IS NOT NULL AND w.code IS NOT NULL AND c.type <> w.type))))
           AS n (name text, sql_type text, field text, subfield text, type text, comment text);

    RETURN QUERY -- renamed fields: the column keeps its name unless told otherwise; all are named together, as they may want the same name
    WITH renamed AS (
        SELECT w.* FROM jsonb_to_recordset(work) AS w (code text, name text, type text, custom boolean, options jsonb, old_name text, old_options jsonb)
         WHERE w.custom AND w.old_name <> w.name
           AND EXISTS (SELECT FROM pipedrive._table_columns c WHERE c.relation = target AND c.field = w.code AND c.type = w.type))
    SELECT target, c.attname, c.field, 'renamed'::text, format('from %I to %I', r.old_name, r.name),
           format('ALTER FOREIGN TABLE %s RENAME COLUMN %I TO %I', target, c.attname, n.name)
      FROM jsonb_to_recordset(pipedrive._name_columns(info.entity, (SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM renamed r), labels,
               (SELECT coalesce(array_agg(o.attname::text), '{}') FROM pipedrive._table_columns o
                 WHERE o.relation = target AND o.field NOT IN (SELECT r.code FROM renamed r))))
           AS n (name text, field text, subfield text)
      JOIN renamed r ON r.code = n.field
      JOIN pipedrive._table_columns c ON c.relation = target AND c.field = n.field AND c.subfield = n.subfield
     WHERE n.name <> c.attname;

    RETURN QUERY -- options: nothing to alter, labels follow once the definitions are kept
    SELECT target, (SELECT c.attname FROM pipedrive._table_columns c WHERE c.relation = target AND c.field = w.code ORDER BY c.attnum LIMIT 1),
           w.code, 'options'::text, pipedrive._option_changes(w.old_options, w.options), NULL::text
      FROM jsonb_to_recordset(work) AS w (code text, name text, type text, custom boolean, options jsonb, old_name text, old_options jsonb)
     WHERE w.custom AND w.old_name IS NOT NULL AND pipedrive._option_changes(w.old_options, w.options) IS NOT NULL;
END
$$;
COMMENT ON FUNCTION _table_changes(regclass, jsonb) IS
    'field_changes() of one table, given the field definitions as Pipedrive has them now';

CREATE FUNCTION field_changes(target_schema regnamespace)
RETURNS TABLE (table_name regclass, column_name name, field text, change text, detail text, statement text)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH tables AS (
        SELECT DISTINCT t.relation, t.server, e.definitions
          FROM pipedrive._table_columns t
          JOIN pg_class c ON c.oid = t.relation AND c.relnamespace = target_schema
          JOIN jsonb_to_recordset(pipedrive._catalogue('entities'::text))
               AS e (entity text, custom_fields boolean, definitions text)
            ON e.entity = t.entity AND e.custom_fields
    ), live AS MATERIALIZED ( -- deals and deleted deals have the same
        SELECT t.server, t.definitions, pipedrive._read_fields(t.server, t.definitions) AS fields
          FROM (SELECT DISTINCT server, definitions FROM tables) AS t
    )
    SELECT f.*
      FROM tables t
      JOIN live l ON l.server = t.server AND l.definitions = t.definitions
     CROSS JOIN LATERAL pipedrive._table_changes(t.relation, l.fields) AS f
     ORDER BY f.table_name::text, array_position(ARRAY['removed', 'retyped', 'restored', 'renamed', 'added', 'options'], f.change), f.column_name, f.statement DESC
$$;
COMMENT ON FUNCTION field_changes(regnamespace) IS
    'what changed in Pipedrive''s fields since the tables of a schema were imported or refreshed, with the statement for each; reads the definitions (10 tokens for each kind of record), changes nothing';

-- A column whose field has another type now is dropped, or where something reads it, keeps its place under another name and reads NULL.
CREATE FUNCTION _alter_source(source regclass, column_name name, statement text, may_keep boolean) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    aside name;
BEGIN
    EXECUTE statement;
    RETURN statement;
EXCEPTION WHEN dependent_objects_still_exist THEN
    IF NOT may_keep THEN
        RAISE;
    END IF;
    aside := pipedrive._spare_name(source, column_name);
    EXECUTE format('ALTER FOREIGN TABLE %s RENAME COLUMN %I TO %I', source, column_name, aside);
    EXECUTE format('ALTER FOREIGN TABLE %s ALTER COLUMN %I OPTIONS (DROP field, DROP type%s, ADD removed ''true'')', source, aside,
                   (SELECT ', DROP subfield' FROM pipedrive._table_columns k WHERE k.relation = source AND k.attname = aside AND k.subfield <> ''));
    RETURN format('ALTER FOREIGN TABLE %s RENAME COLUMN %I TO %I', source, column_name, aside);
END
$$;
COMMENT ON FUNCTION _alter_source(regclass, name, text, boolean) IS 'one statement of refresh_schema(); a column to be dropped that something reads may be kept under another name';

CREATE FUNCTION refresh_schema(target_schema regnamespace, rename_columns boolean DEFAULT false, drop_removed boolean DEFAULT false)
RETURNS TABLE (table_name regclass, column_name name, change text, statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
#variable_conflict use_column
DECLARE
    c record;
    place smallint;
BEGIN
    FOR c IN SELECT * FROM pipedrive.field_changes(target_schema) LOOP
        table_name := c.table_name;
        column_name := c.column_name;
        change := c.change;
        statement := c.statement;
        IF c.change = 'removed' AND NOT drop_removed THEN
            CONTINUE WHEN EXISTS (SELECT FROM pipedrive._table_columns k WHERE k.relation = c.table_name AND k.attname = c.column_name AND k.removed);
            statement := format('ALTER FOREIGN TABLE %s ALTER COLUMN %I OPTIONS (ADD removed %L)', c.table_name, c.column_name, 'true');
        ELSIF c.change = 'renamed' AND NOT rename_columns THEN
            statement := NULL; -- the name is kept
        END IF;
        IF statement IS NOT NULL THEN
            SELECT a.attnum INTO place FROM pg_attribute a WHERE a.attrelid = c.table_name AND a.attname = c.column_name;
            IF statement LIKE '% DROP COLUMN %' THEN
                PERFORM pipedrive._free_live_column(m, c.column_name) FROM pipedrive.mirror m WHERE m.source = c.table_name;
            END IF;
            statement := pipedrive._alter_source(c.table_name, c.column_name, statement, c.change = 'retyped');
            IF c.change = 'renamed' THEN
                PERFORM pipedrive._follow_rename(m, c.column_name, a.attname)
                   FROM pipedrive.mirror m JOIN pg_attribute a ON a.attrelid = m.source AND a.attnum = place WHERE m.source = c.table_name;
            END IF;
            RETURN NEXT;
        END IF;
        IF c.change IN ('added', 'retyped') AND statement LIKE '% ADD COLUMN %' AND c.detail IS NOT NULL THEN
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', c.table_name, c.column_name, c.detail);
        END IF;
        IF c.change = 'options' THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    PERFORM pipedrive._follow_source(m.mirror_id)
       FROM pipedrive.mirror m JOIN pg_class r ON r.oid = m.source AND r.relnamespace = target_schema;
    -- what was compared is now what is known: labels and later comparisons start from here
    PERFORM pipedrive._keep_fields(t.server, t.entity, NOT rename_columns)
       FROM (SELECT DISTINCT k.server, k.entity
               FROM pipedrive._table_columns k
               JOIN pg_class r ON r.oid = k.relation AND r.relnamespace = target_schema
               JOIN pipedrive.entities e ON e.entity = k.entity AND e.custom_fields) AS t;
END
$$;
COMMENT ON FUNCTION refresh_schema(regnamespace, boolean, boolean) IS
    'brings the foreign tables of a schema up to Pipedrive''s fields: new columns added; renamed fields keep their column name unless rename_columns; columns of removed fields are kept and read NULL unless drop_removed; a column whose field has another type now is replaced, and kept under another name where something reads it. All or nothing: an object that depends on a column to be dropped is named in the error. Mirrors follow; their old columns are renamed, not dropped';

CREATE FUNCTION _forget_server() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive.fields f
     USING pg_event_trigger_dropped_objects() d
     WHERE d.object_type = 'server' AND f.server = d.object_name::name;
    DELETE FROM pipedrive.server_company c
     USING pg_event_trigger_dropped_objects() d
     WHERE d.object_type = 'server' AND c.server = d.object_name::name;
    DELETE FROM pipedrive.server_account a
     USING pg_event_trigger_dropped_objects() d
     WHERE d.object_type = 'server' AND a.server = d.object_name::name;
END
$$;
COMMENT ON FUNCTION _forget_server() IS 'event trigger function: forgets the field definitions and the company of dropped servers';
CREATE EVENT TRIGGER pipedrive_forget_server ON sql_drop
    WHEN TAG IN ('DROP SERVER', 'DROP EXTENSION', 'DROP OWNED') EXECUTE FUNCTION _forget_server();
COMMENT ON EVENT TRIGGER pipedrive_forget_server IS 'forgets the field definitions and the company of dropped servers';
