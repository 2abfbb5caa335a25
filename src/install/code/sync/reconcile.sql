-- Deletions that the API cannot list and rows that appeared without a change: a walk over the ids
-- alone.

CREATE OR REPLACE FUNCTION pipedrive_internal.reconcile_step(
    which integer, budget bigint, allow_deletes boolean)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    s pipedrive_internal.mirror_state;
    step pipedrive_internal.step;
    pages integer;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive_internal.require_own(m.source, m.target);
    PERFORM pipedrive_internal.check_mirror(m);
    SELECT * INTO STRICT s FROM pipedrive_internal.mirror_state x WHERE x.mirror_id = which FOR UPDATE;
    s := pipedrive_internal.allow_deletes(s, allow_deletes);
    pages := pipedrive_internal.pages_for(m.entity, budget);
    IF pages < 1 THEN
        RETURN ROW('budget', 0, 0, 0)::pipedrive_internal.step;
    END IF;
    -- ids seen so far are gone after a crash: from the start then
    IF s.reconcile_phase IS NULL OR s.reconcile_position IS NOT NULL AND NOT EXISTS (SELECT FROM pipedrive_internal.reconcile_seen x WHERE x.mirror_id = which) THEN
        DELETE FROM pipedrive_internal.reconcile_seen x WHERE x.mirror_id = which;
        UPDATE pipedrive_internal.mirror_state x SET reconcile_phase = 'walk', reconcile_position = NULL,
               run_started = CASE WHEN x.phase IS NULL THEN clock_timestamp() ELSE x.run_started END, run_deleted = CASE WHEN x.phase IS NULL THEN 0 ELSE x.run_deleted END, refetch_until = NULL, run_rows = 0, run_pages = 0, run_tokens = 0
         WHERE x.mirror_id = which RETURNING x.* INTO s;
    END IF;
    IF s.reconcile_phase = 'walk' THEN
        step := pipedrive_internal.reconcile_walk(m, s, pages);
    ELSE
        step := pipedrive_internal.step_refetch(m);
        IF step.status = 'done' THEN
            UPDATE pipedrive_internal.mirror_state x SET reconcile_phase = NULL, refetch_until = NULL, row_by_row = false, last_reconcile = clock_timestamp() WHERE x.mirror_id = which;
        END IF;
    END IF;
    PERFORM pipedrive_internal.count_tokens(which, step);
    RETURN step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.reconcile_step(integer, bigint, boolean) IS
    'one batch of a reconcile';

CREATE OR REPLACE FUNCTION pipedrive_internal.reconcile_walk(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, pages integer)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
BEGIN
    SELECT * INTO w FROM pipedrive_internal.walk(m.source, s.reconcile_position, pages, NULL::bigint, NULL::name,
        format('INSERT INTO pipedrive_internal.reconcile_seen SELECT $1, %I::text FROM %s ON CONFLICT DO NOTHING', m.key_column, m.source), m.mirror_id);
    UPDATE pipedrive_internal.mirror_state x
       SET reconcile_position = w.next_position, reconcile_phase = CASE WHEN w.next_position IS NULL THEN 'refetch' ELSE 'walk' END
     WHERE x.mirror_id = m.mirror_id;
    IF w.next_position IS NULL THEN
        PERFORM pipedrive_internal.mark_differences(m, s);
    END IF;
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive_internal.step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.reconcile_walk(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, integer) IS
    'some pages of the walk over all ids';

-- So many that they would be held back are not even asked for.
CREATE OR REPLACE FUNCTION pipedrive_internal.mark_differences(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unseen text[];
    size bigint;
BEGIN
    DELETE FROM pipedrive_internal.refetch r USING pipedrive_internal.reconcile_seen x
     WHERE r.mirror_id = m.mirror_id AND r.held AND r.reason = 'not seen in Pipedrive' AND x.mirror_id = r.mirror_id AND x.id = r.id;
    UPDATE pipedrive_internal.refetch r SET held = false FROM pipedrive_internal.reconcile_seen x -- it has to be compared still
     WHERE r.mirror_id = m.mirror_id AND r.held AND x.mirror_id = r.mirror_id AND x.id = r.id;
    EXECUTE format('SELECT coalesce(array_agg(t.%1$I::text) FILTER (WHERE x.id IS NULL), ''{}''), count(*)
                      FROM %2$s t LEFT JOIN pipedrive_internal.reconcile_seen x ON x.mirror_id = $1 AND x.id = t.%1$I::text', m.key_column, m.target) INTO unseen, size USING m.mirror_id;
    IF cardinality(unseen) > pipedrive_internal.delete_limit(size) AND NOT s.may_delete THEN
        PERFORM pipedrive_internal.hold_back(m, unseen, NULL::bigint);
    END IF;
    INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) SELECT m.mirror_id, i, 'not seen in Pipedrive' FROM unnest(unseen) AS i
     ORDER BY length(i), i COLLATE "C" ON CONFLICT DO NOTHING;
    EXECUTE format('INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason)
                    SELECT $1, x.id, ''not in the mirror'' FROM pipedrive_internal.reconcile_seen x
                     WHERE x.mirror_id = $1 AND NOT EXISTS (SELECT FROM %2$s t WHERE t.%1$I::text = x.id)
                     ORDER BY length(x.id), x.id ON CONFLICT DO NOTHING', m.key_column, m.target) USING m.mirror_id;
    DELETE FROM pipedrive_internal.reconcile_seen x WHERE x.mirror_id = m.mirror_id;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.mark_differences(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state) IS
    'rows on one side only are read by id before anything is deleted';
