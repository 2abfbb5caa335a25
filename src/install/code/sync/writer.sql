-- The writer of mirrors: what sync() read goes in here, row by row locked, compared, recorded.
--
-- One rule decides between two versions of a row: what was written after the page was requested
-- wins. No time of anybody's takes part. Every event leaves a mark in refetch with its place in
-- the order of arrival, and a page has the place at which it was requested ("asked"): a row that
-- was marked after that is left alone, and the mark has it read again.

CREATE OR REPLACE FUNCTION pipedrive_internal.marked_since(
    which integer, ids text[], asked bigint)
RETURNS text[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(r.id), '{}') FROM pipedrive_internal.refetch r
     WHERE r.mirror_id = which AND r.id = ANY (ids) AND r.arrival >= asked
$$;
COMMENT ON FUNCTION pipedrive_internal.marked_since(integer, text[], bigint) IS
    'of some rows those that something arrived about since a place in the order of arrival';

-- Rows before tombstones and by id, as events lock them in this order too. Marks are looked at
-- when the rows are held: whoever held them before has left his.
CREATE OR REPLACE FUNCTION pipedrive_internal.delete_rows(which integer, ids text[], as_of timestamptz, change_source text,
                             asked bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    kept text[];
    gone bigint;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %1$s WHERE %2$I = ANY ($1::%3$s[])
                                           ORDER BY %2$I FOR UPDATE) AS locked',
                   m.target, m.key_column, m.key_type) USING ids;
    IF asked IS NOT NULL THEN
        kept := pipedrive_internal.marked_since(which, ids, asked);
        ids := ARRAY(SELECT i FROM unnest(ids) AS i WHERE i <> ALL (kept));
    END IF;
    EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE %2$I = ANY ($1::%3$s[])
                                  RETURNING %2$I::text AS id)
                    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value,
                                                   new_value, changed_at, change_source)
                    SELECT $2, $3, id, ''is_deleted'', ''false'', ''true'', coalesce($4, now()), $5
                      FROM gone', m.target, m.key_column, m.key_type)
      USING ids, which, m.entity, as_of, change_source;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO pipedrive_internal.tombstone AS t (mirror_id, id, as_of, told_by)
    SELECT which, i, as_of, change_source FROM unnest(ids) AS i
     ORDER BY length(i), i COLLATE "C"
        ON CONFLICT (mirror_id, id) DO UPDATE
       SET as_of = CASE WHEN excluded.as_of IS NOT NULL THEN greatest(t.as_of, excluded.as_of) END,
           told_by = excluded.told_by,
           arrival = excluded.arrival, recorded_at = excluded.recorded_at;
    PERFORM pipedrive_internal.record_change_count(which, gone);
    RETURN gone;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.delete_rows(integer, text[], timestamptz, text, bigint) IS
    'deletes rows of a mirror, with tombstones and history; how many existed. as_of: Pipedrive''s '
    'time; asked: rows that something arrived about since then stay';

