-- One batch of each kind of reading: the first load, what changed, what was added, a small list,
-- rows by id.

-- Of a list only what is news is taken: what differs from the mirror's row, and what somebody waits
-- to have compared. The row is looked up by its id, row by row: a join might read the mirror. Most
-- runs have nobody who waits, which is asked once.
CREATE OR REPLACE FUNCTION pipedrive_internal.news_condition(m pipedrive_internal.mirror)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('((SELECT ROW(%1$s) IS DISTINCT FROM ROW(%2$s) FROM %3$s t WHERE t.%5$I = e.%5$I)
                    IS NOT FALSE
                    OR EXISTS (SELECT FROM pipedrive_internal.refetch r WHERE r.mirror_id = %4$s)
                       AND (SELECT true FROM pipedrive_internal.refetch r
                             WHERE r.mirror_id = %4$s AND r.id = e.%5$I::text)
                    OR EXISTS (SELECT FROM pipedrive_internal.bad_row b WHERE b.mirror_id = %4$s)
                       AND (SELECT true FROM pipedrive_internal.bad_row b
                             WHERE b.mirror_id = %4$s AND b.id = e.%5$I::text))',
                  pipedrive_internal.column_list(m.target, 't.'::text),
                  pipedrive_internal.column_list(m.target, 'e.'::text), m.target, m.mirror_id,
                  m.key_column)
$$;
COMMENT ON FUNCTION pipedrive_internal.news_condition(pipedrive_internal.mirror) IS
    'condition on a row "e" of the foreign table that is news to its mirror';

CREATE OR REPLACE FUNCTION pipedrive_internal.step_read(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, condition text,
    above_id bigint, pages integer)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part FROM pipedrive_internal.read_part(m, condition || ' AND ' || pipedrive_internal.news_condition(m), s.since, NULL::text[], s.walk_position, pages, above_id, false);
    PERFORM pipedrive_internal.merge_stage(m.mirror_id, to_regclass('pg_temp.pipedrive_stage'), 'sync'::text, part.asked);
    PERFORM pipedrive_internal.note_part(m, s, part.next_position, part.answered_at, part.highest_id);
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive_internal.step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.step_read(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, text, bigint, integer) IS
    'one batch of a list, newest ids first where an id is given';

-- Rows that the mirror does not have, above the ids that it knows. A hundred known rows are passed
-- again: a row may show later than one with a higher id, and single ids may be far above all
-- others. They fit into the page that is read anyway.
CREATE OR REPLACE FUNCTION pipedrive_internal.step_added(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, pages integer)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known bigint;
BEGIN
    EXECUTE format('SELECT t.%1$I FROM %2$s t WHERE t.%1$I <= $1
                     ORDER BY t.%1$I DESC OFFSET 100 LIMIT 1',
                   m.key_column, m.target) INTO known USING s.known_id;
    RETURN pipedrive_internal.step_read(
        m, s, format('(SELECT true FROM %1$s t WHERE t.%2$I = e.%2$I) IS NULL', m.target,
                     m.key_column),
        coalesce(known, 0), pages);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.step_added(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, integer) IS
    'one batch of new rows';

-- New rows where keys tell nothing of their order. A row that is archived was changed since it was
-- made, which the window shows: the list of those is not read for them.
CREATE OR REPLACE FUNCTION pipedrive_internal.step_recent(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, condition text, pages integer)
RETURNS pipedrive_internal.step
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pipedrive_internal.step_read(
        m, s, CASE WHEN 'is_archived' = ANY (pipedrive_internal.mirror_columns(m.target))
                   THEN condition || ' AND NOT is_archived' ELSE condition END,
        NULL::bigint, pages)
$$;
COMMENT ON FUNCTION pipedrive_internal.step_recent(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, text, integer) IS
    'one batch of rows by the time at which they were made';

