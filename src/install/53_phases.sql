-- What a run of sync() goes through, as rows: a run has a strategy, and is at one of its phases.

CREATE TABLE sync_phase (
    strategy text,
    phase text,
    next text,
    reader text NOT NULL CHECK (reader IN ('load', 'read', 'added', 'whole', 'deleted',
                                         'refetch')),
    condition text NOT NULL,
    PRIMARY KEY (strategy, phase),
    FOREIGN KEY (strategy, next) REFERENCES sync_phase
);
COMMENT ON TABLE sync_phase IS
    'what a run does one after the other: a first load, a reload (all again), changes since the '
    'watermark, or whole: a small list at once';
COMMENT ON COLUMN sync_phase.next IS 'phase that follows; NULL: the run is done';
COMMENT ON COLUMN sync_phase.reader IS 'which step function reads';
COMMENT ON COLUMN sync_phase.condition IS
    'which rows of its list the phase reads, in SQL; $1 is the time that the run reads from';
-- Deleted rows are in two lists, and an account may refuse one of them: each is a phase of its own.
-- New rows are found by their ids, which nobody can choose; a time that clients set may be any.
-- A reload passes "deleted" as well: the watermark that it sets is beyond what was deleted
-- before, so later runs would never ask for it. It asks for all that the API still tells.
INSERT INTO sync_phase VALUES
    ('load', 'refetch', NULL, 'refetch', 'true'),
    ('load', 'load', 'refetch', 'load', 'true'),
    ('reload', 'refetch', NULL, 'refetch', 'true'),
    ('reload', 'deleted archived', 'refetch', 'deleted', 'is_archived'),
    ('reload', 'deleted', 'deleted archived', 'deleted', 'NOT is_archived'),
    ('reload', 'reload', 'deleted', 'read', 'true'),
    ('changes', 'refetch', NULL, 'refetch', 'true'),
    ('changes', 'deleted archived', 'refetch', 'deleted', 'update_time >= $1 AND is_archived'),
    ('changes', 'deleted', 'deleted archived', 'deleted', 'update_time >= $1 AND NOT is_archived'),
    ('changes', 'added', 'deleted', 'added', 'true'),
    ('changes', 'updated', 'added', 'read', 'update_time >= $1'),
    ('whole', 'refetch', NULL, 'refetch', 'true'),
    ('whole', 'full', 'refetch', 'whole', 'true');

