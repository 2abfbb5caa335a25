-- sync() and reconcile(): one batch of pages, one commit, and mirror_state says what comes next.

CREATE UNLOGGED TABLE reconcile_seen (
    mirror_id integer NOT NULL,
    id bigint NOT NULL,
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE reconcile_seen IS 'ids that the reconcile under way has seen in Pipedrive';

CREATE TYPE _step AS (status text, tokens bigint, rows bigint, pages bigint);
COMMENT ON TYPE _step IS 'what one batch of sync() did: status more, done, budget, busy or error';

CREATE FUNCTION _is_windowed(entity_name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pipedrive.entity_columns e WHERE e.entity = entity_name AND e.column_name = 'update_time' AND e.parameter IS NOT NULL)
$$;
COMMENT ON FUNCTION _is_windowed(text) IS 'whether the API can list what changed since a time; other entities are small and read whole';

-- Pages that a batch may read: each costs at most the dearest list of the entity.
CREATE FUNCTION _pages_for(entity_name text, budget bigint) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN budget IS NULL THEN 20 ELSE least(20, budget / max(t::bigint))::integer END
      FROM pipedrive.entities e, unnest(string_to_array(e.tokens_per_request, ', ')) AS t WHERE e.entity = entity_name
$$;
COMMENT ON FUNCTION _pages_for(text, bigint) IS 'pages that fit a budget of tokens, at most 20';

-- Bad rows ------------------------------------------------------------------------------------------------------------------------
-- One row that cannot be stored costs that row: it is written down with its column and reason, told once, and read again by later runs.

CREATE FUNCTION _note_bad_rows(m pipedrive.mirror, set_aside jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b record;
BEGIN
    FOR b IN SELECT r.id::bigint AS id, r."column" AS column_name, r.reason FROM jsonb_to_recordset(set_aside) AS r (id text, "column" text, reason text) ORDER BY 1 LOOP
        UPDATE pipedrive.bad_row x SET seen_at = clock_timestamp(), column_name = b.column_name, reason = b.reason WHERE x.mirror_id = m.mirror_id AND x.id = b.id;
        CONTINUE WHEN FOUND;
        INSERT INTO pipedrive.bad_row (mirror_id, id, column_name, reason) VALUES (m.mirror_id, b.id, b.column_name, b.reason);
        RAISE WARNING USING MESSAGE = format('mirror "%s" cannot hold row id %s as Pipedrive has it%s', m.target, b.id, coalesce(format(': column "%s"', b.column_name), '')),
            DETAIL = b.reason, HINT = 'The other rows go on. See pipedrive.bad_rows.';
    END LOOP;
END
$$;
COMMENT ON FUNCTION _note_bad_rows(pipedrive.mirror, jsonb) IS 'writes rows that were set aside into bad_row; warns of those that are new';

-- The row-wise way into the staging table, for a run of which the table refused a batch.
CREATE FUNCTION _stage_row(which integer, source_row anyelement) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    EXECUTE format('INSERT INTO pg_temp.pipedrive_stage (%s) SELECT %s', pipedrive._column_list(m.target), pipedrive._column_list(m.target, '($1).')) USING source_row;
    RETURN true;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR integrity_constraint_violation THEN
    PERFORM pipedrive._note_bad_rows(m, jsonb_build_array(jsonb_build_object('id', to_jsonb(source_row) ->> 'id', 'reason', format('%s (%s)', SQLERRM, SQLSTATE))));
    RETURN false;
END
$$;
COMMENT ON FUNCTION _stage_row(integer, anyelement) IS 'stages one row of a mirror''s source, or writes down why it cannot be stored';

CREATE FUNCTION _forget_good_rows(m pipedrive.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive.bad_row b WHERE b.mirror_id = m.mirror_id AND EXISTS (SELECT FROM pg_temp.pipedrive_stage s WHERE s.id = b.id);
END
$$;
COMMENT ON FUNCTION _forget_good_rows(pipedrive.mirror) IS 'rows that could be staged are bad no more';

CREATE FUNCTION _clear_stage(m pipedrive.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('pg_temp.pipedrive_stage') IS NOT NULL THEN
        DROP TABLE pg_temp.pipedrive_stage;
    END IF;
    EXECUTE format(CASE WHEN (SELECT x.row_by_row FROM pipedrive.mirror_state x WHERE x.mirror_id = m.mirror_id) -- what the table refuses shall show here
                        THEN 'CREATE TEMP TABLE pipedrive_stage (LIKE %2$s INCLUDING DEFAULTS INCLUDING CONSTRAINTS) ON COMMIT DROP'
                        ELSE 'CREATE TEMP TABLE pipedrive_stage ON COMMIT DROP AS SELECT %1$s FROM %2$s WITH NO DATA' END, pipedrive._column_list(m.target), m.target);
END
$$;
COMMENT ON FUNCTION _clear_stage(pipedrive.mirror) IS 'an empty temporary table pipedrive_stage with the columns of a mirror, for this transaction';

-- Fills the temporary table pipedrive_stage with a part of the source: condition on $1 (since) and $2 (ids). At most `pages` pages from the run's position.
CREATE FUNCTION _read_part(m pipedrive.mirror, condition text, since timestamptz, ids bigint[], from_position text, pages integer,
                           OUT next_position text, OUT tokens bigint, OUT rows bigint, OUT pages_read bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    w record;
BEGIN
    PERFORM pipedrive._clear_stage(m);
    SELECT * INTO w FROM pipedrive._walk(m.source, from_position, pages,
        CASE WHEN (SELECT x.row_by_row FROM pipedrive.mirror_state x WHERE x.mirror_id = m.mirror_id)
             THEN format('SELECT pipedrive._stage_row(%s, e) FROM %s e WHERE %s', m.mirror_id, m.source, condition)
             ELSE format('INSERT INTO pg_temp.pipedrive_stage (%1$s) SELECT %1$s FROM %2$s WHERE %3$s', pipedrive._column_list(m.target), m.source, condition) END, since, ids);
    PERFORM pipedrive._note_bad_rows(m, coalesce(w.set_aside, '[]'::jsonb));
    PERFORM pipedrive._forget_good_rows(m);
    next_position := w.next_position;
    tokens := w.tokens;
    rows := w.rows;
    pages_read := w.pages_read;
END
$$;
COMMENT ON FUNCTION _read_part(pipedrive.mirror, text, timestamptz, bigint[], text, integer) IS 'reads a part of a source table into the session''s staging table';

CREATE FUNCTION _newest_staged(m pipedrive.mirror) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    newest timestamptz;
BEGIN
    IF pipedrive._is_windowed(m.entity) THEN
        SELECT greatest(max(s.update_time), max(s.add_time)) INTO newest FROM pg_temp.pipedrive_stage s;
    END IF;
    RETURN newest;
END
$$;
COMMENT ON FUNCTION _newest_staged(pipedrive.mirror) IS 'latest time that Pipedrive gave to a staged row';

-- Phases, in order. A first run is load, refetch; a full one reload, refetch; later ones updated, added, deleted, refetch; entities without time window: full, refetch.
CREATE FUNCTION _next_phase(m pipedrive.mirror, phase text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE phase WHEN 'updated' THEN 'added'
                      WHEN 'added' THEN CASE WHEN m.deleted_source IS NULL THEN 'refetch' ELSE 'deleted' END
                      ELSE 'refetch' END
$$;
COMMENT ON FUNCTION _next_phase(pipedrive.mirror, text) IS 'what follows a phase of a sync';

CREATE FUNCTION _step_read(m pipedrive.mirror, s pipedrive.mirror_state, condition text, pages integer) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    newest timestamptz;
BEGIN
    SELECT * INTO part FROM pipedrive._read_part(m, condition, s.since, NULL, s.walk_position, pages);
    newest := pipedrive._newest_staged(m);
    PERFORM pipedrive._merge_stage(m.mirror_id, 'pg_temp.pipedrive_stage', 'sync', s.run_started, false);
    UPDATE pipedrive.mirror_state x
       SET walk_position = part.next_position, run_newest = greatest(x.run_newest, newest),
           phase = CASE WHEN part.next_position IS NULL THEN pipedrive._next_phase(m, s.phase) ELSE s.phase END
     WHERE x.mirror_id = m.mirror_id;
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_read(pipedrive.mirror, pipedrive.mirror_state, text, integer) IS 'one batch of changed rows';

-- The first load writes straight into the mirror: there is nothing to compare with, and its history begins afterwards.
CREATE FUNCTION _step_load(m pipedrive.mirror, s pipedrive.mirror_state, pages integer) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
BEGIN
    SELECT * INTO w FROM pipedrive._walk(m.source, s.walk_position, pages,
        format('INSERT INTO %1$s AS t (%2$s, _synced_at, _source) SELECT %2$s, clock_timestamp(), ''sync'' FROM %3$s e
                     WHERE NOT EXISTS (SELECT FROM pipedrive.tombstone d WHERE d.mirror_id = $1 AND d.id = e.id AND d.recorded_at >= $2)
                    ON CONFLICT (id) DO UPDATE SET %4$s, _synced_at = excluded._synced_at, _source = excluded._source
                     WHERE ROW(%5$s) IS DISTINCT FROM ROW(%6$s)%7$s',
                   m.target, pipedrive._column_list(m.target), m.source,
                   (SELECT string_agg(format('%1$I = excluded.%1$I', c), ', ') FROM unnest(pipedrive._mirror_columns(m.target)) AS c WHERE c <> 'id'),
                   pipedrive._column_list(m.target, 't.'), pipedrive._column_list(m.target, 'excluded.'),
                   CASE WHEN pipedrive._is_windowed(m.entity) THEN ' AND (t.update_time IS NULL OR excluded.update_time >= t.update_time)' ELSE '' END), m.mirror_id, s.run_started);
    PERFORM pipedrive._note_bad_rows(m, coalesce(w.set_aside, '[]'::jsonb));
    PERFORM pipedrive._record_change_count(m.mirror_id, w.written);
    UPDATE pipedrive.mirror_state x SET walk_position = w.next_position, phase = CASE WHEN w.next_position IS NULL THEN 'refetch' ELSE 'load' END WHERE x.mirror_id = m.mirror_id;
    IF w.next_position IS NULL THEN
        EXECUTE format('UPDATE pipedrive.mirror_state SET run_newest = (SELECT greatest(max(update_time), max(add_time)) FROM %s) WHERE mirror_id = $1', m.target) USING m.mirror_id;
    END IF;
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_load(pipedrive.mirror, pipedrive.mirror_state, integer) IS 'one batch of the first load';

CREATE FUNCTION _step_full(m pipedrive.mirror, s pipedrive.mirror_state) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    vanished bigint[];
BEGIN
    SELECT * INTO part FROM pipedrive._read_part(m, 'true', NULL, NULL, NULL, 0);
    EXECUTE format('SELECT array_agg(t.id) FROM %s t WHERE t._synced_at < $1 AND NOT EXISTS (SELECT FROM pg_temp.pipedrive_stage s WHERE s.id = t.id)
                      AND NOT EXISTS (SELECT FROM pipedrive.bad_row b WHERE b.mirror_id = $2 AND b.id = t.id AND b.seen_at >= $1)', m.target) INTO vanished USING s.run_started, m.mirror_id;
    PERFORM pipedrive._merge_stage(m.mirror_id, 'pg_temp.pipedrive_stage', 'sync', s.run_started, true);
    IF vanished IS NOT NULL THEN
        PERFORM pipedrive._delete_rows(m.mirror_id, vanished, NULL, 'sync');
    END IF;
    UPDATE pipedrive.mirror_state x SET phase = 'refetch' WHERE x.mirror_id = m.mirror_id;
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_full(pipedrive.mirror, pipedrive.mirror_state) IS 'the whole of a small list, compared with the mirror';

CREATE FUNCTION _step_deleted(m pipedrive.mirror, s pipedrive.mirror_state) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
    ids bigint[];
BEGIN
    PERFORM pipedrive._clear_stage(m);
    SELECT * INTO w FROM pipedrive._walk(m.deleted_source, NULL::text, 0,
        format('INSERT INTO pg_temp.pipedrive_stage (id) SELECT id FROM %s WHERE update_time >= $1', m.deleted_source), s.since);
    -- only what is news
    EXECUTE format('SELECT array_agg(s.id) FROM pg_temp.pipedrive_stage s WHERE EXISTS (SELECT FROM %s t WHERE t.id = s.id)', m.target) INTO ids;
    IF ids IS NOT NULL THEN
        PERFORM pipedrive._delete_rows(m.mirror_id, ids, NULL, 'sync');
    END IF;
    UPDATE pipedrive.mirror_state x SET phase = 'refetch' WHERE x.mirror_id = m.mirror_id;
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_deleted(pipedrive.mirror, pipedrive.mirror_state) IS 'rows that the API lists as deleted';

-- Rows that somebody asked to be read again, a hundred at a time. What the API no longer has is deleted.
CREATE FUNCTION _step_refetch(m pipedrive.mirror) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    ids bigint[];
    vanished bigint[];
    asked timestamptz := clock_timestamp();
BEGIN
    SELECT array_agg(r.id) INTO ids FROM (SELECT x.id FROM pipedrive.refetch x WHERE x.mirror_id = m.mirror_id ORDER BY x.id LIMIT 100) AS r;
    IF ids IS NULL THEN
        RETURN ROW('done', 0, 0, 0)::pipedrive._step;
    END IF;
    SELECT * INTO part FROM pipedrive._read_part(m, 'id = ANY ($2)', NULL, ids, NULL, 0);
    SELECT array_agg(i) INTO vanished FROM unnest(ids) AS i 
     WHERE NOT EXISTS (SELECT FROM pg_temp.pipedrive_stage x WHERE x.id = i)
       AND NOT EXISTS (SELECT FROM pipedrive.bad_row b WHERE b.mirror_id = m.mirror_id AND b.id = i AND b.seen_at >= asked);
    PERFORM pipedrive._merge_stage(m.mirror_id, 'pg_temp.pipedrive_stage', 'sync', asked, true);
    IF vanished IS NOT NULL THEN
        PERFORM pipedrive._delete_rows(m.mirror_id, vanished, NULL, 'sync');
    END IF;
    DELETE FROM pipedrive.refetch x WHERE x.mirror_id = m.mirror_id AND x.id = ANY (ids) AND x.requested_at <= asked;
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_refetch(pipedrive.mirror) IS 'one batch of rows by id';

-- The watermark is Pipedrive's own time: the newest change seen, less the time that the run took, so that nothing changed meanwhile is passed over.
CREATE FUNCTION _step_finish(m pipedrive.mirror, s pipedrive.mirror_state) RETURNS pipedrive._step
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state x
       SET watermark = greatest(x.watermark, x.run_newest - (clock_timestamp() - x.run_started)),
           loaded = true, phase = NULL, walk_position = NULL, row_by_row = false, last_sync = clock_timestamp(), last_error = NULL, last_error_at = NULL
     WHERE x.mirror_id = m.mirror_id;
    SELECT ROW('done', 0, 0, 0)::pipedrive._step
$$;
COMMENT ON FUNCTION _step_finish(pipedrive.mirror, pipedrive.mirror_state) IS 'ends a run';

CREATE FUNCTION _start_run(m pipedrive.mirror, s pipedrive.mirror_state, mode text) RETURNS pipedrive.mirror_state
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state x
       SET phase = CASE WHEN NOT pipedrive._is_windowed(m.entity) THEN 'full'
                        WHEN x.last_sync IS NULL THEN 'load'
                        WHEN mode = 'full' OR NOT x.loaded OR x.watermark IS NULL THEN 'reload' ELSE 'updated' END,
           since = x.watermark - m.overlap, walk_position = NULL, run_started = clock_timestamp(), run_newest = NULL, run_rows = 0, run_pages = 0, run_tokens = 0
     WHERE x.mirror_id = m.mirror_id RETURNING x.*
$$;
COMMENT ON FUNCTION _start_run(pipedrive.mirror, pipedrive.mirror_state, text) IS 'begins a run: what it will read';

-- One batch of whatever the run is at.
CREATE FUNCTION _sync_step(which integer, mode text, budget bigint) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    s pipedrive.mirror_state;
    step pipedrive._step;
    pages integer;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive._require_own(m.source, m.target);
    SELECT * INTO STRICT s FROM pipedrive.mirror_state x WHERE x.mirror_id = which FOR UPDATE;
    IF s.phase IS NULL THEN
        s := pipedrive._start_run(m, s, mode);
        INSERT INTO pipedrive.refetch (mirror_id, id, reason) -- perhaps it was corrected, in a way that shows nowhere else
        SELECT b.mirror_id, b.id, 'could not be stored' FROM pipedrive.bad_row b WHERE b.mirror_id = which AND b.seen_at < clock_timestamp() - interval '1 hour'
            ON CONFLICT DO NOTHING;
    END IF;
    pages := pipedrive._pages_for(m.entity, budget);
    IF pages < 1 THEN
        RETURN ROW('budget', 0, 0, 0)::pipedrive._step;
    END IF;
    step := CASE s.phase WHEN 'load' THEN CASE WHEN s.row_by_row THEN pipedrive._step_read(m, s, 'true', pages) ELSE pipedrive._step_load(m, s, pages) END
                         WHEN 'full' THEN pipedrive._step_full(m, s)
                         WHEN 'updated' THEN pipedrive._step_read(m, s, 'update_time >= $1', pages)
                         WHEN 'added' THEN pipedrive._step_read(m, s, 'add_time >= $1', pages)
                         WHEN 'deleted' THEN pipedrive._step_deleted(m, s)
                         WHEN 'reload' THEN pipedrive._step_read(m, s, 'true', pages)
                         WHEN 'refetch' THEN pipedrive._step_refetch(m) END;
    IF step.status = 'done' THEN
        PERFORM pipedrive._step_finish(m, s);
    END IF;
    PERFORM pipedrive._count_tokens(which, step);
    RETURN step;
END
$$;
COMMENT ON FUNCTION _sync_step(integer, text, bigint) IS 'one batch of a sync; remembers where it is';

CREATE FUNCTION _count_tokens(which integer, step pipedrive._step) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state x
       SET run_rows = x.run_rows + step.rows, run_pages = x.run_pages + step.pages, run_tokens = x.run_tokens + step.tokens,
           tokens_today = CASE WHEN x.token_day = current_date THEN x.tokens_today ELSE 0 END + step.tokens, token_day = current_date
     WHERE x.mirror_id = which
$$;
COMMENT ON FUNCTION _count_tokens(integer, pipedrive._step) IS 'adds a batch to the run and to the day';

-- A batch whose failure is written down instead of ending the procedure.
CREATE FUNCTION _try_step(which integer, what text, mode text, budget bigint) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    text_of_error text;
BEGIN
    RETURN CASE what WHEN 'sync' THEN pipedrive._sync_step(which, mode, budget) ELSE pipedrive._reconcile_step(which, budget) END;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS text_of_error = MESSAGE_TEXT;
    IF SQLSTATE ~ '^(22|23|54)' AND what = 'sync' THEN -- one of its rows cannot be stored: again, row by row
        UPDATE pipedrive.mirror_state x SET row_by_row = true WHERE x.mirror_id = which AND NOT x.row_by_row;
        IF FOUND THEN
            RETURN ROW('more', 0, 0, 0)::pipedrive._step;
        END IF;
    END IF;
    -- A refused request may be a cursor that has grown too old to go on from: the next call begins the phase anew.
    UPDATE pipedrive.mirror_state x
       SET last_error = text_of_error, last_error_at = clock_timestamp(),
           walk_position = CASE WHEN SQLSTATE = 'HV00L' THEN NULL ELSE x.walk_position END,
           reconcile_position = CASE WHEN SQLSTATE = 'HV00L' THEN NULL ELSE x.reconcile_position END
     WHERE x.mirror_id = which;
    RAISE WARNING USING MESSAGE = format('could not %s mirror "%s": %s', what, (SELECT m.target FROM pipedrive.mirror m WHERE m.mirror_id = which), text_of_error);
    RETURN ROW('error', 0, 0, 0)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _try_step(integer, text, text, bigint) IS 'one batch; an error is recorded and told as a warning';

CREATE FUNCTION _chosen_mirrors(chosen regclass) RETURNS integer[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found integer[];
BEGIN
    SELECT array_agg(m.mirror_id ORDER BY m.mirror_id) INTO found
      FROM pipedrive.mirror m WHERE CASE WHEN chosen IS NULL THEN pipedrive._may_write(m.source, m.target) ELSE m.target = chosen OR m.source = chosen END;
    IF chosen IS NULL AND EXISTS (SELECT FROM pipedrive.mirror m WHERE NOT m.mirror_id = ANY (coalesce(found, '{}'))) THEN
        RAISE WARNING USING MESSAGE = format('left out, as they belong to other roles: %s',
            (SELECT string_agg(m.target::text, ', ' ORDER BY m.target::text) FROM pipedrive.mirror m WHERE NOT m.mirror_id = ANY (coalesce(found, '{}')))),
            HINT = 'Each owner, or a role whose rights the owner has, calls sync().';
    END IF;
    IF found IS NULL AND chosen IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('"%s" is not mirrored', chosen), HINT = 'SELECT pipedrive.create_mirror(...) makes a mirror.';
    END IF;
    RETURN coalesce(found, '{}');
END
$$;
COMMENT ON FUNCTION _chosen_mirrors(regclass) IS 'mirrors by local or foreign table; for NULL all that the current user may write';

CREATE PROCEDURE _run(what text, chosen regclass, mode text, token_limit bigint)
LANGUAGE plpgsql AS $$
DECLARE
    which integer;
    step pipedrive._step;
    spent bigint;
    allowed bigint;
BEGIN
    FOREACH which IN ARRAY pipedrive._chosen_mirrors(chosen) LOOP
        spent := 0;
        SELECT COALESCE(token_limit, m.max_tokens) INTO allowed FROM pipedrive.mirror m WHERE m.mirror_id OPERATOR(pg_catalog.=) which;
        LOOP
            -- held for one batch: between batches the state in the table is enough
            IF NOT pg_catalog.pg_try_advisory_xact_lock(1885958756, which) THEN
                RAISE NOTICE 'mirror "%" is being synced by another session', (SELECT m.target FROM pipedrive.mirror m WHERE m.mirror_id OPERATOR(pg_catalog.=) which);
                EXIT;
            END IF;
            step := pipedrive._try_step(which, what, mode, allowed OPERATOR(pg_catalog.-) spent);
            spent := spent OPERATOR(pg_catalog.+) step.tokens;
            COMMIT;
            IF step.status OPERATOR(pg_catalog.=) 'budget' THEN
                RAISE NOTICE 'mirror "%": stopped at % tokens, the next call goes on from here', (SELECT m.target FROM pipedrive.mirror m WHERE m.mirror_id OPERATOR(pg_catalog.=) which), spent;
            END IF;
            EXIT WHEN step.status OPERATOR(pg_catalog.<>) 'more';
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE _run(text, regclass, text, bigint) IS 'batches of sync() or reconcile(), each committed';

CREATE PROCEDURE sync(mirror regclass DEFAULT NULL, mode text DEFAULT 'auto', max_tokens bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
BEGIN
    IF mode OPERATOR(pg_catalog.<>) ALL (ARRAY['auto', 'full']) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'mode must be "auto" or "full"';
    END IF;
    CALL pipedrive._run('sync', mirror, mode, max_tokens);
END
$$;
COMMENT ON PROCEDURE sync(regclass, text, bigint) IS
    'brings one mirror or all up to the account: the first time everything, then what changed since the watermark, new, deleted and marked rows; commits after every batch and goes on where it stopped; mode full reads everything again; max_tokens stops a run early';

-- Deletions that the API cannot list and rows that appeared without a change: a walk over the ids alone.
CREATE FUNCTION _reconcile_step(which integer, budget bigint) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    s pipedrive.mirror_state;
    step pipedrive._step;
    pages integer;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive._require_own(m.source, m.target);
    SELECT * INTO STRICT s FROM pipedrive.mirror_state x WHERE x.mirror_id = which FOR UPDATE;
    pages := pipedrive._pages_for(m.entity, budget);
    IF pages < 1 THEN
        RETURN ROW('budget', 0, 0, 0)::pipedrive._step;
    END IF;
    -- ids seen so far are gone after a crash: from the start then
    IF s.reconcile_phase IS NULL OR s.reconcile_position IS NOT NULL AND NOT EXISTS (SELECT FROM pipedrive.reconcile_seen x WHERE x.mirror_id = which) THEN
        DELETE FROM pipedrive.reconcile_seen x WHERE x.mirror_id = which;
        UPDATE pipedrive.mirror_state x SET reconcile_phase = 'walk', reconcile_position = NULL,
               run_started = CASE WHEN x.phase IS NULL THEN clock_timestamp() ELSE x.run_started END, run_rows = 0, run_pages = 0, run_tokens = 0
         WHERE x.mirror_id = which RETURNING x.* INTO s;
    END IF;
    IF s.reconcile_phase = 'walk' THEN
        step := pipedrive._reconcile_walk(m, s, pages);
    ELSE
        step := pipedrive._step_refetch(m);
        IF step.status = 'done' THEN
            UPDATE pipedrive.mirror_state x SET reconcile_phase = NULL, last_reconcile = clock_timestamp() WHERE x.mirror_id = which;
        END IF;
    END IF;
    PERFORM pipedrive._count_tokens(which, step);
    RETURN step;
END
$$;
COMMENT ON FUNCTION _reconcile_step(integer, bigint) IS 'one batch of a reconcile';

CREATE FUNCTION _reconcile_walk(m pipedrive.mirror, s pipedrive.mirror_state, pages integer) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
BEGIN
    SELECT * INTO w FROM pipedrive._walk(m.source, s.reconcile_position, pages,
        format('INSERT INTO pipedrive.reconcile_seen SELECT $1, id FROM %s ON CONFLICT DO NOTHING', m.source), m.mirror_id);
    UPDATE pipedrive.mirror_state x
       SET reconcile_position = w.next_position, reconcile_phase = CASE WHEN w.next_position IS NULL THEN 'refetch' ELSE 'walk' END
     WHERE x.mirror_id = m.mirror_id;
    IF w.next_position IS NULL THEN
        PERFORM pipedrive._mark_differences(m);
    END IF;
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _reconcile_walk(pipedrive.mirror, pipedrive.mirror_state, integer) IS 'some pages of the walk over all ids';

CREATE FUNCTION _mark_differences(m pipedrive.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('INSERT INTO pipedrive.refetch (mirror_id, id, reason)
                    SELECT $1, coalesce(t.id, s.id), CASE WHEN s.id IS NULL THEN ''not seen in Pipedrive'' ELSE ''not in the mirror'' END
                      FROM %s t FULL JOIN (SELECT x.id FROM pipedrive.reconcile_seen x WHERE x.mirror_id = $1) s ON s.id = t.id
                     WHERE t.id IS NULL OR s.id IS NULL ON CONFLICT DO NOTHING', m.target) USING m.mirror_id;
    DELETE FROM pipedrive.reconcile_seen x WHERE x.mirror_id = m.mirror_id;
END
$$;
COMMENT ON FUNCTION _mark_differences(pipedrive.mirror) IS 'rows on one side only are read by id before anything is deleted';

CREATE PROCEDURE reconcile(mirror regclass DEFAULT NULL, max_tokens bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
BEGIN
    CALL pipedrive._run('reconcile', mirror, 'auto', max_tokens);
END
$$;
COMMENT ON PROCEDURE reconcile(regclass, bigint) IS
    'finds rows that vanished or appeared without a change (deletions the API cannot list, changes of visibility) by a walk over all ids; commits after every batch and goes on where it stopped';
