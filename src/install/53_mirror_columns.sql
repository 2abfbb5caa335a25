-- Which columns of a mirror are ours. Every other column belongs to whoever added it: no function
-- of ours writes, renames or drops it.

CREATE TABLE mirror_column (
    mirror_id integer NOT NULL REFERENCES mirror ON DELETE CASCADE,
    column_name name NOT NULL,
    type regtype NOT NULL,
    left_out text,
    since timestamptz,
    unfilled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (mirror_id, column_name)
);
COMMENT ON TABLE mirror_column IS 'columns of a mirror that are kept as its foreign table has them';
COMMENT ON COLUMN mirror_column.type IS 'type that the foreign table gave it';
COMMENT ON COLUMN mirror_column.left_out IS 'why it is not kept at present; the others are';
COMMENT ON COLUMN mirror_column.unfilled IS
    'added since the mirror was last read as a whole: its filling is no change of its rows';
SELECT pg_catalog.pg_extension_config_dump('mirror_column', '');
GRANT SELECT ON mirror_column TO PUBLIC; -- as mirror: whoever may see a mirror may know its columns

CREATE FUNCTION _remember_column(which integer, source_column name) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive.mirror_column AS k (mirror_id, column_name, type)
    SELECT m.mirror_id, a.attname, a.atttypid
      FROM pipedrive.mirror m
      JOIN pg_attribute a ON a.attrelid = m.source AND a.attnum > 0 AND NOT a.attisdropped
     WHERE m.mirror_id = which AND (source_column IS NULL OR a.attname = source_column)
        ON CONFLICT (mirror_id, column_name)
        DO UPDATE SET type = excluded.type, left_out = NULL, since = NULL
$$;
COMMENT ON FUNCTION _remember_column(integer, name) IS
    'one column of a mirror''s foreign table, or all for NULL, is kept from now on';

CREATE FUNCTION _leave_out(which integer, source_column name, reason text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive.mirror_column AS k (mirror_id, column_name, type, left_out, since)
    SELECT m.mirror_id, a.attname, a.atttypid, reason, clock_timestamp()
      FROM pipedrive.mirror m
      JOIN pg_attribute a ON a.attrelid = m.source AND a.attname = source_column
     WHERE m.mirror_id = which AND source_column <> 'id'
        ON CONFLICT (mirror_id, column_name)
        DO UPDATE SET left_out = excluded.left_out, since = excluded.since WHERE k.left_out IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pipedrive._hide_live_column(m) FROM pipedrive.mirror m WHERE m.mirror_id = which;
    RAISE WARNING USING
        MESSAGE = format('column "%s" of mirror "%s" is left out', source_column,
                         (SELECT m.target FROM pipedrive.mirror m WHERE m.mirror_id = which)),
        DETAIL = reason, HINT = 'The other columns go on. See pipedrive.left_out_columns.';
    RETURN true;
END
$$;
COMMENT ON FUNCTION _leave_out(integer, name, text) IS
    'a column is not kept until refresh_schema() has found a place for it; whether that is news';

-- Once an event: in plpgsql, as that keeps the plans, and in steps, as one join of them looks up each
-- column by itself.
CREATE FUNCTION _mirror_columns(target regclass) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    kept text[];
BEGIN
    SELECT * INTO m FROM pipedrive.mirror x WHERE x.target = $1;
    kept := ARRAY(SELECT k.column_name FROM pipedrive.mirror_column k
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
COMMENT ON FUNCTION _mirror_columns(regclass) IS
    'columns that are kept: ours, in the mirror as well as in the foreign table, and with a field';

-- The foreign table reads NULL there, which is nothing to overwrite a value with.
CREATE FUNCTION _fieldless_columns(m pipedrive.mirror) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(k.column_name::text ORDER BY t.attnum), '{}')
      FROM pipedrive.mirror_column k
      JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = k.column_name
      JOIN pipedrive._table_columns x ON x.relation = m.source AND x.attname = k.column_name
     WHERE k.mirror_id = m.mirror_id AND x.removed
$$;
COMMENT ON FUNCTION _fieldless_columns(pipedrive.mirror) IS
    'columns of ours whose field is gone, and that hold what there was';

-- For row by row: a row of the foreign table that does not read what is left out.
CREATE FUNCTION _source_row(m pipedrive.mirror) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('ROW(%s)::%s',
                  string_agg(CASE WHEN a.attname::text = ANY (pipedrive._mirror_columns(m.target))
                                  THEN quote_ident(a.attname) ELSE 'NULL' END, ', '
                             ORDER BY a.attnum),
                  m.source)
      FROM pg_attribute a WHERE a.attrelid = m.source AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION _source_row(pipedrive.mirror) IS
    'a row of the foreign table as an expression, with NULL for columns that are not kept';

CREATE VIEW left_out_columns AS
SELECT m.target AS mirror, k.column_name,
       coalesce(k.left_out,
                CASE WHEN EXISTS (SELECT FROM _table_columns x
                                   WHERE x.relation = m.source AND x.attname = k.column_name
                                     AND x.removed)
                     THEN 'Its field was removed in Pipedrive: it keeps what it held.'
                     ELSE 'The mirror or its foreign table has no such column.' END) AS reason,
       k.since
  FROM mirror_column k JOIN mirror m USING (mirror_id)
 WHERE k.left_out IS NOT NULL
    OR NOT k.column_name::text = ANY (coalesce(_mirror_columns(m.target), '{}'));
COMMENT ON VIEW left_out_columns IS
    'columns that a mirror does not keep at present, and why; refresh_schema() makes room for them';
GRANT SELECT ON left_out_columns TO PUBLIC;

-- A name for what has to step aside.
CREATE FUNCTION _spare_name(relation regclass, base name) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.name
      FROM generate_series(1, 1600) AS n
     CROSS JOIN LATERAL (SELECT pipedrive._derived_name(base::text,
                             '_old' || CASE n WHEN 1 THEN '' ELSE '_' || n END)) AS s (name)
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = relation AND a.attname = s.name)
     ORDER BY n LIMIT 1
