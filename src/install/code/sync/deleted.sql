-- Rows that the API lists as deleted.

-- What is deleted while a list is walked is later than the run's first answer, and so than the
-- watermark: the next run asks for it.
--
-- A list whose first request is refused cannot be read, and is passed over. A later refusal is an
-- error: there it may be the cursor that is too old. So that one cannot be taken for the other, the
-- first part is one page.
CREATE OR REPLACE FUNCTION pipedrive_internal.walk_deleted(m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, condition text,
                              pages integer, OUT next_position text, OUT tokens bigint,
                              OUT rows bigint, OUT pages_read bigint, OUT answered_at timestamptz,
                              OUT refused text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    spent bigint := pipedrive_internal.tokens_spent();
    message text;
    detail text;
    place text;
BEGIN
    -- only what is news; whether a row says itself that it is deleted
    SELECT w.next_position, w.tokens, w.rows, w.pages_read, w.answered_at
      INTO next_position, tokens, rows, pages_read, answered_at
      FROM pipedrive_internal.walk(
          m.deleted_source, s.walk_position, CASE WHEN s.walk_position IS NULL THEN 1 ELSE pages END,
          NULL::bigint, 'pipedrive_gone'::name,
          format('SELECT d.%4$I::text AS id,
                         (d.is_deleted OR d.status = ''deleted'') IS TRUE AS gone FROM %1$s d
                   WHERE %2$s AND (SELECT true FROM %3$s t WHERE t.%4$I = d.%4$I)',
                 m.deleted_source, condition, m.target, m.key_column), s.since) AS w;
EXCEPTION WHEN fdw_unable_to_create_execution OR fdw_table_not_found OR insufficient_privilege THEN
    IF s.walk_position IS NOT NULL THEN
        RAISE;
    END IF;
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        place = PG_EXCEPTION_CONTEXT;
    refused := pipedrive_internal.error_text(SQLSTATE, message, detail, NULL::text, place);
    tokens := pipedrive_internal.tokens_spent() - spent;
    rows := 0;
    pages_read := 0;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.walk_deleted(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, text, integer) IS
    'stages ids of rows that the API lists as deleted and the mirror has; a part of the list, as '
    'walk() tells; refused: why the list cannot be read';

-- When the list can be read again, it is asked for all that was deleted since it could not.
CREATE OR REPLACE FUNCTION pipedrive_internal.pass_over(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, reason text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pipedrive_internal.mirror_state x
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
COMMENT ON FUNCTION pipedrive_internal.pass_over(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, text) IS
    'tells that a list of deleted rows is refused, and remembers since when';

CREATE OR REPLACE FUNCTION pipedrive_internal.listed_as(gone boolean) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('pg_temp.pipedrive_gone') IS NULL THEN
        RETURN ARRAY[]::text[];
    END IF;
    RETURN ARRAY(SELECT s.id FROM pg_temp.pipedrive_gone s WHERE s.gone = listed_as.gone);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.listed_as(boolean) IS
    'ids that walk_deleted() staged, those that say themselves that they are deleted or the others';

CREATE OR REPLACE FUNCTION pipedrive_internal.step_deleted(
    m pipedrive_internal.mirror, s pipedrive_internal.mirror_state, condition text, pages integer)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w record;
    asked bigint := nextval('pipedrive_internal.arrival');
BEGIN
    IF to_regclass('pg_temp.pipedrive_gone') IS NOT NULL THEN
        DROP TABLE pg_temp.pipedrive_gone;
    END IF;
    s.since := least(s.since, (s.passed_over ->> s.phase)::timestamptz);
    SELECT * INTO w FROM pipedrive_internal.walk_deleted(m, s, condition, pages);
    IF w.refused IS NOT NULL THEN
        PERFORM pipedrive_internal.pass_over(m, s, w.refused);
    ELSIF w.next_position IS NULL AND s.passed_over ? s.phase THEN
        UPDATE pipedrive_internal.mirror_state x SET passed_over = x.passed_over - s.phase WHERE x.mirror_id = m.mirror_id;
    END IF;
    PERFORM pipedrive_internal.delete_vanished(m, pipedrive_internal.listed_as(true), w.answered_at, asked);
    -- a server that takes no notice of the status lists rows that are there
    INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason)
    SELECT m.mirror_id, i, 'listed as deleted' FROM unnest(pipedrive_internal.listed_as(false)) AS i
     ORDER BY length(i), i COLLATE "C" ON CONFLICT DO NOTHING;
    PERFORM pipedrive_internal.note_part(m, s, w.next_position, w.answered_at, NULL::bigint);
    RETURN ROW('more', w.tokens, w.rows, w.pages_read)::pipedrive_internal.step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.step_deleted(
        pipedrive_internal.mirror, pipedrive_internal.mirror_state, text, integer) IS
    'one batch of the rows that the API lists as deleted; those that do not say so themselves are '
    'read by id';
