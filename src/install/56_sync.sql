-- sync() and reconcile(): one batch of pages, one commit, and mirror_state says what comes next.

CREATE UNLOGGED TABLE reconcile_seen (
    mirror_id integer NOT NULL,
    id bigint NOT NULL,
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE reconcile_seen IS 'ids that the reconcile under way has seen in Pipedrive';

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

CREATE FUNCTION _staged_ids() RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('pg_temp.pipedrive_stage') IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT s.id FROM pg_temp.pipedrive_stage s);
END
$$;
COMMENT ON FUNCTION _staged_ids() IS 'ids of the rows that the last part brought';

-- Row by row, the table is there beforehand; otherwise it is made with the first row. It has the types
-- of our columns and nothing else: what the owner asks of a row is for the writer to find out.
CREATE FUNCTION _clear_stage(m pipedrive.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('pg_temp.pipedrive_stage') IS NOT NULL THEN
        DROP TABLE pg_temp.pipedrive_stage;
    END IF;
    IF (SELECT x.row_by_row FROM pipedrive.mirror_state x WHERE x.mirror_id = m.mirror_id) THEN
        EXECUTE format('CREATE TEMP TABLE pipedrive_stage ON COMMIT DROP
                            AS SELECT %s FROM %s WITH NO DATA',
                       pipedrive._column_list(m.target), m.target);
    END IF;
END
$$;
COMMENT ON FUNCTION _clear_stage(pipedrive.mirror) IS
    'takes away the temporary table pipedrive_stage of an earlier part of this transaction';

-- Of a list that is read whole only what is news is staged, and what is in the mirror alone.
CREATE FUNCTION _part_statement(m pipedrive.mirror, condition text, whole boolean,
                                row_by_row boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
           WHEN row_by_row THEN
               format('SELECT pipedrive._stage_row(%s, %s) FROM %s e WHERE %s', m.mirror_id,
                      pipedrive._source_row(m), m.source, CASE WHEN whole THEN 'true' ELSE condition END)
           WHEN whole THEN
               format('SELECT %s, gone.id AS _gone FROM %s e
                         FULL JOIN (SELECT t.id FROM %s t) AS gone ON gone.id = e.id
                        WHERE e.id IS NULL OR %s',
                      pipedrive._column_list(m.target, 'e.'::text), m.source, m.target, condition)
           ELSE format('SELECT %s FROM %s e WHERE %s', pipedrive._column_list(m.target), m.source,
                       condition) END
$$;
COMMENT ON FUNCTION _part_statement(pipedrive.mirror, text, boolean, boolean) IS
    'the statement that reads a part of a mirror''s source';

CREATE FUNCTION _vanished(m pipedrive.mirror, asked bigint, row_by_row boolean) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids bigint[];
BEGIN
    IF to_regclass('pg_temp.pipedrive_stage') IS NULL THEN
        RETURN '{}';
    ELSIF row_by_row THEN
        EXECUTE format('SELECT array_agg(t.id) FROM %s t
                         WHERE NOT EXISTS (SELECT FROM unnest($1) AS s (id) WHERE s.id = t.id)',
                       m.target) INTO ids USING pipedrive._staged_ids();
    ELSE
        WITH gone AS (DELETE FROM pg_temp.pipedrive_stage s WHERE s.id IS NULL RETURNING s._gone)
        SELECT array_agg(g._gone) INTO ids FROM gone g;
    END IF;
    RETURN ARRAY(SELECT i FROM unnest(ids) AS i
                  WHERE NOT EXISTS (SELECT FROM pipedrive.bad_row b
                                     WHERE b.mirror_id = m.mirror_id AND b.id = i
                                       AND b.arrival >= asked));
END
$$;
COMMENT ON FUNCTION _vanished(pipedrive.mirror, bigint, boolean) IS
    'rows of a mirror that a list, read whole, did not have';

-- The rows of a part of the source are in the temporary table pipedrive_stage then, if there are
-- any: condition on $1 (since) and $2 (ids). At most `pages` pages from the run's position.
CREATE FUNCTION _read_part(m pipedrive.mirror, condition text, since timestamptz, ids bigint[],
                           from_position text, pages integer, above_id bigint, whole boolean,
                           OUT next_position text, OUT tokens bigint, OUT rows bigint,
                           OUT pages_read bigint, OUT answered_at timestamptz,
                           OUT highest_id bigint, OUT asked bigint, OUT vanished bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    w record;
    row_by_row boolean;
BEGIN
    PERFORM pipedrive._clear_stage(m);
    asked := nextval('pipedrive.arrival');
    SELECT x.row_by_row INTO STRICT row_by_row
      FROM pipedrive.mirror_state x WHERE x.mirror_id = m.mirror_id;
    SELECT * INTO w
      FROM pipedrive._walk(m.source, from_position, pages, above_id,
                           CASE WHEN NOT row_by_row THEN 'pipedrive_stage'::name END,
                           pipedrive._part_statement(m, condition, whole, row_by_row), since, ids);
    PERFORM pipedrive._note_bad_rows(m, coalesce(w.set_aside, '[]'::jsonb));
    IF whole THEN
        vanished := pipedrive._vanished(m, asked, row_by_row);
    END IF;
    next_position := w.next_position;
    tokens := w.tokens;
    rows := w.rows;
    pages_read := w.pages_read;
    answered_at := w.answered_at;
    highest_id := w.highest_id;
END
$$;
COMMENT ON FUNCTION
    _read_part(pipedrive.mirror, text, timestamptz, bigint[], text, integer, bigint, boolean) IS
    'reads a part of a source table into the session''s staging table; whole: all of it at once, '
    'and which rows of the mirror it did not have';

CREATE FUNCTION _step_read(m pipedrive.mirror, s pipedrive.mirror_state, condition text, above_id bigint, pages integer) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part FROM pipedrive._read_part(m, condition || ' AND ' || pipedrive._news_condition(m), s.since, NULL::bigint[], s.walk_position, pages, above_id, false);
    PERFORM pipedrive._merge_stage(m.mirror_id, to_regclass('pg_temp.pipedrive_stage'), 'sync'::text, part.asked);
    PERFORM pipedrive._note_part(m, s, part.next_position, part.answered_at, part.highest_id);
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_read(pipedrive.mirror, pipedrive.mirror_state, text, bigint, integer) IS 'one batch of a list, newest ids first where an id is given';

-- The first load writes straight into the mirror: there is nothing to compare with, and its history begins afterwards. What an event has
-- brought or marked meanwhile is read by id at the end.
CREATE FUNCTION _step_load(m pipedrive.mirror, s pipedrive.mirror_state, pages integer) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
BEGIN
    SELECT * INTO w FROM pipedrive._walk(m.source, s.walk_position, pages, NULL::bigint, NULL::name,
        format('INSERT INTO %1$s AS t (%2$s, _synced_at, _source) SELECT %2$s, clock_timestamp(), ''sync'' FROM %3$s e
                     WHERE NOT EXISTS (SELECT FROM pipedrive.refetch r WHERE r.mirror_id = $1 AND r.id = e.id)
                    ON CONFLICT (id) DO UPDATE SET %4$s, _synced_at = excluded._synced_at, _source = excluded._source
                     WHERE ROW(%5$s) IS DISTINCT FROM ROW(%6$s) AND t._source <> ''webhook''',
                   m.target, pipedrive._column_list(m.target), m.source,
                   (SELECT string_agg(format('%1$I = excluded.%1$I', c), ', ') FROM unnest(pipedrive._mirror_columns(m.target)) AS c WHERE c <> 'id'),
                   pipedrive._column_list(m.target, 't.'::text), pipedrive._column_list(m.target, 'excluded.'::text)), m.mirror_id);
    PERFORM pipedrive._check_deferred();
    PERFORM pipedrive._note_bad_rows(m, coalesce(w.set_aside, '[]'::jsonb));
    PERFORM pipedrive._record_change_count(m.mirror_id, w.written);
    PERFORM pipedrive._note_part(m, s, w.next_position, w.answered_at, w.highest_id);
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_load(pipedrive.mirror, pipedrive.mirror_state, integer) IS 'one batch of the first load';

CREATE FUNCTION _step_full(m pipedrive.mirror, s pipedrive.mirror_state) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part
      FROM pipedrive._read_part(m, pipedrive._news_condition(m), NULL::timestamptz, NULL::bigint[],
                                NULL::text, 0, NULL::bigint, true);
    PERFORM pipedrive._merge_stage(m.mirror_id, to_regclass('pg_temp.pipedrive_stage'),
                                   'sync'::text, part.asked);
    PERFORM pipedrive._delete_vanished(m, part.vanished, part.answered_at, part.asked);
    UPDATE pipedrive.mirror_state x SET phase = pipedrive._next_phase(m, s.strategy, s.phase)
     WHERE x.mirror_id = m.mirror_id;
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_full(pipedrive.mirror, pipedrive.mirror_state) IS 'the whole of a small list, compared with the mirror';

-- The API refuses what it was asked for, and would do so again.
CREATE FUNCTION _is_refused(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT state IN ('HV00L', 'HV00R', '42501')
$$;
COMMENT ON FUNCTION _is_refused(text) IS
    'whether an error of that SQLSTATE says that the API will not answer a request: a bad one, '
    'a list that is not there, or not allowed';

-- What is deleted while a list is walked is later than the run's first answer, and so than the
-- watermark: the next run asks for it.
--
-- A list whose first request is refused cannot be read, and is passed over. A later refusal is an
-- error: there it may be the cursor that is too old. So that one cannot be taken for the other, the
-- first part is one page.
CREATE FUNCTION _walk_deleted(m pipedrive.mirror, s pipedrive.mirror_state, condition text,
                              pages integer, OUT next_position text, OUT tokens bigint,
                              OUT rows bigint, OUT pages_read bigint, OUT answered_at timestamptz,
                              OUT refused text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    spent bigint := pipedrive._tokens_spent();
    message text;
    detail text;
    place text;
BEGIN
    -- only what is news; whether a row says itself that it is deleted
    SELECT w.next_position, w.tokens, w.rows, w.pages_read, w.answered_at
      INTO next_position, tokens, rows, pages_read, answered_at
      FROM pipedrive._walk(
          m.deleted_source, s.walk_position, CASE WHEN s.walk_position IS NULL THEN 1 ELSE pages END,
          NULL::bigint, 'pipedrive_gone'::name,
          format('SELECT d.id, (d.is_deleted OR d.status = ''deleted'') IS TRUE AS gone FROM %s d
                   WHERE %s AND (SELECT true FROM %s t WHERE t.id = d.id)',
                 m.deleted_source, condition, m.target), s.since) AS w;
EXCEPTION WHEN fdw_unable_to_create_execution OR fdw_table_not_found OR insufficient_privilege THEN
    IF s.walk_position IS NOT NULL THEN
        RAISE;
    END IF;
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        place = PG_EXCEPTION_CONTEXT;
    refused := pipedrive._error_text(SQLSTATE, message, detail, NULL::text, place);
    tokens := pipedrive._tokens_spent() - spent;
    rows := 0;
    pages_read := 0;
END
$$;
COMMENT ON FUNCTION _walk_deleted(pipedrive.mirror, pipedrive.mirror_state, text, integer) IS
    'stages ids of rows that the API lists as deleted and the mirror has; a part of the list, as '
    '_walk() tells; refused: why the list cannot be read';

-- When the list can be read again, it is asked for all that was deleted since it could not.
CREATE FUNCTION _pass_over(m pipedrive.mirror, s pipedrive.mirror_state, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pipedrive.mirror_state x
       SET passed_over = x.passed_over || jsonb_build_object(
               s.phase, CASE WHEN s.strategy = 'changes' THEN s.since
                             ELSE '2000-01-01 00:00:00+00'::timestamptz END)
     WHERE x.mirror_id = m.mirror_id;
    RAISE WARNING USING
        MESSAGE = format('mirror "%s": %srows that were deleted cannot be listed', m.target,
                         CASE WHEN s.phase <> 'deleted' THEN 'archived ' END),
        DETAIL = reason, HINT = 'CALL pipedrive.reconcile() finds them.';
END
$$;
COMMENT ON FUNCTION _pass_over(pipedrive.mirror, pipedrive.mirror_state, text) IS
    'tells that a list of deleted rows is refused, and remembers since when';

CREATE FUNCTION _listed_as(gone boolean) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('pg_temp.pipedrive_gone') IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT s.id FROM pg_temp.pipedrive_gone s WHERE s.gone = _listed_as.gone);
END
$$;
COMMENT ON FUNCTION _listed_as(boolean) IS 'ids that _walk_deleted() staged, those that say themselves that they are deleted or the others';

CREATE FUNCTION _step_deleted(m pipedrive.mirror, s pipedrive.mirror_state, condition text, pages integer) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
    asked bigint := nextval('pipedrive.arrival');
BEGIN
    IF to_regclass('pg_temp.pipedrive_gone') IS NOT NULL THEN
        DROP TABLE pg_temp.pipedrive_gone;
    END IF;
    s.since := least(s.since, (s.passed_over ->> s.phase)::timestamptz);
    SELECT * INTO w FROM pipedrive._walk_deleted(m, s, condition, pages);
    IF w.refused IS NOT NULL THEN
        PERFORM pipedrive._pass_over(m, s, w.refused);
    ELSIF w.next_position IS NULL AND s.passed_over ? s.phase THEN
        UPDATE pipedrive.mirror_state x SET passed_over = x.passed_over - s.phase WHERE x.mirror_id = m.mirror_id;
    END IF;
    PERFORM pipedrive._delete_vanished(m, pipedrive._listed_as(true), w.answered_at, asked);
    -- a server that takes no notice of the status lists rows that are there
    INSERT INTO pipedrive.refetch (mirror_id, id, reason)
    SELECT m.mirror_id, i, 'listed as deleted' FROM unnest(pipedrive._listed_as(false)) AS i ORDER BY i ON CONFLICT DO NOTHING;
    PERFORM pipedrive._note_part(m, s, w.next_position, w.answered_at, NULL::bigint);
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_deleted(pipedrive.mirror, pipedrive.mirror_state, text, integer) IS
    'one batch of the rows that the API lists as deleted; those that do not say so themselves are read by id';

-- Rows that somebody asked to be read again, a hundred at a time, each once a run. What the API no longer has is deleted. A row that could
-- not be compared keeps its mark for the next run.
CREATE FUNCTION _step_refetch(m pipedrive.mirror) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    until bigint;
    ids bigint[];
    vanished bigint[];
BEGIN
    UPDATE pipedrive.mirror_state x SET refetch_until = coalesce(x.refetch_until, nextval('pipedrive.arrival')) WHERE x.mirror_id = m.mirror_id
     RETURNING x.refetch_until INTO until;
    SELECT array_agg(r.id) INTO ids
      FROM (SELECT x.id FROM pipedrive.refetch x WHERE x.mirror_id = m.mirror_id AND x.arrival < until AND NOT x.held
             UNION SELECT l.id FROM pipedrive.late_mark l WHERE l.mirror_id = m.mirror_id AND l.arrival < until ORDER BY 1 LIMIT 100) AS r;
    IF ids IS NULL THEN
        RETURN ROW('done', 0, 0, 0)::pipedrive._step;
    END IF;
    SELECT * INTO part FROM pipedrive._read_part(m, 'id = ANY ($2)'::text, NULL::timestamptz, ids, NULL::text, 0, NULL::bigint, false);
    vanished := ARRAY(SELECT i FROM unnest(ids) AS i
                       WHERE i <> ALL (pipedrive._staged_ids())
                         AND NOT EXISTS (SELECT FROM pipedrive.bad_row b WHERE b.mirror_id = m.mirror_id AND b.id = i AND b.arrival >= part.asked));
    PERFORM pipedrive._merge_stage(m.mirror_id, to_regclass('pg_temp.pipedrive_stage'), 'sync'::text, part.asked);
    PERFORM pipedrive._delete_vanished(m, vanished, part.answered_at, part.asked);
    DELETE FROM pipedrive.refetch x USING pipedrive.bad_row b
     WHERE x.mirror_id = m.mirror_id AND x.id = ANY (ids) AND x.arrival < part.asked AND b.mirror_id = x.mirror_id AND b.id = x.id AND b.arrival >= part.asked;
    DELETE FROM pipedrive.late_mark l WHERE l.mirror_id = m.mirror_id AND l.id = ANY (ids) AND l.arrival < part.asked;
    UPDATE pipedrive.refetch x SET arrival = nextval('pipedrive.arrival') WHERE x.mirror_id = m.mirror_id AND x.id = ANY (ids) AND x.arrival < part.asked AND NOT x.held;
    RETURN ROW('more', part.tokens, part.rows, part.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _step_refetch(pipedrive.mirror) IS 'one batch of rows by id';

-- One batch of whatever the run is at.
CREATE FUNCTION _sync_step(which integer, mode text, budget bigint, allow_deletes boolean) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    s pipedrive.mirror_state;
    p pipedrive.sync_phase;
    step pipedrive._step;
    pages integer;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive._require_own(m.source, m.target);
    PERFORM pipedrive._check_mirror(m);
    SELECT * INTO STRICT s FROM pipedrive.mirror_state x WHERE x.mirror_id = which FOR UPDATE;
    s := pipedrive._allow_deletes(s, allow_deletes);
    IF s.phase IS NULL OR NOT EXISTS (SELECT FROM pipedrive.sync_phase x WHERE x.strategy = s.strategy AND x.phase = s.phase) THEN -- perhaps of an older version
        s := pipedrive._start_run(m, s, mode);
        INSERT INTO pipedrive.refetch (mirror_id, id, reason) -- perhaps it was corrected, in a way that shows nowhere else
        SELECT b.mirror_id, b.id, 'could not be stored' FROM pipedrive.bad_row b WHERE b.mirror_id = which AND b.seen_at < clock_timestamp() - interval '1 hour'
            ON CONFLICT DO NOTHING;
    END IF;
    pages := pipedrive._pages_for(m.entity, budget);
    IF pages < 1 THEN
        RETURN ROW('budget', 0, 0, 0)::pipedrive._step;
    END IF;
    SELECT * INTO STRICT p FROM pipedrive.sync_phase x WHERE x.strategy = s.strategy AND x.phase = s.phase;
    step := CASE CASE WHEN p.reader = 'load' AND s.row_by_row THEN 'read' ELSE p.reader END
                 WHEN 'load' THEN pipedrive._step_load(m, s, pages)
                 WHEN 'read' THEN pipedrive._step_read(m, s, p.condition, NULL::bigint, pages)
                 WHEN 'added' THEN pipedrive._step_added(m, s, pages)
                 WHEN 'whole' THEN pipedrive._step_full(m, s)
                 WHEN 'deleted' THEN pipedrive._step_deleted(m, s, p.condition, pages)
                 WHEN 'refetch' THEN pipedrive._step_refetch(m) END;
    IF step.status = 'done' THEN
        PERFORM pipedrive._step_finish(m, s);
    ELSE
        PERFORM pipedrive._distrust_watermark(which);
    END IF;
    PERFORM pipedrive._count_tokens(which, step);
    RETURN step;
END
$$;
COMMENT ON FUNCTION _sync_step(integer, text, bigint, boolean) IS 'one batch of a sync; remembers where it is';

-- Marks of rows that cannot be read stay, and the rest of such a run is done: it ends, but the mirror is not as new as it. In other phases
-- the next run begins where it can get on: with what changed, or at the list's first page, as a cursor may have grown too old.
CREATE FUNCTION _after_refusal(which integer, what text, state text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    s pipedrive.mirror_state;
    reader text;
BEGIN
    IF NOT pipedrive._is_refused(state) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    SELECT * INTO STRICT s FROM pipedrive.mirror_state x WHERE x.mirror_id = which;
    SELECT p.reader INTO reader FROM pipedrive.sync_phase p WHERE p.strategy = s.strategy AND p.phase = s.phase;
    IF what = 'reconcile' THEN
        UPDATE pipedrive.mirror_state x
           SET reconcile_position = CASE WHEN state <> 'HV00L' THEN x.reconcile_position END,
               reconcile_phase = CASE WHEN x.reconcile_phase <> 'refetch' THEN x.reconcile_phase END
         WHERE x.mirror_id = which;
    ELSIF reader = 'refetch' THEN
        PERFORM pipedrive._step_finish(m, s);
        UPDATE pipedrive.mirror_state x SET as_of = s.as_of WHERE x.mirror_id = which;
    ELSIF s.walk_position IS NULL AND s.strategy = 'changes' THEN
        UPDATE pipedrive.mirror_state x SET phase = NULL WHERE x.mirror_id = which;
    ELSIF state = 'HV00L' OR reader = 'deleted' THEN
        UPDATE pipedrive.mirror_state x SET walk_position = NULL WHERE x.mirror_id = which;
    END IF;
END
$$;
COMMENT ON FUNCTION _after_refusal(integer, text, text) IS 'from where the next run goes on after a request that the API refused';

CREATE FUNCTION _today() RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT (now() AT TIME ZONE 'UTC')::date $$;
COMMENT ON FUNCTION _today() IS 'the day that tokens are counted for, the same in every session';

CREATE FUNCTION _count_tokens(which integer, step pipedrive._step) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state x
       SET run_rows = x.run_rows + step.rows, run_pages = x.run_pages + step.pages, run_tokens = x.run_tokens + step.tokens,
           tokens_today = CASE WHEN x.token_day = pipedrive._today() THEN x.tokens_today ELSE 0 END + step.tokens, token_day = pipedrive._today()
     WHERE x.mirror_id = which
$$;
COMMENT ON FUNCTION _count_tokens(integer, pipedrive._step) IS 'adds a batch to the run and to the day';

-- Deletions that the API cannot list and rows that appeared without a change: a walk over the ids alone.
CREATE FUNCTION _reconcile_step(which integer, budget bigint, allow_deletes boolean) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    s pipedrive.mirror_state;
    step pipedrive._step;
    pages integer;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive._require_own(m.source, m.target);
    PERFORM pipedrive._check_mirror(m);
    SELECT * INTO STRICT s FROM pipedrive.mirror_state x WHERE x.mirror_id = which FOR UPDATE;
    s := pipedrive._allow_deletes(s, allow_deletes);
    pages := pipedrive._pages_for(m.entity, budget);
    IF pages < 1 THEN
        RETURN ROW('budget', 0, 0, 0)::pipedrive._step;
    END IF;
    -- ids seen so far are gone after a crash: from the start then
    IF s.reconcile_phase IS NULL OR s.reconcile_position IS NOT NULL AND NOT EXISTS (SELECT FROM pipedrive.reconcile_seen x WHERE x.mirror_id = which) THEN
        DELETE FROM pipedrive.reconcile_seen x WHERE x.mirror_id = which;
        UPDATE pipedrive.mirror_state x SET reconcile_phase = 'walk', reconcile_position = NULL,
               run_started = CASE WHEN x.phase IS NULL THEN clock_timestamp() ELSE x.run_started END, run_deleted = CASE WHEN x.phase IS NULL THEN 0 ELSE x.run_deleted END, refetch_until = NULL, run_rows = 0, run_pages = 0, run_tokens = 0
         WHERE x.mirror_id = which RETURNING x.* INTO s;
    END IF;
    IF s.reconcile_phase = 'walk' THEN
        step := pipedrive._reconcile_walk(m, s, pages);
    ELSE
        step := pipedrive._step_refetch(m);
        IF step.status = 'done' THEN
            UPDATE pipedrive.mirror_state x SET reconcile_phase = NULL, refetch_until = NULL, row_by_row = false, last_reconcile = clock_timestamp() WHERE x.mirror_id = which;
        END IF;
    END IF;
    PERFORM pipedrive._count_tokens(which, step);
    RETURN step;
END
$$;
COMMENT ON FUNCTION _reconcile_step(integer, bigint, boolean) IS 'one batch of a reconcile';

CREATE FUNCTION _reconcile_walk(m pipedrive.mirror, s pipedrive.mirror_state, pages integer) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
BEGIN
    SELECT * INTO w FROM pipedrive._walk(m.source, s.reconcile_position, pages, NULL::bigint, NULL::name,
        format('INSERT INTO pipedrive.reconcile_seen SELECT $1, id FROM %s ON CONFLICT DO NOTHING', m.source), m.mirror_id);
    UPDATE pipedrive.mirror_state x
       SET reconcile_position = w.next_position, reconcile_phase = CASE WHEN w.next_position IS NULL THEN 'refetch' ELSE 'walk' END
     WHERE x.mirror_id = m.mirror_id;
    IF w.next_position IS NULL THEN
        PERFORM pipedrive._mark_differences(m, s);
    END IF;
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive._step;
END
$$;
COMMENT ON FUNCTION _reconcile_walk(pipedrive.mirror, pipedrive.mirror_state, integer) IS 'some pages of the walk over all ids';

-- So many that they would be held back are not even asked for.
CREATE FUNCTION _mark_differences(m pipedrive.mirror, s pipedrive.mirror_state) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unseen bigint[];
    size bigint;
BEGIN
    DELETE FROM pipedrive.refetch r USING pipedrive.reconcile_seen x
     WHERE r.mirror_id = m.mirror_id AND r.held AND r.reason = 'not seen in Pipedrive' AND x.mirror_id = r.mirror_id AND x.id = r.id;
    UPDATE pipedrive.refetch r SET held = false FROM pipedrive.reconcile_seen x -- it has to be compared still
     WHERE r.mirror_id = m.mirror_id AND r.held AND x.mirror_id = r.mirror_id AND x.id = r.id;
    EXECUTE format('SELECT coalesce(array_agg(t.id) FILTER (WHERE x.id IS NULL), ''{}''), count(*)
                      FROM %s t LEFT JOIN pipedrive.reconcile_seen x ON x.mirror_id = $1 AND x.id = t.id', m.target) INTO unseen, size USING m.mirror_id;
    IF cardinality(unseen) > pipedrive._delete_limit(size) AND NOT s.may_delete THEN
        PERFORM pipedrive._hold_back(m, unseen, NULL::bigint);
    END IF;
    INSERT INTO pipedrive.refetch (mirror_id, id, reason) SELECT m.mirror_id, i, 'not seen in Pipedrive' FROM unnest(unseen) AS i ORDER BY i ON CONFLICT DO NOTHING;
    EXECUTE format('INSERT INTO pipedrive.refetch (mirror_id, id, reason)
                    SELECT $1, x.id, ''not in the mirror'' FROM pipedrive.reconcile_seen x
                     WHERE x.mirror_id = $1 AND NOT EXISTS (SELECT FROM %s t WHERE t.id = x.id) ORDER BY x.id ON CONFLICT DO NOTHING', m.target) USING m.mirror_id;
    DELETE FROM pipedrive.reconcile_seen x WHERE x.mirror_id = m.mirror_id;
END
$$;
COMMENT ON FUNCTION _mark_differences(pipedrive.mirror, pipedrive.mirror_state) IS 'rows on one side only are read by id before anything is deleted';