$$;
COMMENT ON FUNCTION _spare_name(regclass, name) IS
    'a name for an old column that is free in a table';

-- What somebody filled is never dropped: an old column steps aside and is ours no more.
CREATE FUNCTION _set_column_aside(m pipedrive.mirror, column_name name) RETURNS name
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    aside name := pipedrive._spare_name(m.target, column_name);
BEGIN
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', m.target, column_name, aside);
    IF NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a
                       ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                    WHERE i.indrelid = m.target AND i.indisprimary AND a.attname = aside) THEN
        -- nobody fills it any more
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', m.target, aside);
    END IF;
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', m.target, aside,
                   format('what column %I held until %s; no longer kept', column_name,
                          to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')));
    DELETE FROM pipedrive.mirror_column k
     WHERE k.mirror_id = m.mirror_id AND k.column_name = _set_column_aside.column_name;
    RETURN aside;
END
$$;
COMMENT ON FUNCTION _set_column_aside(pipedrive.mirror, name) IS
    'renames a column of a mirror that its foreign table does not have any more; its new name';

CREATE FUNCTION _add_column(m pipedrive.mirror, s pg_attribute) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', m.target, s.attname,
                   format_type(s.atttypid, s.atttypmod));
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', m.target, s.attname,
                   col_description(m.source, s.attnum));
    PERFORM pipedrive._remember_column(m.mirror_id, s.attname);
    UPDATE pipedrive.mirror_column k SET unfilled = true
     WHERE k.mirror_id = m.mirror_id AND k.column_name = s.attname;
END
$$;
COMMENT ON FUNCTION _add_column(pipedrive.mirror, pg_attribute) IS
    'adds a column of the foreign table to a mirror';

