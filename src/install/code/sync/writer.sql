-- The writer of mirrors: what sync() read goes in here, row by row locked, compared, recorded.
--
-- One rule decides between two versions of a row: what was written after the page was requested
-- wins. No time of anybody's takes part. Every event leaves a mark in refetch with its place in
-- the order of arrival, and a page has the place at which it was requested ("asked"): a row that
-- was marked after that is left alone, and the mark has it read again.

CREATE OR REPLACE FUNCTION pipedrive_internal.marked_since(
    which integer, ids bigint[], asked bigint)
RETURNS bigint[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(r.id), '{}') FROM pipedrive_internal.refetch r
     WHERE r.mirror_id = which AND r.id = ANY (ids) AND r.arrival >= asked
$$;
COMMENT ON FUNCTION pipedrive_internal.marked_since(integer, bigint[], bigint) IS
    'of some rows those that something arrived about since a place in the order of arrival';

-- Rows before tombstones and by id, as events lock them in this order too. Marks are looked at
-- when the rows are held: whoever held them before has left his.
CREATE OR REPLACE FUNCTION pipedrive_internal.delete_rows(which integer, ids bigint[], as_of timestamptz, change_source text,
                             asked bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    kept bigint[];
    gone bigint;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE id = ANY ($1)
                                           ORDER BY id FOR UPDATE) AS locked', m.target) USING ids;
    IF asked IS NOT NULL THEN
        kept := pipedrive_internal.marked_since(which, ids, asked);
        ids := ARRAY(SELECT i FROM unnest(ids) AS i WHERE i <> ALL (kept));
    END IF;
    EXECUTE format('WITH gone AS (DELETE FROM %s WHERE id = ANY ($1) RETURNING id)
                    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value,
                                                   new_value, changed_at, change_source)
                    SELECT $2, $3, id, ''is_deleted'', ''false'', ''true'', coalesce($4, now()), $5
                      FROM gone', m.target)
      USING ids, which, m.entity, as_of, change_source;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO pipedrive_internal.tombstone AS t (mirror_id, id, as_of, told_by)
    SELECT which, i, as_of, change_source FROM unnest(ids) AS i ORDER BY i
        ON CONFLICT (mirror_id, id) DO UPDATE
       SET as_of = CASE WHEN excluded.as_of IS NOT NULL THEN greatest(t.as_of, excluded.as_of) END,
           told_by = excluded.told_by,
           arrival = excluded.arrival, recorded_at = excluded.recorded_at;
    PERFORM pipedrive_internal.record_change_count(which, gone);
    RETURN gone;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.delete_rows(integer, bigint[], timestamptz, text, bigint) IS
    'deletes rows of a mirror, with tombstones and history; how many existed. as_of: Pipedrive''s '
    'time; asked: rows that something arrived about since then stay';

