-- field_changes(): what an account's fields have that foreign tables do not, and the statements
-- that mend it.

CREATE OR REPLACE FUNCTION pipedrive_internal.option_changes(before jsonb, after jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(CASE WHEN b.id IS NULL THEN format('added %s %I', a.id, a.label)
                           WHEN a.id IS NULL THEN format('removed %s %I', b.id, b.label)
                           ELSE format('relabelled %s from %I to %I', a.id, b.label, a.label) END,
                      ', ' ORDER BY coalesce(a.id, b.id))
      FROM jsonb_to_recordset(before) AS b (id text, label text)
      FULL JOIN jsonb_to_recordset(after) AS a (id text, label text) ON a.id = b.id
     WHERE a.id IS NULL OR b.id IS NULL OR a.label <> b.label
$$;
COMMENT ON FUNCTION pipedrive_internal.option_changes(jsonb, jsonb) IS
    'what changed between two lists of options, in words; NULL for nothing';

CREATE OR REPLACE FUNCTION pipedrive_internal.table_changes(target regclass, live jsonb)
RETURNS TABLE (
    table_name regclass, column_name name, field text, change text, detail text, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    info record;
    kept jsonb;
    taken text[];
    labels text;
    without_custom boolean;
    work jsonb; -- the account's fields with their kept names and options
BEGIN
    SELECT c.server, c.entity INTO STRICT info
      FROM pipedrive_internal.table_columns c WHERE c.relation = target LIMIT 1;
    kept := coalesce(pipedrive_internal.stored_fields(info.server, info.entity), live);
    SELECT array_agg(c.attname::text) INTO taken
      FROM pipedrive_internal.table_columns c WHERE c.relation = target;
    -- the mode that IMPORT was given, as far as the columns show it
    SELECT CASE WHEN bool_or(c.subfield = 'id') AND bool_or(c.subfield = '') THEN 'both'
                WHEN bool_or(c.subfield = 'id') THEN 'id' ELSE 'label' END
      INTO labels
      FROM pipedrive_internal.table_columns c
     WHERE c.relation = target AND c.type IN ('enum', 'set');
    -- imported with custom_fields 'false': nobody misses them
    without_custom := NOT EXISTS (SELECT FROM pipedrive_internal.table_columns c
                                   WHERE c.relation = target AND c.type IS NOT NULL)
        AND EXISTS (SELECT FROM jsonb_to_recordset(kept) AS k (custom boolean) WHERE k.custom);

    SELECT coalesce(jsonb_agg(to_jsonb(l) || jsonb_build_object('old_name', k.name,
                                                                'old_options', k.options)), '[]')
      INTO work
      FROM jsonb_to_recordset(live)
           AS l (code text, name text, type text, custom boolean, options jsonb)
      LEFT JOIN jsonb_to_recordset(kept) AS k (code text, name text, options jsonb) USING (code);

    RETURN QUERY -- new fields
    SELECT target, n.name::name, n.field, 'added'::text, n.comment,
           format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s OPTIONS (field %L%s, type %L)',
                  target, n.name, n.sql_type, n.field,
                  CASE WHEN n.subfield <> '' THEN format(', subfield %L', n.subfield) ELSE '' END,
                  n.type)
      FROM jsonb_to_recordset(pipedrive_internal.name_columns(info.entity,
               (SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]')
                  FROM jsonb_to_recordset(work)
                       AS w (code text, name text, type text, custom boolean, options jsonb,
                             old_name text, old_options jsonb)
                 WHERE w.custom AND NOT without_custom
                   AND NOT EXISTS (SELECT FROM pipedrive_internal.table_columns c
                                    WHERE c.relation = target AND c.field = w.code)),
               labels, taken))
           AS n (name text, sql_type text, field text, subfield text, type text, comment text);

    RETURN QUERY -- standard fields that the account did not have before
    SELECT target, e.column_name::name, e.field, 'added'::text, e.comment,
           format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s%s', target, e.column_name, e.type,
                  CASE WHEN e.subfield <> ''
                       THEN format(' OPTIONS (field %L, subfield %L)', e.field, e.subfield)
                       ELSE '' END)
      FROM pipedrive.entity_columns e
      JOIN jsonb_to_recordset(work) AS w (code text) ON w.code = e.field
     WHERE e.entity = info.entity AND e.presence = 'where the account has it'
       AND NOT e.column_name = ANY (taken);

    RETURN QUERY -- fields that are gone, changed their type or came back
    SELECT target, c.attname, c.field, v.change,
           CASE v.change WHEN 'removed'
                         THEN CASE WHEN c.removed THEN 'the column is kept and reads NULL'
                                   ELSE 'queries that use the column fail' END
                         WHEN 'restored' THEN 'the field exists again'
                         ELSE format('was %s, is %s', c.type, w.type) END,
           CASE v.change WHEN 'restored'
                         THEN format('ALTER FOREIGN TABLE %s '
                                     'ALTER COLUMN %I OPTIONS (DROP removed)', target, c.attname)
                         ELSE format('ALTER FOREIGN TABLE %s DROP COLUMN %I', target, c.attname) END
      FROM pipedrive_internal.table_columns c
      LEFT JOIN jsonb_to_recordset(work) AS w (code text, type text) ON w.code = c.field
      CROSS JOIN LATERAL (SELECT CASE WHEN w.code IS NULL THEN 'removed'
                                      WHEN w.type <> c.type THEN 'retyped'
                                      WHEN c.removed THEN 'restored' END) AS v (change)
     WHERE c.relation = target AND (c.type IS NOT NULL OR c.field ~ '^[0-9a-f]{40}$')
       AND v.change IS NOT NULL;

    RETURN QUERY -- what replaces a column whose field changed its type
    SELECT target, n.name::name, n.field, 'retyped'::text, n.comment,
           format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s OPTIONS (field %L%s, type %L)',
                  target, n.name, n.sql_type, n.field,
                  CASE WHEN n.subfield <> '' THEN format(', subfield %L', n.subfield) ELSE '' END,
                  n.type)
      FROM jsonb_to_recordset(pipedrive_internal.name_columns(info.entity,
               (SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]')
                  FROM jsonb_to_recordset(work)
                       AS w (code text, name text, type text, custom boolean, options jsonb,
                             old_name text, old_options jsonb)
                 WHERE EXISTS (SELECT FROM pipedrive_internal.table_columns c
                                WHERE c.relation = target AND c.field = w.code
                                  AND c.type <> w.type)),
               labels,
               (SELECT coalesce(array_agg(c.attname::text), '{}')
                  FROM pipedrive_internal.table_columns c
                  LEFT JOIN jsonb_to_recordset(work) AS w (code text, type text)
                    ON w.code = c.field
                 WHERE c.relation = target
                   AND NOT (c.type IS NOT NULL AND w.code IS NOT NULL AND c.type <> w.type))))
           AS n (name text, sql_type text, field text, subfield text, type text, comment text);

    -- renamed fields: the column keeps its name unless told otherwise; all are named together, as
    -- they may want the same name
    RETURN QUERY
    WITH renamed AS (
        SELECT w.*
          FROM jsonb_to_recordset(work)
               AS w (code text, name text, type text, custom boolean, options jsonb,
                     old_name text, old_options jsonb)
         WHERE w.custom AND w.old_name <> w.name
           AND EXISTS (SELECT FROM pipedrive_internal.table_columns c
                        WHERE c.relation = target AND c.field = w.code AND c.type = w.type))
    SELECT target, c.attname, c.field, 'renamed'::text, format('from %I to %I', r.old_name, r.name),
           format('ALTER FOREIGN TABLE %s RENAME COLUMN %I TO %I', target, c.attname, n.name)
      FROM jsonb_to_recordset(pipedrive_internal.name_columns(info.entity,
               (SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM renamed r), labels,
               (SELECT coalesce(array_agg(o.attname::text), '{}')
                  FROM pipedrive_internal.table_columns o
                 WHERE o.relation = target AND o.field NOT IN (SELECT r.code FROM renamed r))))
           AS n (name text, field text, subfield text)
      JOIN renamed r ON r.code = n.field
      JOIN pipedrive_internal.table_columns c
        ON c.relation = target AND c.field = n.field AND c.subfield = n.subfield
     WHERE n.name <> c.attname;

    RETURN QUERY -- options: nothing to alter, labels follow once the definitions are kept
    SELECT target, (SELECT c.attname FROM pipedrive_internal.table_columns c
                     WHERE c.relation = target AND c.field = w.code ORDER BY c.attnum LIMIT 1),
           w.code, 'options'::text, pipedrive_internal.option_changes(w.old_options, w.options),
           NULL::text
      FROM jsonb_to_recordset(work)
           AS w (code text, custom boolean, options jsonb, old_name text, old_options jsonb)
     WHERE w.custom AND w.old_name IS NOT NULL
       AND pipedrive_internal.option_changes(w.old_options, w.options) IS NOT NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.table_changes(regclass, jsonb) IS
    'field_changes() of one table, given the field definitions as Pipedrive has them now';

