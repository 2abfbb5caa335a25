-- The writer of mirrors: what sync() read goes in here, row by row locked, compared, recorded.
--
-- One rule decides between two versions of a row: what was written after the page was requested
-- wins. No time of anybody's takes part. Every event leaves a mark in refetch with its place in
-- the order of arrival, and a page has the place at which it was requested ("asked"): a row that
-- was marked after that is left alone, and the mark has it read again.

CREATE FUNCTION _record_change_count(which integer, n bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state SET change_serial = change_serial + n
     WHERE mirror_id = which AND n > 0
$$;
COMMENT ON FUNCTION _record_change_count(integer, bigint) IS
    'counts changed rows of a mirror, so that views know that they are out of date';

-- A column that is being filled for the first time has no old value, so its filling is no change.
-- That a row is there is told by _record_creation().
CREATE FUNCTION _field_changes(which integer, old_row jsonb, new_row jsonb)
RETURNS TABLE (field text, old_value jsonb, new_value jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT d.key, d.old, d.new
      FROM (SELECT n.key, nullif(old_row -> n.key, 'null') AS old, nullif(n.value, 'null') AS new
              FROM jsonb_each(new_row) AS n) AS d
     WHERE d.new IS DISTINCT FROM d.old
       AND d.key NOT IN ('_synced_at', '_source', 'custom_fields', 'update_time', 'modified')
       AND (d.key <> 'is_deleted' OR d.old IS NOT NULL)
       AND NOT EXISTS (SELECT FROM pipedrive.mirror_column k
                        WHERE k.mirror_id = which AND k.column_name = d.key AND k.unfilled)
       AND NOT EXISTS (SELECT FROM pipedrive.refetch r
                        WHERE r.mirror_id = which AND r.id = (old_row ->> 'id')::bigint
                          AND d.old IS NULL AND r.unfilled ? d.key);
END
$$;
COMMENT ON FUNCTION _field_changes(integer, jsonb, jsonb) IS
    'what the history of a mirror tells of a row that became another: its columns with old and '
    'new value, NULL for none';

-- Not while the first load goes on: what that finds was there before.
CREATE FUNCTION _record_creation(m pipedrive.mirror, ids bigint[], at timestamptz[],
                                 change_source text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value,
                                   changed_at, change_source)
    SELECT m.mirror_id, m.entity, u.id, 'is_deleted',
           CASE WHEN EXISTS (SELECT FROM pipedrive.tombstone t
                              WHERE t.mirror_id = m.mirror_id AND t.id = u.id)
                THEN 'true'::jsonb END,
           'false', coalesce(u.at, now()), _record_creation.change_source
      FROM unnest(ids, _record_creation.at) AS u (id, at)
     WHERE EXISTS (SELECT FROM pipedrive.mirror_state s
                    WHERE s.mirror_id = m.mirror_id AND s.last_sync IS NOT NULL)
     ORDER BY u.id;
    DELETE FROM pipedrive.tombstone t WHERE t.mirror_id = m.mirror_id AND t.id = ANY (ids)
$$;
COMMENT ON FUNCTION _record_creation(pipedrive.mirror, bigint[], timestamptz[], text) IS
    'history of rows that are new in a mirror, or back after a deletion';

CREATE FUNCTION _marked_since(which integer, ids bigint[], asked bigint) RETURNS bigint[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(r.id), '{}') FROM pipedrive.refetch r
     WHERE r.mirror_id = which AND r.id = ANY (ids) AND r.arrival >= asked
$$;
COMMENT ON FUNCTION _marked_since(integer, bigint[], bigint) IS
    'of some rows those that something arrived about since a place in the order of arrival';

-- Rows before tombstones and by id, as events lock them in this order too. Marks are looked at
-- when the rows are held: whoever held them before has left his.
CREATE FUNCTION _delete_rows(which integer, ids bigint[], as_of timestamptz, change_source text,
                             asked bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    kept bigint[];
    gone bigint;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE id = ANY ($1)
                                           ORDER BY id FOR UPDATE) AS locked', m.target) USING ids;
    IF asked IS NOT NULL THEN
        kept := pipedrive._marked_since(which, ids, asked);
        ids := ARRAY(SELECT i FROM unnest(ids) AS i WHERE i <> ALL (kept));
    END IF;
    EXECUTE format('WITH gone AS (DELETE FROM %s WHERE id = ANY ($1) RETURNING id)
                    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value,
                                                   new_value, changed_at, change_source)
                    SELECT $2, $3, id, ''is_deleted'', ''false'', ''true'', coalesce($4, now()), $5
                      FROM gone', m.target)
      USING ids, which, m.entity, as_of, change_source;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO pipedrive.tombstone AS t (mirror_id, id, as_of, told_by)
    SELECT which, i, as_of, change_source FROM unnest(ids) AS i ORDER BY i
        ON CONFLICT (mirror_id, id) DO UPDATE
       SET as_of = CASE WHEN excluded.as_of IS NOT NULL THEN greatest(t.as_of, excluded.as_of) END,
           told_by = excluded.told_by,
           arrival = excluded.arrival, recorded_at = excluded.recorded_at;
    PERFORM pipedrive._record_change_count(which, gone);
    RETURN gone;
END
$$;
COMMENT ON FUNCTION _delete_rows(integer, bigint[], timestamptz, text, bigint) IS
    'deletes rows of a mirror, with tombstones and history; how many existed. as_of: Pipedrive''s '
    'time; asked: rows that something arrived about since then stay';

CREATE TYPE _row AS (id bigint, ours jsonb, others text);
COMMENT ON TYPE _row IS 'a row of a mirror: the columns that are kept, and all that others added';

CREATE FUNCTION _rows_as_they_are(target regclass, ids bigint[]) RETURNS SETOF _row
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept text[] := pipedrive._mirror_columns(target);
    others text := (SELECT string_agg('t.' || quote_ident(a.attname), ', ' ORDER BY a.attnum)
                      FROM pg_attribute a
                     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
                       AND a.attname::text <> ALL (kept || '{_synced_at,_source}'::text[]));
BEGIN
    RETURN QUERY EXECUTE format('SELECT t.id, to_jsonb(o), ROW(%s)::text
                                   FROM %s t CROSS JOIN LATERAL (SELECT %s) AS o
                                  WHERE t.id = ANY ($1)',
                                others, target, pipedrive._column_list(target, 't.'::text)) USING ids;
END
$$;
COMMENT ON FUNCTION _rows_as_they_are(regclass, bigint[]) IS 'rows of a mirror by id';

-- History tells what was really written: the owner's triggers may have made another row of it, or
-- left it as it was.
CREATE FUNCTION _record_written(which integer, before _row[], at timestamptz[], change_source text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror := (SELECT x FROM pipedrive.mirror x WHERE x.mirror_id = which);
    after pipedrive._row[] := ARRAY(SELECT r FROM pipedrive._rows_as_they_are(
                                        m.target, ARRAY(SELECT u.id FROM unnest(before) AS u)) AS r);
    changed bigint;
BEGIN
    WITH compared AS (
        SELECT o.id, o.ours AS old, n.ours AS new, o.others IS DISTINCT FROM n.others AS others_too,
               coalesce(_record_written.at[o.n], (n.ours ->> 'update_time')::timestamptz, now())
                   AS changed_at
          FROM unnest(before) WITH ORDINALITY AS o (id, ours, others, n)
          JOIN unnest(after) AS n ON n.id = o.id),
    told AS (
        INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value,
                                       changed_at, change_source)
        SELECT which, m.entity, c.id, d.field, d.old_value, d.new_value, c.changed_at,
               _record_written.change_source
          FROM compared c
         CROSS JOIN LATERAL pipedrive._field_changes(which, c.old, c.new) AS d)
    SELECT count(*) INTO changed FROM compared c WHERE c.old <> c.new OR c.others_too;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION _record_written(integer, _row[], timestamptz[], text) IS
    'history of rows that were just written, from what they were before; how many became another. '
    'at: when each changed; NULL: its update_time says so';

-- What differs is locked by id, what was marked since is let go, and the rest is recorded with the
-- value that it has under the lock, and overwritten.
CREATE FUNCTION _overwrite_rows(m pipedrive.mirror, stage regclass, change_source text,
                                asked bigint, ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    differing bigint[];
    before pipedrive._row[];
BEGIN
    EXECUTE format('SELECT array_agg(l.id)
                      FROM (SELECT t.id FROM %1$s t JOIN %2$s e ON e.id = t.id
                             WHERE ROW(%3$s) IS DISTINCT FROM ROW(%4$s)
                               AND ($1 IS NULL OR e.id = ANY ($1))
                             ORDER BY t.id FOR NO KEY UPDATE OF t) AS l',
                   m.target, stage, pipedrive._column_list(m.target, 't.'::text),
                   pipedrive._column_list(m.target, 'e.'::text)) INTO differing USING ids;
    IF differing IS NULL THEN
        RETURN 0;
    END IF;
    differing := ARRAY(SELECT i FROM unnest(differing) AS i
                        WHERE i <> ALL (pipedrive._marked_since(m.mirror_id, differing, asked)));
    before := ARRAY(SELECT r FROM pipedrive._rows_as_they_are(m.target, differing) AS r);
    EXECUTE format('UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = $1
                      FROM %3$s e WHERE e.id = t.id AND t.id = ANY ($2)',
                   m.target,
                   (SELECT string_agg(format('%1$I = e.%1$I', c), ', ')
                      FROM unnest(pipedrive._mirror_columns(m.target)) AS c WHERE c <> 'id'), stage)
      USING change_source, differing;
    RETURN pipedrive._record_written(m.mirror_id, before, NULL::timestamptz[], change_source);
END
$$;
COMMENT ON FUNCTION _overwrite_rows(pipedrive.mirror, regclass, text, bigint, bigint[]) IS
    'rows of a mirror become as staged where they differ, of these ids or NULL for all; how many '
    'are another then';

-- A row that the owner's trigger keeps out is the owner's wish: it is not asked for again and again.
CREATE FUNCTION _add_rows(m pipedrive.mirror, stage regclass, change_source text, asked bigint,
                          ids bigint[], OUT added bigint, OUT left_alone bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing bigint[];
    made bigint[];
    times timestamptz[];
BEGIN
    EXECUTE format('SELECT array_agg(e.id) FROM %1$s e
                     WHERE NOT EXISTS (SELECT FROM %2$s t WHERE t.id = e.id)
                       AND ($1 IS NULL OR e.id = ANY ($1))', stage, m.target)
       INTO missing USING ids;
    added := 0;
    left_alone := '{}';
    IF missing IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('WITH made AS (
                        INSERT INTO %1$s AS t (%2$s, _synced_at, _source)
                        SELECT %3$s, clock_timestamp(), $1 FROM %4$s e
                         WHERE e.id = ANY ($2) AND e.id <> ALL ($3)
                         ORDER BY e.id ON CONFLICT (id) DO NOTHING RETURNING t.id)
                    SELECT array_agg(id) FROM made',
                   m.target, pipedrive._column_list(m.target),
                   pipedrive._column_list(m.target, 'e.'::text), stage)
       INTO made
      USING change_source, missing, pipedrive._marked_since(m.mirror_id, missing, asked);
    EXECUTE format('SELECT array_agg(t.id) FILTER (WHERE u.id IS NOT NULL),
                           array_agg(%1$s) FILTER (WHERE u.id IS NOT NULL),
                           coalesce(array_agg(t.id) FILTER (WHERE u.id IS NULL), ''{}'')
                      FROM %2$s t LEFT JOIN unnest($2) AS u (id) ON u.id = t.id
                     WHERE t.id = ANY ($1)',
                   CASE WHEN 'update_time' = ANY (pipedrive._mirror_columns(m.target))
                        THEN 't.update_time' ELSE 'NULL::timestamptz' END, m.target)
       INTO made, times, left_alone USING missing, made;
    PERFORM pipedrive._record_creation(m, coalesce(made, '{}'), coalesce(times, '{}'),
                                       change_source);
    added := coalesce(cardinality(made), 0);
END
$$;
COMMENT ON FUNCTION _add_rows(pipedrive.mirror, regclass, text, bigint, bigint[]) IS
    'staged rows that a mirror does not have go in, of these ids or NULL for all; those that an '
    'event made meanwhile are its own';

CREATE FUNCTION _merge_rows(m pipedrive.mirror, stage regclass, change_source text, asked bigint,
                            ids bigint[], OUT written bigint, OUT left_alone bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a record;
BEGIN
    written := pipedrive._overwrite_rows(m, stage, change_source, asked, ids);
    SELECT * INTO a FROM pipedrive._add_rows(m, stage, change_source, asked, ids);
    written := written + a.added;
    left_alone := a.left_alone;
END
$$;
COMMENT ON FUNCTION _merge_rows(pipedrive.mirror, regclass, text, bigint, bigint[]) IS
    'staged rows go into a mirror, of these ids or NULL for all; how many, and which it has from '
    'an event';

-- A mark goes when its row was compared with a page that was requested after it.
CREATE FUNCTION _merge_stage(which integer, stage regclass, change_source text, asked bigint)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    part record;
    written bigint := 0;
    left_alone bigint[] := '{}';
    ids bigint[];
BEGIN
    IF stage IS NULL THEN -- there were no rows
        RETURN 0;
    END IF;
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    LOOP -- again where one row may have made room for another
        SELECT * INTO part
          FROM pipedrive._write_part(m, stage, change_source, asked, NULL::timestamptz, ids);
        written := written + part.written;
        left_alone := left_alone || part.left_alone;
        ids := ARRAY(SELECT (r ->> 'id')::bigint FROM jsonb_array_elements(part.refused) AS r);
        EXIT WHEN ids = '{}' OR part.written = 0;
    END LOOP;
    PERFORM pipedrive._note_bad_rows(m, part.refused);
    EXECUTE format('DELETE FROM pipedrive.bad_row b USING %s s
                     WHERE b.mirror_id = $1 AND b.id = s.id AND b.arrival < $2', stage)
      USING which, asked;
    EXECUTE format('DELETE FROM pipedrive.refetch r USING %s s
                     WHERE r.mirror_id = $1 AND r.id = s.id AND r.arrival < $2
                       AND r.id <> ALL ($3)', stage)
      USING which, asked, left_alone;
    PERFORM pipedrive._record_change_count(which, written);
    RETURN written;
END
$$;
COMMENT ON FUNCTION _merge_stage(integer, regclass, text, bigint) IS
    'staged rows go into a mirror where they differ from its own; those that something arrived '
    'about since the page was requested stay as they are, and so do those that the table refuses, '
    'which are bad rows then; how many were written';
