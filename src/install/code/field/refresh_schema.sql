-- refresh_schema(): applies what field_changes() says, to foreign tables and their mirrors.

-- A column whose field has another type now is dropped, or where something reads it, keeps its
-- place under another name and reads NULL.
CREATE OR REPLACE FUNCTION pipedrive_internal.alter_source(
    source regclass, column_name name, statement text, may_keep boolean)
RETURNS text
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
    aside := pipedrive_internal.spare_name(source, column_name);
    EXECUTE format('ALTER FOREIGN TABLE %s RENAME COLUMN %I TO %I', source, column_name, aside);
    EXECUTE format('ALTER FOREIGN TABLE %s
                        ALTER COLUMN %I OPTIONS (DROP field, DROP type%s, ADD removed ''true'')',
                   source, aside,
                   (SELECT ', DROP subfield' FROM pipedrive_internal.table_columns k
                     WHERE k.relation = source AND k.attname = aside AND k.subfield <> ''));
    RETURN format('ALTER FOREIGN TABLE %s RENAME COLUMN %I TO %I', source, column_name, aside);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.alter_source(regclass, name, text, boolean) IS
    'one statement of refresh_schema(); a column to be dropped that something reads may be kept '
    'under another name';

CREATE OR REPLACE FUNCTION pipedrive.refresh_schema(
    target_schema regnamespace, rename_columns boolean DEFAULT false,
    drop_removed boolean DEFAULT false)
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
            CONTINUE WHEN EXISTS (SELECT FROM pipedrive_internal.table_columns k
                                   WHERE k.relation = c.table_name AND k.attname = c.column_name
                                     AND k.removed);
            statement := format('ALTER FOREIGN TABLE %s ALTER COLUMN %I OPTIONS (ADD removed %L)',
                                c.table_name, c.column_name, 'true');
        ELSIF c.change = 'renamed' AND NOT rename_columns THEN
            statement := NULL; -- the name is kept
        END IF;
        IF statement IS NOT NULL THEN
            SELECT a.attnum INTO place FROM pg_attribute a
             WHERE a.attrelid = c.table_name AND a.attname = c.column_name;
            IF statement LIKE '% DROP COLUMN %' THEN
                PERFORM pipedrive_internal.free_live_column(m, c.column_name)
                   FROM pipedrive_internal.mirror m WHERE m.source = c.table_name;
            END IF;
            statement := pipedrive_internal.alter_source(c.table_name, c.column_name, statement,
                                                         c.change = 'retyped');
            IF c.change = 'renamed' THEN
                PERFORM pipedrive_internal.follow_rename(m, c.column_name, a.attname)
                   FROM pipedrive_internal.mirror m
                   JOIN pg_attribute a ON a.attrelid = m.source AND a.attnum = place
                  WHERE m.source = c.table_name;
            END IF;
            RETURN NEXT;
        END IF;
        IF c.change IN ('added', 'retyped') AND statement LIKE '% ADD COLUMN %'
           AND c.detail IS NOT NULL THEN
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', c.table_name, c.column_name, c.detail);
        END IF;
        IF c.change = 'options' THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    PERFORM pipedrive_internal.follow_source(m.mirror_id)
       FROM pipedrive_internal.mirror m
       JOIN pg_class r ON r.oid = m.source AND r.relnamespace = target_schema;
    -- what was compared is now what is known: labels and later comparisons start from here
    PERFORM pipedrive_internal.keep_fields(t.server, t.entity, NOT rename_columns)
       FROM (SELECT DISTINCT k.server, k.entity
               FROM pipedrive_internal.table_columns k
               JOIN pg_class r ON r.oid = k.relation AND r.relnamespace = target_schema
               JOIN pipedrive.entities e ON e.entity = k.entity AND e.custom_fields) AS t;
END
$$;
COMMENT ON FUNCTION pipedrive.refresh_schema(regnamespace, boolean, boolean) IS
    'brings the foreign tables of a schema up to Pipedrive''s fields: new columns added; renamed '
    'fields keep their column name unless rename_columns; columns of removed fields are kept and '
    'read NULL unless drop_removed; a column whose field has another type now is replaced, and '
    'kept under another name where something reads it. All or nothing: an object that depends on '
    'a column to be dropped is named in the error. Mirrors follow; their old columns are renamed, '
    'not dropped';