CREATE FUNCTION _first_phase(strategy text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.phase FROM pipedrive.sync_phase p
     WHERE p.strategy = _first_phase.strategy
       AND NOT EXISTS (SELECT FROM pipedrive.sync_phase b
                        WHERE b.strategy = p.strategy AND b.next = p.phase)
$$;
COMMENT ON FUNCTION _first_phase(text) IS 'phase that a run with a strategy begins with';

-- The lists of deleted rows are passed over where the mirror has none.
CREATE FUNCTION _next_phase(m pipedrive.mirror, strategy text, phase text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE n (phase, next, readable) AS (
        SELECT p.phase, p.next, false FROM pipedrive.sync_phase p
         WHERE p.strategy = _next_phase.strategy AND p.phase = _next_phase.phase
        UNION ALL
        SELECT p.phase, p.next, p.reader <> 'deleted' OR m.deleted_source IS NOT NULL
          FROM n JOIN pipedrive.sync_phase p ON p.phase = n.next
         WHERE p.strategy = _next_phase.strategy AND NOT n.readable)
    SELECT n.phase FROM n WHERE n.readable
$$;
COMMENT ON FUNCTION _next_phase(pipedrive.mirror, text, text) IS 'what follows a phase of a run';

CREATE TYPE _step AS (status text, tokens bigint, rows bigint, pages bigint);
COMMENT ON TYPE _step IS 'what one batch of sync() did: status more, done, budget, busy or error';

-- Times in the future were not written by Pipedrive's clock, whoever wrote them.
CREATE FUNCTION _newest_change(m pipedrive.mirror, not_after timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    newest timestamptz;
BEGIN
    IF pipedrive._is_windowed(m.entity) THEN
        EXECUTE format('SELECT max(update_time) FROM %s WHERE update_time <= $1', m.target)
           INTO newest USING not_after;
    END IF;
    RETURN newest;
END
$$;
COMMENT ON FUNCTION _newest_change(pipedrive.mirror, timestamptz) IS
    'latest update_time in a mirror, of those up to a time';

CREATE FUNCTION _note_part(m pipedrive.mirror, s pipedrive.mirror_state, next_position text,
                           answered timestamptz, highest bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state x
       SET walk_position = next_position, answered_at = coalesce(x.answered_at, answered),
           run_highest_id = greatest(x.run_highest_id, highest),
           phase = CASE WHEN next_position IS NULL
                        THEN pipedrive._next_phase(m, s.strategy, s.phase) ELSE s.phase END
     WHERE x.mirror_id = m.mirror_id
$$;
COMMENT ON FUNCTION
    _note_part(pipedrive.mirror, pipedrive.mirror_state, text, timestamptz, bigint) IS
    'remembers of a part of a list where the run goes on, Pipedrive''s clock and the highest id';

-- The watermark is Pipedrive's own time: the newest change in the mirror, but not beyond its clock
-- when the run began, so that nothing that changed meanwhile is passed over. Where nothing was ever
-- changed, it is that clock or this machine's, whichever is behind. Without a Date header it is this machine's, and the time that the run
-- took is taken off the newest change.
CREATE FUNCTION _step_finish(m pipedrive.mirror, s pipedrive.mirror_state) RETURNS pipedrive._step
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state x
       SET watermark = CASE WHEN x.strategy <> 'whole' THEN
               coalesce(greatest(CASE WHEN x.watermark <= b.bound THEN x.watermark END,
                                 pipedrive._newest_change(m, b.bound) - b.taken),
                        least(b.bound, x.run_started)) END,
           known_id = greatest(x.known_id, x.run_highest_id), as_of = x.run_started,
           loaded = true, phase = NULL, walk_position = NULL, row_by_row = false,
           refetch_until = NULL, last_sync = clock_timestamp(), last_error = NULL,
           last_error_at = NULL
      FROM (SELECT coalesce(s.answered_at, s.run_started) AS bound,
                   CASE WHEN s.answered_at IS NULL
                        THEN greatest(clock_timestamp() - s.run_started, interval '0')
                        ELSE interval '0' END AS taken) AS b
     WHERE x.mirror_id = m.mirror_id;
    UPDATE pipedrive.mirror_column k SET unfilled = false
     WHERE k.mirror_id = m.mirror_id AND k.unfilled AND s.strategy <> 'changes';
    SELECT ROW('done', 0, 0, 0)::pipedrive._step
$$;
COMMENT ON FUNCTION _step_finish(pipedrive.mirror, pipedrive.mirror_state) IS 'ends a run';

-- A watermark in Pipedrive's future was made by some wrong clock: what it passed over is not
-- known, so everything is read.
CREATE FUNCTION _distrust_watermark(which integer) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state x
       SET watermark = NULL, since = NULL, walk_position = NULL,
           strategy = 'reload', phase = pipedrive._first_phase('reload'::text),
           run_highest_id = NULL
     WHERE x.mirror_id = which AND x.strategy = 'changes'
       AND x.watermark > x.answered_at + interval '1 minute'
$$;
COMMENT ON FUNCTION _distrust_watermark(integer) IS
    'makes a reload of a run whose watermark cannot be right';

-- A first load has no "deleted" phase: it begins with nothing. One that is begun anew (columns came
-- meanwhile) has rows of its first attempt, of which some may be deleted by now: it is a reload.
CREATE FUNCTION _start_run(m pipedrive.mirror, s pipedrive.mirror_state, mode text)
RETURNS pipedrive.mirror_state
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH chosen AS (
        SELECT CASE WHEN NOT pipedrive._is_windowed(m.entity) THEN 'whole'
                    WHEN s.last_sync IS NULL AND s.run_started IS NULL THEN 'load'
                    WHEN mode = 'full' OR NOT s.loaded OR s.watermark IS NULL THEN 'reload'
                    ELSE 'changes' END AS strategy)
    UPDATE pipedrive.mirror_state x
       SET strategy = c.strategy, phase = pipedrive._first_phase(c.strategy),
           since = x.watermark - m.overlap, walk_position = NULL, run_started = clock_timestamp(),
           answered_at = NULL, run_highest_id = NULL,
           run_rows = 0, run_pages = 0, run_tokens = 0, refetch_until = NULL,
           run_deleted = CASE WHEN x.reconcile_phase IS NULL THEN 0 ELSE x.run_deleted END
      FROM chosen c
     WHERE x.mirror_id = m.mirror_id RETURNING x.*
$$;
COMMENT ON FUNCTION _start_run(pipedrive.mirror, pipedrive.mirror_state, text) IS
    'begins a run: what it will read';

-- Of a list only what is news is taken: what differs from the mirror's row, and what somebody waits
-- to have compared. The row is looked up by its id, row by row: a join might read the mirror.
CREATE FUNCTION _news_condition(m pipedrive.mirror) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('((SELECT ROW(%1$s) IS DISTINCT FROM ROW(%2$s) FROM %3$s t WHERE t.id = e.id)
                    IS NOT FALSE
                    OR (SELECT true FROM pipedrive.refetch r
                         WHERE r.mirror_id = %4$s AND r.id = e.id)
                    OR (SELECT true FROM pipedrive.bad_row b
                         WHERE b.mirror_id = %4$s AND b.id = e.id))',
                  pipedrive._column_list(m.target, 't.'::text),
                  pipedrive._column_list(m.target, 'e.'::text), m.target, m.mirror_id)
$$;
COMMENT ON FUNCTION _news_condition(pipedrive.mirror) IS
    'condition on a row "e" of the foreign table that is news to its mirror';

-- Rows that the mirror does not have, above the ids that it knows. A hundred known rows are passed
-- again: a row may show later than one with a higher id, and single ids may be far above all
-- others. They fit into the page that is read anyway.
CREATE FUNCTION _step_added(m pipedrive.mirror, s pipedrive.mirror_state, pages integer)
RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known bigint;
BEGIN
    EXECUTE format('SELECT t.id FROM %s t WHERE t.id <= $1 ORDER BY t.id DESC OFFSET 100 LIMIT 1',
                   m.target) INTO known USING s.known_id;
    RETURN pipedrive._step_read(
        m, s, format('(SELECT true FROM %s t WHERE t.id = e.id) IS NULL', m.target),
        coalesce(known, 0), pages);
END
$$;
COMMENT ON FUNCTION _step_added(pipedrive.mirror, pipedrive.mirror_state, integer) IS
    'one batch of new rows';