-- What differs is locked by id, what was marked since is let go, and the rest is recorded with the
-- value that it has under the lock, and overwritten.
CREATE OR REPLACE FUNCTION pipedrive_internal.overwrite_rows(m pipedrive_internal.mirror, stage regclass, change_source text,
                                asked bigint, ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    differing bigint[];
    before pipedrive_internal.row_state[];
BEGIN
    EXECUTE format('SELECT array_agg(l.id)
                      FROM (SELECT t.id FROM %1$s t JOIN %2$s e ON e.id = t.id
                             WHERE ROW(%3$s) IS DISTINCT FROM ROW(%4$s)
                               AND ($1 IS NULL OR e.id = ANY ($1))
                             ORDER BY t.id FOR NO KEY UPDATE OF t) AS l',
                   m.target, stage, pipedrive_internal.column_list(m.target, 't.'::text),
                   pipedrive_internal.column_list(m.target, 'e.'::text)) INTO differing USING ids;
    IF differing IS NULL THEN
        RETURN 0;
    END IF;
    differing := ARRAY(SELECT i FROM unnest(differing) AS i
                        WHERE i <> ALL (pipedrive_internal.marked_since(m.mirror_id, differing, asked)));
    before := ARRAY(SELECT r FROM pipedrive_internal.rows_as_they_are(m.target, differing) AS r);
    EXECUTE format('UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = $1
                      FROM %3$s e WHERE e.id = t.id AND t.id = ANY ($2)',
                   m.target,
                   (SELECT string_agg(format('%1$I = e.%1$I', c), ', ')
                      FROM unnest(pipedrive_internal.mirror_columns(m.target)) AS c WHERE c <> 'id'), stage)
      USING change_source, differing;
    RETURN pipedrive_internal.record_written(m.mirror_id, before, NULL::timestamptz[], change_source);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.overwrite_rows(
        pipedrive_internal.mirror, regclass, text, bigint, bigint[]) IS
    'rows of a mirror become as staged where they differ, of these ids or NULL for all; how many '
    'are another then';

-- A row that the owner's trigger keeps out is the owner's wish: it is not asked for again and
-- again.
CREATE OR REPLACE FUNCTION pipedrive_internal.add_rows(m pipedrive_internal.mirror, stage regclass, change_source text, asked bigint,
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
    left_alone := ARRAY[]::bigint[];
    IF missing IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('WITH made AS (
                        INSERT INTO %1$s AS t (%2$s, _synced_at, _source)
                        SELECT %3$s, clock_timestamp(), $1 FROM %4$s e
                         WHERE e.id = ANY ($2) AND e.id <> ALL ($3)
                         ORDER BY e.id ON CONFLICT (id) DO NOTHING RETURNING t.id)
                    SELECT array_agg(id) FROM made',
                   m.target, pipedrive_internal.column_list(m.target),
                   pipedrive_internal.column_list(m.target, 'e.'::text), stage)
       INTO made
      USING change_source, missing, pipedrive_internal.marked_since(m.mirror_id, missing, asked);
    EXECUTE format('SELECT array_agg(t.id) FILTER (WHERE u.id IS NOT NULL),
                           array_agg(%1$s) FILTER (WHERE u.id IS NOT NULL),
                           coalesce(array_agg(t.id) FILTER (WHERE u.id IS NULL), ''{}'')
                      FROM %2$s t LEFT JOIN unnest($2) AS u (id) ON u.id = t.id
                     WHERE t.id = ANY ($1)',
                   CASE WHEN 'update_time' = ANY (pipedrive_internal.mirror_columns(m.target))
                        THEN 't.update_time' ELSE 'NULL::timestamptz' END, m.target)
       INTO made, times, left_alone USING missing, made;
    PERFORM pipedrive_internal.record_creation(m, coalesce(made, '{}'), coalesce(times, '{}'),
                                       change_source);
    added := coalesce(cardinality(made), 0);
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.add_rows(pipedrive_internal.mirror, regclass, text, bigint, bigint[]) IS
    'staged rows that a mirror does not have go in, of these ids or NULL for all; those that an '
    'event made meanwhile are its own';

CREATE OR REPLACE FUNCTION pipedrive_internal.merge_rows(m pipedrive_internal.mirror, stage regclass, change_source text, asked bigint,
                            ids bigint[], OUT written bigint, OUT left_alone bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a record;
BEGIN
    written := pipedrive_internal.overwrite_rows(m, stage, change_source, asked, ids);
    SELECT * INTO a FROM pipedrive_internal.add_rows(m, stage, change_source, asked, ids);
    written := written + a.added;
    left_alone := a.left_alone;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.merge_rows(pipedrive_internal.mirror, regclass, text, bigint, bigint[]) IS
    'staged rows go into a mirror, of these ids or NULL for all; how many, and which it has from '
    'an event';

-- A mark goes when its row was compared with a page that was requested after it.
CREATE OR REPLACE FUNCTION pipedrive_internal.merge_stage(
    which integer, stage regclass, change_source text, asked bigint)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    part record;
    written bigint := 0;
    left_alone bigint[] := ARRAY[]::bigint[];
    ids bigint[];
BEGIN
    IF stage IS NULL THEN -- there were no rows
        RETURN 0;
    END IF;
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    LOOP -- again where one row may have made room for another
        SELECT * INTO part
          FROM pipedrive_internal.write_part(m, stage, change_source, asked, NULL::timestamptz, ids);
        written := written + part.written;
        left_alone := left_alone || part.left_alone;
        ids := ARRAY(SELECT (r ->> 'id')::bigint FROM jsonb_array_elements(part.refused) AS r);
        EXIT WHEN ids = '{}' OR part.written = 0;
    END LOOP;
    PERFORM pipedrive_internal.note_bad_rows(m, part.refused);
    EXECUTE format('DELETE FROM pipedrive_internal.bad_row b USING %s s
                     WHERE b.mirror_id = $1 AND b.id = s.id AND b.arrival < $2', stage)
      USING which, asked;
    EXECUTE format('DELETE FROM pipedrive_internal.refetch r USING %s s
                     WHERE r.mirror_id = $1 AND r.id = s.id AND r.arrival < $2
                       AND r.id <> ALL ($3)', stage)
      USING which, asked, left_alone;
    PERFORM pipedrive_internal.record_change_count(which, written);
    RETURN written;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.merge_stage(integer, regclass, text, bigint) IS
    'staged rows go into a mirror where they differ from its own; those that something arrived '
    'about since the page was requested stay as they are, and so do those that the table refuses, '
    'which are bad rows then; how many were written';
