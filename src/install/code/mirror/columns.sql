-- Which columns of a mirror are ours. Every other column belongs to whoever added it: no function
-- of ours writes, renames or drops it.

CREATE OR REPLACE FUNCTION pipedrive_internal.column_list(target regclass, prefix text DEFAULT '')
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(prefix || quote_ident(c), ', ' ORDER BY n) FROM unnest(pipedrive_internal.mirror_columns(target)) WITH ORDINALITY AS u (c, n)
$$;
COMMENT ON FUNCTION pipedrive_internal.column_list(regclass, text) IS
    'data columns of a mirror, quoted, for SQL';

CREATE OR REPLACE FUNCTION pipedrive_internal.remember_column(which integer, source_column name)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive_internal.mirror_column AS k (mirror_id, column_name, type)
    SELECT m.mirror_id, a.attname, a.atttypid
      FROM pipedrive_internal.mirror m
      JOIN pg_attribute a ON a.attrelid = m.source AND a.attnum > 0 AND NOT a.attisdropped
     WHERE m.mirror_id = which AND (source_column IS NULL OR a.attname = source_column)
        ON CONFLICT (mirror_id, column_name)
        DO UPDATE SET type = excluded.type, left_out = NULL, since = NULL
$$;
COMMENT ON FUNCTION pipedrive_internal.remember_column(integer, name) IS
    'one column of a mirror''s foreign table, or all for NULL, is kept from now on';

CREATE OR REPLACE FUNCTION pipedrive_internal.leave_out(
    which integer, source_column name, reason text)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive_internal.mirror_column AS k (mirror_id, column_name, type, left_out, since)
    SELECT m.mirror_id, a.attname, a.atttypid, reason, clock_timestamp()
      FROM pipedrive_internal.mirror m
      JOIN pg_attribute a ON a.attrelid = m.source AND a.attname = source_column
     WHERE m.mirror_id = which AND source_column <> m.key_column
        ON CONFLICT (mirror_id, column_name)
        DO UPDATE SET left_out = excluded.left_out, since = excluded.since WHERE k.left_out IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pipedrive_internal.hide_live_column(m) FROM pipedrive_internal.mirror m WHERE m.mirror_id = which;
    RAISE WARNING USING
        MESSAGE = format('column "%s" of mirror "%s" is left out', source_column,
                         (SELECT m.target FROM pipedrive_internal.mirror m WHERE m.mirror_id = which)),
        DETAIL = reason, HINT = 'The other columns go on. See pipedrive.left_out_columns.';
    RETURN true;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.leave_out(integer, name, text) IS
    'a column is not kept until refresh_schema() has found a place for it; whether that is news';

-- Once an event: in plpgsql, as that keeps the plans, and in steps, as one join of them looks up
-- each column by itself.
CREATE OR REPLACE FUNCTION pipedrive_internal.mirror_columns(target regclass) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    kept text[];
BEGIN
    SELECT * INTO m FROM pipedrive_internal.mirror x WHERE x.target = $1;
    kept := ARRAY(SELECT k.column_name FROM pipedrive_internal.mirror_column k
                   WHERE k.mirror_id = m.mirror_id AND k.left_out IS NULL
                  INTERSECT
                  SELECT s.attname FROM pg_attribute s
                   WHERE s.attrelid = m.source AND s.attnum > 0
                     AND ((array_to_string(s.attfdwoptions, ' ') LIKE '%removed=%') IS NOT TRUE
                          OR NOT EXISTS (SELECT FROM pg_options_to_table(s.attfdwoptions) AS o
                                          WHERE o.option_name = 'removed'
                                            AND o.option_value::boolean)));
    RETURN (
        SELECT array_agg(t.attname::text ORDER BY t.attnum)
          FROM pg_attribute t
         WHERE t.attrelid = m.target AND t.attnum > 0 AND t.attgenerated = ''
           AND t.attidentity <> 'a' AND t.attname::text = ANY (kept));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.mirror_columns(regclass) IS
    'columns that are kept: ours, in the mirror as well as in the foreign table, and with a field';

-- The foreign table reads NULL there, which is nothing to overwrite a value with.
CREATE OR REPLACE FUNCTION pipedrive_internal.fieldless_columns(m pipedrive_internal.mirror)
RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(k.column_name::text ORDER BY t.attnum), '{}')
      FROM pipedrive_internal.mirror_column k
      JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = k.column_name
      JOIN pipedrive_internal.table_columns x ON x.relation = m.source AND x.attname = k.column_name
     WHERE k.mirror_id = m.mirror_id AND x.removed
$$;
COMMENT ON FUNCTION pipedrive_internal.fieldless_columns(pipedrive_internal.mirror) IS
    'columns of ours whose field is gone, and that hold what there was';

-- For row by row: a row of the foreign table that does not read what is left out.
CREATE OR REPLACE FUNCTION pipedrive_internal.source_row(m pipedrive_internal.mirror) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('ROW(%s)::%s',
                  string_agg(CASE WHEN a.attname::text = ANY (pipedrive_internal.mirror_columns(m.target))
                                  THEN quote_ident(a.attname) ELSE 'NULL' END, ', '
                             ORDER BY a.attnum),
                  m.source)
      FROM pg_attribute a WHERE a.attrelid = m.source AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION pipedrive_internal.source_row(pipedrive_internal.mirror) IS
    'a row of the foreign table as an expression, with NULL for columns that are not kept';

CREATE OR REPLACE VIEW pipedrive.left_out_columns AS
SELECT m.target AS mirror, k.column_name,
       coalesce(k.left_out,
                CASE WHEN EXISTS (SELECT FROM pipedrive_internal.table_columns x
                                   WHERE x.relation = m.source AND x.attname = k.column_name
                                     AND x.removed)
                     THEN 'Its field was removed in Pipedrive: it keeps what it held.'
                     ELSE 'The mirror or its foreign table has no such column.' END) AS reason,
       k.since
  FROM pipedrive_internal.mirror_column k JOIN pipedrive_internal.mirror m USING (mirror_id)
 WHERE k.left_out IS NOT NULL
    OR NOT k.column_name::text = ANY (coalesce(pipedrive_internal.mirror_columns(m.target), '{}'));
COMMENT ON VIEW pipedrive.left_out_columns IS
    'columns that a mirror does not keep at present, and why; refresh_schema() makes room for them';
