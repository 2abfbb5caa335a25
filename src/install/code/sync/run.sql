-- A run from its start to its end: what it will read, where it is, and up to when the mirror is
-- complete then.

-- New rows are found by their keys where these are integers, else by their times where the list can
-- be read newest first.
CREATE OR REPLACE FUNCTION pipedrive_internal.columns_to_read(entity_name text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH e AS (
        SELECT k.key_column, k.key_type = 'bigint' AS numbered,
               coalesce(array_agg(c.column_name), '{}') AS pushed
          FROM pipedrive.entities k
          LEFT JOIN pipedrive.entity_columns c ON c.entity = k.entity AND c.parameter IS NOT NULL
         WHERE k.entity = entity_name GROUP BY k.key_column, k.key_type)
    SELECT CASE WHEN 'update_time' = ANY (e.pushed) AND e.numbered
                    THEN ARRAY[e.key_column, 'update_time']
                WHEN '{update_time,add_time}' <@ e.pushed
                    THEN ARRAY[e.key_column, 'update_time', 'add_time']
                ELSE ARRAY[e.key_column] END
      FROM e
$$;
COMMENT ON FUNCTION pipedrive_internal.columns_to_read(text) IS
    'columns that a mirror of an entity needs: the key, and by which changed and new rows are read';

CREATE OR REPLACE FUNCTION pipedrive_internal.is_windowed(entity_name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'update_time' = ANY (pipedrive_internal.columns_to_read(entity_name))
$$;
COMMENT ON FUNCTION pipedrive_internal.is_windowed(text) IS
    'whether the API can list what changed since a time, and what is new; other entities are small '
    'and read whole';

-- Pages that a batch may read: each costs at most the dearest list of the entity.
CREATE OR REPLACE FUNCTION pipedrive_internal.pages_for(entity_name text, budget bigint)
RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN budget IS NULL THEN 20 ELSE least(20, budget / max(t::bigint))::integer END
      FROM pipedrive.entities e, unnest(string_to_array(e.tokens_per_request, ', ')) AS t WHERE e.entity = entity_name
$$;
COMMENT ON FUNCTION pipedrive_internal.pages_for(text, bigint) IS
    'pages that fit a budget of tokens, at most 20';

-- Times in the future were not written by Pipedrive's clock, whoever wrote them.
CREATE OR REPLACE FUNCTION pipedrive_internal.newest_change(
    m pipedrive_internal.mirror, not_after timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    newest timestamptz;
BEGIN
    IF pipedrive_internal.is_windowed(m.entity) THEN
        EXECUTE format('SELECT max(update_time) FROM %s WHERE update_time <= $1', m.target)
           INTO newest USING not_after;
    END IF;
    RETURN newest;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.newest_change(pipedrive_internal.mirror, timestamptz) IS
    'latest update_time in a mirror, of those up to a time';

-- A first load has no "deleted" phase: it begins with nothing. One that is begun anew (columns came
-- meanwhile) has rows of its first attempt, of which some may be deleted by now: it is a reload.
CREATE OR REPLACE FUNCTION pipedrive_internal.start_run(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, mode text)
RETURNS pipedrive_internal.mirror_state
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH chosen AS (
        SELECT CASE WHEN NOT pipedrive_internal.is_windowed(m.entity) THEN 'whole'
                    WHEN s.last_sync IS NULL AND s.run_started IS NULL THEN 'load'
                    WHEN mode = 'full' OR NOT s.loaded OR s.watermark IS NULL THEN 'reload'
                    ELSE 'changes' END AS strategy)
    UPDATE pipedrive_internal.mirror_state x
       SET strategy = c.strategy, phase = pipedrive_internal.first_phase(c.strategy),
           since = x.watermark - m.overlap, walk_position = NULL, run_started = clock_timestamp(),
           answered_at = NULL, run_highest_id = NULL,
           run_rows = 0, run_pages = 0, run_tokens = 0, refetch_until = NULL,
           run_deleted = CASE WHEN x.reconcile_phase IS NULL THEN 0 ELSE x.run_deleted END
      FROM chosen c
     WHERE x.mirror_id = m.mirror_id RETURNING x.*
$$;
COMMENT ON FUNCTION pipedrive_internal.start_run(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, text) IS
    'begins a run: what it will read';

CREATE OR REPLACE FUNCTION pipedrive_internal.note_part(m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, next_position text,
                           answered timestamptz, highest bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive_internal.mirror_state x
       SET walk_position = next_position, answered_at = coalesce(x.answered_at, answered),
           run_highest_id = greatest(x.run_highest_id, highest),
           phase = CASE WHEN next_position IS NULL
                        THEN pipedrive_internal.next_phase(m, s.strategy, s.phase) ELSE s.phase END
     WHERE x.mirror_id = m.mirror_id
$$;
COMMENT ON FUNCTION pipedrive_internal.note_part(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, text, timestamptz, bigint) IS
    'remembers of a part of a list where the run goes on, Pipedrive''s clock and the highest id';

-- A watermark in Pipedrive's future was made by some wrong clock: what it passed over is not
-- known, so everything is read.
CREATE OR REPLACE FUNCTION pipedrive_internal.distrust_watermark(which integer) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive_internal.mirror_state x
       SET watermark = NULL, since = NULL, walk_position = NULL,
           strategy = 'reload', phase = pipedrive_internal.first_phase('reload'::text),
           run_highest_id = NULL
     WHERE x.mirror_id = which AND x.strategy = 'changes'
       AND x.watermark > x.answered_at + interval '1 minute'
$$;
COMMENT ON FUNCTION pipedrive_internal.distrust_watermark(integer) IS
    'makes a reload of a run whose watermark cannot be right';

CREATE OR REPLACE FUNCTION pipedrive_internal.count_tokens(
    which integer, step pipedrive_internal.step)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive_internal.mirror_state x
       SET run_rows = x.run_rows + step.rows, run_pages = x.run_pages + step.pages, run_tokens = x.run_tokens + step.tokens,
           tokens_today = CASE WHEN x.token_day = pipedrive_internal.today() THEN x.tokens_today ELSE 0 END + step.tokens, token_day = pipedrive_internal.today()
     WHERE x.mirror_id = which
$$;
COMMENT ON FUNCTION pipedrive_internal.count_tokens(integer, pipedrive_internal.step) IS
    'adds a batch to the run and to the day';

-- The watermark is Pipedrive's own time: the newest change in the mirror, but not beyond its clock
-- when the run began, so that nothing that changed meanwhile is passed over. Where nothing was ever
-- changed, it is that clock or this machine's, whichever is behind. Without a Date header it is
-- this machine's, and the time that the run took is taken off the newest change.
CREATE OR REPLACE FUNCTION pipedrive_internal.step_finish(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state)
RETURNS pipedrive_internal.step
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive_internal.mirror_state x
       SET watermark = CASE WHEN x.strategy <> 'whole' THEN
               coalesce(greatest(CASE WHEN x.watermark <= b.bound THEN x.watermark END,
                                 pipedrive_internal.newest_change(m, b.bound) - b.taken),
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
    UPDATE pipedrive_internal.mirror_column k SET unfilled = false
     WHERE k.mirror_id = m.mirror_id AND k.unfilled AND s.strategy <> 'changes';
    SELECT ROW('done', 0, 0, 0)::pipedrive_internal.step
$$;
COMMENT ON FUNCTION
    pipedrive_internal.step_finish(pipedrive_internal.mirror, pipedrive_internal.mirror_state) IS
    'ends a run';

-- One batch of whatever the run is at.
CREATE OR REPLACE FUNCTION pipedrive_internal.sync_step(
    which integer, mode text, budget bigint, allow_deletes boolean)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    s pipedrive_internal.mirror_state;
    p pipedrive_internal.sync_phase;
    step pipedrive_internal.step;
    pages integer;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive_internal.require_own(m.source, m.target);
    PERFORM pipedrive_internal.check_mirror(m);
    SELECT * INTO STRICT s FROM pipedrive_internal.mirror_state x WHERE x.mirror_id = which FOR UPDATE;
    s := pipedrive_internal.allow_deletes(s, allow_deletes);
    IF s.phase IS NULL OR NOT EXISTS (SELECT FROM pipedrive_internal.sync_phase x WHERE x.strategy = s.strategy AND x.phase = s.phase) THEN -- perhaps of an older version
        s := pipedrive_internal.start_run(m, s, mode);
        INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) -- perhaps it was corrected, in a way that shows nowhere else
        SELECT b.mirror_id, b.id, 'could not be stored' FROM pipedrive_internal.bad_row b WHERE b.mirror_id = which AND b.seen_at < clock_timestamp() - interval '1 hour'
            ON CONFLICT DO NOTHING;
    END IF;
    pages := pipedrive_internal.pages_for(m.entity, budget);
    IF pages < 1 THEN
        RETURN ROW('budget', 0, 0, 0)::pipedrive_internal.step;
    END IF;
    SELECT * INTO STRICT p FROM pipedrive_internal.sync_phase x WHERE x.strategy = s.strategy AND x.phase = s.phase;
    step := CASE CASE WHEN p.reader = 'load' AND s.row_by_row THEN 'read' ELSE p.reader END
                 WHEN 'load' THEN pipedrive_internal.step_load(m, s, pages)
                 WHEN 'read' THEN pipedrive_internal.step_read(m, s, p.condition, NULL::bigint, pages)
                 WHEN 'recent' THEN pipedrive_internal.step_recent(m, s, p.condition, pages)
                 WHEN 'added' THEN pipedrive_internal.step_added(m, s, pages)
                 WHEN 'whole' THEN pipedrive_internal.step_full(m, s)
                 WHEN 'deleted' THEN pipedrive_internal.step_deleted(m, s, p.condition, pages)
                 WHEN 'refetch' THEN pipedrive_internal.step_refetch(m) END;
    IF step.status = 'done' THEN
        PERFORM pipedrive_internal.step_finish(m, s);
    ELSE
        PERFORM pipedrive_internal.distrust_watermark(which);
    END IF;
    PERFORM pipedrive_internal.count_tokens(which, step);
    RETURN step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.sync_step(integer, text, bigint, boolean) IS
    'one batch of a sync; remembers where it is';