CREATE OR REPLACE FUNCTION pipedrive.field_changes(target_schema regnamespace)
RETURNS TABLE (
    table_name regclass, column_name name, field text, change text, detail text, statement text)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH tables AS (
        SELECT DISTINCT t.relation, t.server, e.definitions
          FROM pipedrive_internal.table_columns t
          JOIN pg_class c ON c.oid = t.relation AND c.relnamespace = target_schema
          JOIN jsonb_to_recordset(pipedrive_internal.catalogue('entities'::text))
               AS e (entity text, custom_fields boolean, definitions text)
            ON e.entity = t.entity AND e.custom_fields
    ), live AS MATERIALIZED ( -- deals and deleted deals have the same
        SELECT t.server, t.definitions,
               pipedrive_internal.read_fields(t.server, t.definitions) AS fields
          FROM (SELECT DISTINCT server, definitions FROM tables) AS t
    )
    SELECT f.*
      FROM tables t
      JOIN live l ON l.server = t.server AND l.definitions = t.definitions
     CROSS JOIN LATERAL pipedrive_internal.table_changes(t.relation, l.fields) AS f
     ORDER BY f.table_name::text,
              array_position(ARRAY['removed', 'retyped', 'restored', 'renamed', 'added',
                                   'options'], f.change),
              f.column_name, f.statement DESC
$$;
COMMENT ON FUNCTION pipedrive.field_changes(regnamespace) IS
    'what changed in Pipedrive''s fields since the tables of a schema were imported or refreshed, '
    'with the statement for each; reads the definitions (10 tokens for each kind of record), '
    'changes nothing';