-- "id" is never added: the table's own rows would have none.
CREATE FUNCTION _mend_table(m pipedrive.mirror) RETURNS boolean
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text := pipedrive._unwritable(m.target);
BEGIN
    IF reason LIKE 'It has no column %' THEN
        EXECUTE format('ALTER TABLE %s
                        ADD COLUMN IF NOT EXISTS _synced_at timestamptz NOT NULL DEFAULT now(),
                        ADD COLUMN IF NOT EXISTS _source text NOT NULL DEFAULT ''sync''', m.target);
        reason := pipedrive._unwritable(m.target);
    END IF;
    IF reason IS NOT NULL THEN
        RAISE WARNING USING DETAIL = reason,
            MESSAGE = format('the mirror of "%s" does not follow its foreign table', m.source);
    END IF;
    RETURN reason IS NULL;
END
$$;
COMMENT ON FUNCTION _mend_table(pipedrive.mirror) IS
    'gives a mirror its columns "_synced_at" and "_source" back; whether it can be written';

CREATE FUNCTION _take_back(m pipedrive.mirror) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    taken name[];
BEGIN
    WITH k AS (INSERT INTO pipedrive.mirror_column (mirror_id, column_name, type)
               SELECT m.mirror_id, t.attname, t.atttypid
                 FROM pg_attribute t
                 JOIN pg_attribute s ON s.attrelid = m.source AND s.attname = t.attname
                WHERE t.attrelid = m.target AND t.attname = ANY (m.former_columns)
                   ON CONFLICT DO NOTHING RETURNING column_name)
    SELECT array_agg(column_name) INTO taken FROM k;
    IF taken IS NULL THEN
        RETURN false;
    END IF;
    UPDATE pipedrive.mirror x
       SET former_columns = ARRAY(SELECT c FROM unnest(x.former_columns) AS c
                                   WHERE c <> ALL (taken))
     WHERE x.mirror_id = m.mirror_id;
    RETURN true;
END
$$;
COMMENT ON FUNCTION _take_back(pipedrive.mirror) IS
    'columns that were ours before are again once the foreign table has them; whether there are any';

-- What is missing is added, and the next sync reads everything once to fill it.
CREATE FUNCTION _follow_source(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    c record;
    s pg_attribute;
    added boolean;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    IF NOT pipedrive._mend_table(m) THEN
        RETURN;
    END IF;
    added := pipedrive._take_back(m);
    FOR c IN SELECT k.column_name FROM pipedrive.mirror_column k
               JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = k.column_name
               LEFT JOIN pg_attribute a ON a.attrelid = m.source AND a.attname = k.column_name
              WHERE k.mirror_id = which AND a.atttypid IS DISTINCT FROM k.type::oid LOOP
        PERFORM pipedrive._set_column_aside(m, c.column_name);
    END LOOP;
    DELETE FROM pipedrive.mirror_column k
     WHERE k.mirror_id = which
       AND NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = m.source AND a.attname = k.column_name);
    FOR c IN SELECT a.attname, t.attname IS NULL AS missing, k.left_out,
                    k.column_name IS NULL OR k.left_out IS NOT NULL AS not_kept, x.removed
               FROM pg_attribute a
               JOIN pipedrive._table_columns x ON x.relation = m.source AND x.attname = a.attname
               LEFT JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = a.attname
               LEFT JOIN pipedrive.mirror_column k
                 ON k.mirror_id = which AND k.column_name = a.attname
              WHERE a.attrelid = m.source ORDER BY a.attnum LOOP
        SELECT * INTO s FROM pg_attribute a WHERE a.attrelid = m.source AND a.attname = c.attname;
        IF c.missing AND NOT c.removed THEN
            PERFORM pipedrive._add_column(m, s);
            added := true;
        ELSIF c.not_kept AND c.left_out IS NULL AND NOT c.missing AND NOT c.removed THEN
            PERFORM pipedrive._leave_out(which, c.attname,
                'A column of this name that somebody else added is in its place.'::text);
        ELSIF c.not_kept AND NOT c.missing AND NOT c.removed
              AND c.left_out NOT LIKE 'A column of this name %' THEN
            PERFORM pipedrive._remember_column(which, c.attname);
            added := true;
        END IF;
    END LOOP;
    UPDATE pipedrive.mirror_column k
       SET left_out = 'Its field was removed in Pipedrive: it keeps what it held.',
           since = clock_timestamp()
     WHERE k.mirror_id = which AND k.left_out IS NULL
       AND k.column_name::text = ANY (pipedrive._fieldless_columns(m));
    IF added THEN
        UPDATE pipedrive.mirror_state x SET loaded = false, phase = NULL, walk_position = NULL
         WHERE x.mirror_id = which;
    END IF;
    PERFORM pipedrive._renew_live_view(m);
END
$$;
COMMENT ON FUNCTION _follow_source(integer) IS
    'our columns of a mirror as its foreign table has them; what others added stays';

-- A column that is renamed in the foreign table is renamed in its mirror and in the view beside it.
CREATE FUNCTION _follow_rename(m pipedrive.mirror, old_name name, new_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live regclass := pipedrive._mirror_view(m.mirror_id, 'live'::text);
BEGIN
    IF pipedrive._unwritable(m.target) IS NOT NULL
       OR NOT EXISTS (SELECT FROM pipedrive.mirror_column k
                     JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = k.column_name
                    WHERE k.mirror_id = m.mirror_id AND k.column_name = old_name)
       OR EXISTS (SELECT FROM pg_attribute t
                   WHERE t.attrelid = m.target AND t.attname = new_name) THEN
        RETURN; -- _follow_source() sees to it
    END IF;
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', m.target, old_name, new_name);
    UPDATE pipedrive.mirror_column k SET column_name = new_name
     WHERE k.mirror_id = m.mirror_id AND k.column_name = old_name;
    IF EXISTS (SELECT FROM pg_attribute v WHERE v.attrelid = live AND v.attname = old_name) THEN
        EXECUTE format('ALTER VIEW %s RENAME COLUMN %I TO %I', live, old_name, new_name);
    END IF;
END
$$;
COMMENT ON FUNCTION _follow_rename(pipedrive.mirror, name, name) IS
    'renames a column of a mirror as its foreign table was renamed';
