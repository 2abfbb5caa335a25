-- What becomes of a batch that fails, and from where the next run goes on.

-- Marks of rows that cannot be read stay, and the rest of such a run is done: it ends, but the
-- mirror is not as new as it. In other phases the next run begins where it can get on: with what
-- changed, or at the list's first page, as a cursor may have grown too old.
CREATE OR REPLACE FUNCTION pipedrive_internal.after_refusal(which integer, what text, state text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    s pipedrive_internal.mirror_state;
    reader text;
BEGIN
    IF NOT pipedrive_internal.is_refused(state) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    SELECT * INTO STRICT s FROM pipedrive_internal.mirror_state x WHERE x.mirror_id = which;
    SELECT p.reader INTO reader FROM pipedrive_internal.sync_phase p WHERE p.strategy = s.strategy AND p.phase = s.phase;
    IF what = 'reconcile' THEN
        UPDATE pipedrive_internal.mirror_state x
           SET reconcile_position = CASE WHEN state <> 'HV00L' THEN x.reconcile_position END,
               reconcile_phase = CASE WHEN x.reconcile_phase <> 'refetch' THEN x.reconcile_phase END
         WHERE x.mirror_id = which;
    ELSIF reader = 'refetch' THEN
        PERFORM pipedrive_internal.step_finish(m, s);
        UPDATE pipedrive_internal.mirror_state x SET as_of = s.as_of WHERE x.mirror_id = which;
    ELSIF s.walk_position IS NULL AND s.strategy = 'changes' THEN
        UPDATE pipedrive_internal.mirror_state x SET phase = NULL WHERE x.mirror_id = which;
    ELSIF state = 'HV00L' OR reader = 'deleted' THEN
        UPDATE pipedrive_internal.mirror_state x SET walk_position = NULL WHERE x.mirror_id = which;
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.after_refusal(integer, text, text) IS
    'from where the next run goes on after a request that the API refused';

CREATE OR REPLACE FUNCTION pipedrive_internal.note_failure(
    which integer, what text, state text, told text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pipedrive_internal.after_refusal(which, what, state);
    UPDATE pipedrive_internal.mirror_state x
       SET last_error = told, last_error_at = clock_timestamp()
     WHERE x.mirror_id = which;
    RAISE WARNING USING MESSAGE = format('could not %s mirror "%s": %s', what,
        (SELECT m.target FROM pipedrive_internal.mirror m WHERE m.mirror_id = which), told);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.note_failure(integer, text, text, text) IS
    'writes down why a batch failed, and tells it as a warning';

-- A batch whose failure is written down instead of ending the procedure.
CREATE OR REPLACE FUNCTION pipedrive_internal.try_step(which integer, what text, mode text, budget bigint,
                          allow_deletes boolean) RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    message text;
    detail text;
    hint text;
    context text;
    column_of_error text;
    spent bigint := pipedrive_internal.tokens_spent();
    step pipedrive_internal.step;
BEGIN
    RETURN CASE what WHEN 'sync' THEN pipedrive_internal.sync_step(which, mode, budget, allow_deletes)
                     ELSE pipedrive_internal.reconcile_step(which, budget, allow_deletes) END;
EXCEPTION WHEN assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT, column_of_error = COLUMN_NAME;
    -- what was paid stays paid
    step := ROW('more', pipedrive_internal.tokens_spent() - spent, 0, 0)::pipedrive_internal.step;
    PERFORM pipedrive_internal.count_tokens(which, step);
    IF SQLSTATE = 'HV005' AND pipedrive_internal.leave_out(which, column_of_error::name, detail) THEN
        RETURN step; -- its field is another one now
    END IF;
    IF pipedrive_internal.is_refusal(SQLSTATE) THEN -- a row cannot be stored: again, row by row
        UPDATE pipedrive_internal.mirror_state x SET row_by_row = true
         WHERE x.mirror_id = which AND NOT x.row_by_row;
        IF FOUND THEN
            RETURN step;
        END IF;
    END IF;
    PERFORM pipedrive_internal.note_failure(
        which, what, SQLSTATE, pipedrive_internal.error_text(SQLSTATE, message, detail, hint, context));
    step.status := CASE WHEN pipedrive_internal.is_unreachable(SQLSTATE) THEN 'unreachable' ELSE 'error' END;
    RETURN step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.try_step(integer, text, text, bigint, boolean) IS
    'one batch; an error is recorded and told as a warning';

CREATE OR REPLACE FUNCTION pipedrive_internal.tell_lost(source regclass) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE WARNING USING MESSAGE = format('left out, as its table is gone: the mirror of "%s"', source),
        HINT = format('SELECT pipedrive.drop_mirror(%L) forgets it.', source);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.tell_lost(regclass) IS
    'warns of a mirror whose table is gone';