-- What differs is locked by id, what was marked since is let go, and the rest is recorded with the
-- value that it has under the lock, and overwritten.
CREATE OR REPLACE FUNCTION pipedrive_internal.overwrite_rows(m pipedrive_internal.mirror, stage regclass, change_source text,
                                asked bigint, ids text[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    differing text[];
    before pipedrive_internal.row_state[];
BEGIN
    EXECUTE format('SELECT array_agg(l.id::text)
                      FROM (SELECT t.%5$I AS id FROM %1$s t JOIN %2$s e ON e.%5$I = t.%5$I
                             WHERE ROW(%3$s) IS DISTINCT FROM ROW(%4$s)
                               AND ($1 IS NULL OR e.%5$I = ANY ($1::%6$s[]))
                             ORDER BY t.%5$I FOR NO KEY UPDATE OF t) AS l',
                   m.target, stage, pipedrive_internal.column_list(m.target, 't.'::text),
                   pipedrive_internal.column_list(m.target, 'e.'::text), m.key_column, m.key_type)
       INTO differing USING ids;
    IF differing IS NULL THEN
        RETURN 0;
    END IF;
    differing := ARRAY(SELECT i FROM unnest(differing) AS i
                        WHERE i <> ALL (pipedrive_internal.marked_since(m.mirror_id, differing, asked)));
    before := ARRAY(SELECT r FROM pipedrive_internal.rows_as_they_are(m.target, differing) AS r);
    EXECUTE format('UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = $1
                      FROM %3$s e WHERE e.%4$I = t.%4$I AND t.%4$I = ANY ($2::%5$s[])',
                   m.target,
                   (SELECT string_agg(format('%1$I = e.%1$I', c), ', ')
                      FROM unnest(pipedrive_internal.mirror_columns(m.target)) AS c WHERE c <> m.key_column), stage,
                   m.key_column, m.key_type)
      USING change_source, differing;
    RETURN pipedrive_internal.record_written(m.mirror_id, before, NULL::timestamptz[], change_source);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.overwrite_rows(
        pipedrive_internal.mirror, regclass, text, bigint, text[]) IS
    'rows of a mirror become as staged where they differ, of these ids or NULL for all; how many '
    'are another then';

-- A row that the owner's trigger keeps out is the owner's wish: it is not asked for again and
-- again.
CREATE OR REPLACE FUNCTION pipedrive_internal.add_rows(m pipedrive_internal.mirror, stage regclass, change_source text, asked bigint,
                          ids text[], OUT added bigint, OUT left_alone text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text[];
    made text[];
    times timestamptz[];
BEGIN
    EXECUTE format('SELECT array_agg(e.%3$I::text) FROM %1$s e
                     WHERE NOT EXISTS (SELECT FROM %2$s t WHERE t.%3$I = e.%3$I)
                       AND ($1 IS NULL OR e.%3$I = ANY ($1::%4$s[]))',
                   stage, m.target, m.key_column, m.key_type)
       INTO missing USING ids;
    added := 0;
    left_alone := ARRAY[]::text[];
    IF missing IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('WITH made AS (
                        INSERT INTO %1$s AS t (%2$s, _synced_at, _source)
                        SELECT %3$s, clock_timestamp(), $1 FROM %4$s e
                         WHERE e.%5$I = ANY ($2::%6$s[]) AND e.%5$I <> ALL ($3::%6$s[])
                         ORDER BY e.%5$I ON CONFLICT (%5$I) DO NOTHING RETURNING t.%5$I AS id)
                    SELECT array_agg(id::text) FROM made',
                   m.target, pipedrive_internal.column_list(m.target),
                   pipedrive_internal.column_list(m.target, 'e.'::text), stage, m.key_column, m.key_type)
       INTO made
      USING change_source, missing, pipedrive_internal.marked_since(m.mirror_id, missing, asked);
    EXECUTE format('SELECT array_agg(t.%3$I::text) FILTER (WHERE u.id IS NOT NULL),
                           array_agg(%1$s) FILTER (WHERE u.id IS NOT NULL),
                           coalesce(array_agg(t.%3$I::text) FILTER (WHERE u.id IS NULL), ''{}'')
                      FROM %2$s t LEFT JOIN unnest($2::%4$s[]) AS u (id) ON u.id = t.%3$I
                     WHERE t.%3$I = ANY ($1::%4$s[])',
                   CASE WHEN 'update_time' = ANY (pipedrive_internal.mirror_columns(m.target))
                        THEN 't.update_time' ELSE 'NULL::timestamptz' END, m.target, m.key_column,
                   m.key_type)
       INTO made, times, left_alone USING missing, made;
    PERFORM pipedrive_internal.record_creation(m, coalesce(made, '{}'), coalesce(times, '{}'),
                                       change_source);
    added := coalesce(cardinality(made), 0);
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.add_rows(pipedrive_internal.mirror, regclass, text, bigint, text[]) IS
    'staged rows that a mirror does not have go in, of these ids or NULL for all; those that an '
    'event made meanwhile are its own';

CREATE OR REPLACE FUNCTION pipedrive_internal.merge_rows(m pipedrive_internal.mirror, stage regclass, change_source text, asked bigint,
                            ids text[], OUT written bigint, OUT left_alone text[])
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
    pipedrive_internal.merge_rows(pipedrive_internal.mirror, regclass, text, bigint, text[]) IS
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
    left_alone text[] := ARRAY[]::text[];
    ids text[];
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
        ids := ARRAY(SELECT r ->> 'id' FROM jsonb_array_elements(part.refused) AS r);
        EXIT WHEN ids = '{}' OR part.written = 0;
    END LOOP;
    PERFORM pipedrive_internal.note_bad_rows(m, part.refused);
    EXECUTE format('DELETE FROM pipedrive_internal.bad_row b USING %s s
                     WHERE b.mirror_id = $1 AND b.id = s.%I::text AND b.arrival < $2',
                   stage, m.key_column)
      USING which, asked;
    EXECUTE format('DELETE FROM pipedrive_internal.refetch r USING %s s
                     WHERE r.mirror_id = $1 AND r.id = s.%I::text AND r.arrival < $2
                       AND r.id <> ALL ($3)', stage, m.key_column)
      USING which, asked, left_alone;
    PERFORM pipedrive_internal.record_change_count(which, written);
    RETURN written;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.merge_stage(integer, regclass, text, bigint) IS
    'staged rows go into a mirror where they differ from its own; those that something arrived '
    'about since the page was requested stay as they are, and so do those that the table refuses, '
    'which are bad rows then; how many were written';
