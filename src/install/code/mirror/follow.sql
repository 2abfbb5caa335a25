-- A mirror follows its foreign table: columns that come, go, and are renamed. What others added
-- stays.

-- A name for what has to step aside.
CREATE OR REPLACE FUNCTION pipedrive_internal.spare_name(relation regclass, base name) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.name
      FROM generate_series(1, 1600) AS n
     CROSS JOIN LATERAL (SELECT pipedrive_internal.derived_name(base::text,
                             '_old' || CASE n WHEN 1 THEN '' ELSE '_' || n END)) AS s (name)
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = relation AND a.attname = s.name)
     ORDER BY n LIMIT 1
$$;
COMMENT ON FUNCTION pipedrive_internal.spare_name(regclass, name) IS
    'a name for an old column that is free in a table';

-- What somebody filled is never dropped: an old column steps aside and is ours no more.
CREATE OR REPLACE FUNCTION pipedrive_internal.set_column_aside(
    m pipedrive_internal.mirror, column_name name)
RETURNS name
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    aside name := pipedrive_internal.spare_name(m.target, column_name);
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
    DELETE FROM pipedrive_internal.mirror_column k
     WHERE k.mirror_id = m.mirror_id AND k.column_name = set_column_aside.column_name;
    RETURN aside;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.set_column_aside(pipedrive_internal.mirror, name) IS
    'renames a column of a mirror that its foreign table does not have any more; its new name';

CREATE OR REPLACE FUNCTION pipedrive_internal.add_column(
    m pipedrive_internal.mirror, s pg_attribute)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', m.target, s.attname,
                   format_type(s.atttypid, s.atttypmod));
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', m.target, s.attname,
                   col_description(m.source, s.attnum));
    PERFORM pipedrive_internal.remember_column(m.mirror_id, s.attname);
    UPDATE pipedrive_internal.mirror_column k SET unfilled = true
     WHERE k.mirror_id = m.mirror_id AND k.column_name = s.attname;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.add_column(pipedrive_internal.mirror, pg_attribute) IS
    'adds a column of the foreign table to a mirror';