-- The first load writes straight into the mirror: there is nothing to compare with, and its history
-- begins afterwards. What an event has brought or marked meanwhile is read by id at the end.
CREATE OR REPLACE FUNCTION pipedrive_internal.step_load(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, pages integer)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
BEGIN
    SELECT * INTO w FROM pipedrive_internal.walk(m.source, s.walk_position, pages, NULL::bigint, NULL::name,
        format('INSERT INTO %1$s AS t (%2$s, _synced_at, _source) SELECT %2$s, clock_timestamp(), ''sync'' FROM %3$s e
                     WHERE NOT EXISTS (SELECT FROM pipedrive_internal.refetch r WHERE r.mirror_id = $1 AND r.id = e.%7$I::text)
                    ON CONFLICT (%7$I) DO UPDATE SET %4$s, _synced_at = excluded._synced_at, _source = excluded._source
                     WHERE ROW(%5$s) IS DISTINCT FROM ROW(%6$s) AND t._source <> ''webhook''',
                   m.target, pipedrive_internal.column_list(m.target), m.source,
                   (SELECT string_agg(format('%1$I = excluded.%1$I', c), ', ') FROM unnest(pipedrive_internal.mirror_columns(m.target)) AS c WHERE c <> m.key_column),
                   pipedrive_internal.column_list(m.target, 't.'::text), pipedrive_internal.column_list(m.target, 'excluded.'::text), m.key_column), m.mirror_id);
    PERFORM pipedrive_internal.check_deferred();
    PERFORM pipedrive_internal.note_bad_rows(m, coalesce(w.set_aside, '[]'::jsonb));
    PERFORM pipedrive_internal.record_change_count(m.mirror_id, w.written);
    PERFORM pipedrive_internal.note_part(m, s, w.next_position, w.answered_at, w.highest_id);
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive_internal.step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.step_load(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, integer) IS
    'one batch of the first load';

CREATE OR REPLACE FUNCTION pipedrive_internal.step_full(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part
      FROM pipedrive_internal.read_part(m, pipedrive_internal.news_condition(m), NULL::timestamptz, NULL::text[],
                                NULL::text, 0, NULL::bigint, true);
    PERFORM pipedrive_internal.merge_stage(m.mirror_id, to_regclass('pg_temp.pipedrive_stage'),
                                   'sync'::text, part.asked);
    PERFORM pipedrive_internal.delete_vanished(m, part.vanished, part.answered_at, part.asked);
    UPDATE pipedrive_internal.mirror_state x SET phase = pipedrive_internal.next_phase(m, s.strategy, s.phase)
     WHERE x.mirror_id = m.mirror_id;
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive_internal.step;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.step_full(pipedrive_internal.mirror, pipedrive_internal.mirror_state) IS
    'the whole of a small list, compared with the mirror';

-- Rows that somebody asked to be read again, a hundred at a time, each once a run. What the API no
-- longer has is deleted. A row that could not be compared keeps its mark for the next run.
CREATE OR REPLACE FUNCTION pipedrive_internal.step_refetch(m pipedrive_internal.mirror)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    until bigint;
    ids text[];
    vanished text[];
BEGIN
    UPDATE pipedrive_internal.mirror_state x SET refetch_until = coalesce(x.refetch_until, nextval('pipedrive_internal.arrival')) WHERE x.mirror_id = m.mirror_id
     RETURNING x.refetch_until INTO until;
    SELECT array_agg(r.id) INTO ids
      FROM (SELECT u.id FROM (
            SELECT x.id FROM pipedrive_internal.refetch x WHERE x.mirror_id = m.mirror_id AND x.arrival < until AND NOT x.held
             UNION SELECT l.id FROM pipedrive_internal.late_mark l WHERE l.mirror_id = m.mirror_id AND l.arrival < until) AS u
             ORDER BY length(u.id), u.id LIMIT 100) AS r;
    IF ids IS NULL THEN
        RETURN ROW('done', 0, 0, 0)::pipedrive_internal.step;
    END IF;
    SELECT * INTO part FROM pipedrive_internal.read_part(m, format('%I = ANY ($2::%s[])', m.key_column, m.key_type), NULL::timestamptz, ids, NULL::text, 0, NULL::bigint, false);
    vanished := ARRAY(SELECT i FROM unnest(ids) AS i
                       WHERE i <> ALL (pipedrive_internal.staged_ids(m))
                         AND NOT EXISTS (SELECT FROM pipedrive_internal.bad_row b WHERE b.mirror_id = m.mirror_id AND b.id = i AND b.arrival >= part.asked));
    PERFORM pipedrive_internal.merge_stage(m.mirror_id, to_regclass('pg_temp.pipedrive_stage'), 'sync'::text, part.asked);
    PERFORM pipedrive_internal.delete_vanished(m, vanished, part.answered_at, part.asked);
    DELETE FROM pipedrive_internal.refetch x USING pipedrive_internal.bad_row b
     WHERE x.mirror_id = m.mirror_id AND x.id = ANY (ids) AND x.arrival < part.asked AND b.mirror_id = x.mirror_id AND b.id = x.id AND b.arrival >= part.asked;
    DELETE FROM pipedrive_internal.late_mark l WHERE l.mirror_id = m.mirror_id AND l.id = ANY (ids) AND l.arrival < part.asked;
    UPDATE pipedrive_internal.refetch x SET arrival = nextval('pipedrive_internal.arrival') WHERE x.mirror_id = m.mirror_id AND x.id = ANY (ids) AND x.arrival < part.asked AND NOT x.held;
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive_internal.step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.step_refetch(pipedrive_internal.mirror) IS
    'one batch of rows by id';