-- The key is never added: the table's own rows would have none.
CREATE OR REPLACE FUNCTION pipedrive_internal.mend_table(m pipedrive_internal.mirror)
RETURNS boolean
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text := pipedrive_internal.unwritable(m.target, m.key_column, m.key_type);
BEGIN
    IF reason LIKE 'It has no column %' THEN
        EXECUTE format('ALTER TABLE %s
                        ADD COLUMN IF NOT EXISTS _synced_at timestamptz NOT NULL DEFAULT now(),
                        ADD COLUMN IF NOT EXISTS _source text NOT NULL DEFAULT ''sync''', m.target);
        reason := pipedrive_internal.unwritable(m.target, m.key_column, m.key_type);
    END IF;
    IF reason IS NOT NULL THEN
        RAISE WARNING USING DETAIL = reason,
            MESSAGE = format('the mirror of "%s" does not follow its foreign table', m.source);
    END IF;
    RETURN reason IS NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.mend_table(pipedrive_internal.mirror) IS
    'gives a mirror its columns "_synced_at" and "_source" back; whether it can be written';

CREATE OR REPLACE FUNCTION pipedrive_internal.take_back(m pipedrive_internal.mirror) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    taken name[];
BEGIN
    WITH k AS (INSERT INTO pipedrive_internal.mirror_column (mirror_id, column_name, type)
               SELECT m.mirror_id, t.attname, t.atttypid
                 FROM pg_attribute t
                 JOIN pg_attribute s ON s.attrelid = m.source AND s.attname = t.attname
                WHERE t.attrelid = m.target AND t.attname = ANY (m.former_columns)
                   ON CONFLICT DO NOTHING RETURNING column_name)
    SELECT array_agg(column_name) INTO taken FROM k;
    IF taken IS NULL THEN
        RETURN false;
    END IF;
    UPDATE pipedrive_internal.mirror x
       SET former_columns = ARRAY(SELECT c FROM unnest(x.former_columns) AS c
                                   WHERE c <> ALL (taken))
     WHERE x.mirror_id = m.mirror_id;
    RETURN true;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.take_back(pipedrive_internal.mirror) IS
    'columns that were ours before are again once the foreign table has them; whether there are '
    'any';

-- What is missing is added, and the next sync reads everything once to fill it.
CREATE OR REPLACE FUNCTION pipedrive_internal.follow_source(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    c record;
    s pg_attribute;
    added boolean;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    IF NOT pipedrive_internal.mend_table(m) THEN
        RETURN;
    END IF;
    added := pipedrive_internal.take_back(m);
    FOR c IN SELECT k.column_name FROM pipedrive_internal.mirror_column k
               JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = k.column_name
               LEFT JOIN pg_attribute a ON a.attrelid = m.source AND a.attname = k.column_name
              WHERE k.mirror_id = which AND a.atttypid IS DISTINCT FROM k.type::oid LOOP
        PERFORM pipedrive_internal.set_column_aside(m, c.column_name);
    END LOOP;
    DELETE FROM pipedrive_internal.mirror_column k
     WHERE k.mirror_id = which
       AND NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = m.source AND a.attname = k.column_name);
    FOR c IN SELECT a.attname, t.attname IS NULL AS missing, k.left_out,
                    k.column_name IS NULL OR k.left_out IS NOT NULL AS not_kept, x.removed
               FROM pg_attribute a
               JOIN pipedrive_internal.table_columns x ON x.relation = m.source AND x.attname = a.attname
               LEFT JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = a.attname
               LEFT JOIN pipedrive_internal.mirror_column k
                 ON k.mirror_id = which AND k.column_name = a.attname
              WHERE a.attrelid = m.source ORDER BY a.attnum LOOP
        SELECT * INTO s FROM pg_attribute a WHERE a.attrelid = m.source AND a.attname = c.attname;
        IF c.missing AND NOT c.removed THEN
            PERFORM pipedrive_internal.add_column(m, s);
            added := true;
        ELSIF c.not_kept AND c.left_out IS NULL AND NOT c.missing AND NOT c.removed THEN
            PERFORM pipedrive_internal.leave_out(which, c.attname,
                'A column of this name that somebody else added is in its place.'::text);
        ELSIF c.not_kept AND NOT c.missing AND NOT c.removed
              AND c.left_out NOT LIKE 'A column of this name %' THEN
            PERFORM pipedrive_internal.remember_column(which, c.attname);
            added := true;
        END IF;
    END LOOP;
    UPDATE pipedrive_internal.mirror_column k
       SET left_out = 'Its field was removed in Pipedrive: it keeps what it held.',
           since = clock_timestamp()
     WHERE k.mirror_id = which AND k.left_out IS NULL
       AND k.column_name::text = ANY (pipedrive_internal.fieldless_columns(m));
    IF added THEN
        UPDATE pipedrive_internal.mirror_state x SET loaded = false, phase = NULL, walk_position = NULL
         WHERE x.mirror_id = which;
    END IF;
    PERFORM pipedrive_internal.renew_live_view(m);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.follow_source(integer) IS
    'our columns of a mirror as its foreign table has them; what others added stays';

-- A column that is renamed in the foreign table is renamed in its mirror and in the view beside it.
CREATE OR REPLACE FUNCTION pipedrive_internal.follow_rename(
    m pipedrive_internal.mirror, old_name name, new_name name)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live regclass := pipedrive_internal.mirror_view(m.mirror_id, 'live'::text);
BEGIN
    IF pipedrive_internal.unwritable(m.target, m.key_column, m.key_type) IS NOT NULL
       OR NOT EXISTS (SELECT FROM pipedrive_internal.mirror_column k
                     JOIN pg_attribute t ON t.attrelid = m.target AND t.attname = k.column_name
                    WHERE k.mirror_id = m.mirror_id AND k.column_name = old_name)
       OR EXISTS (SELECT FROM pg_attribute t
                   WHERE t.attrelid = m.target AND t.attname = new_name) THEN
        RETURN; -- follow_source() sees to it
    END IF;
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', m.target, old_name, new_name);
    UPDATE pipedrive_internal.mirror_column k SET column_name = new_name
     WHERE k.mirror_id = m.mirror_id AND k.column_name = old_name;
    IF EXISTS (SELECT FROM pg_attribute v WHERE v.attrelid = live AND v.attname = old_name) THEN
        EXECUTE format('ALTER VIEW %s RENAME COLUMN %I TO %I', live, old_name, new_name);
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.follow_rename(pipedrive_internal.mirror, name, name) IS
    'renames a column of a mirror as its foreign table was renamed';
