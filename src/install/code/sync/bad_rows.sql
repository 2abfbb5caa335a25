-- Rows that a mirror cannot hold as Pipedrive has them: a value that does not fit, or a constraint,
-- an index or a trigger of the table's owner that refuses. One costs that row and no other: it is
-- written down with column and reason, told once, and read again by later runs.

-- What is not about a row (no rights, no table, no memory, a deadlock) any other row would meet
-- too.
CREATE OR REPLACE FUNCTION pipedrive_internal.is_refusal(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT state ~ '^(09|21|22|23|27|2F|38|39|44|45|54|P0|[689I-OQ-WYZ])'
$$;
COMMENT ON FUNCTION pipedrive_internal.is_refusal(text) IS
    'whether an error of that SQLSTATE is about a row: its values, a constraint, or what the code '
    'of a trigger says to it';

-- A warning may stand in the server's log: it quotes no row.
CREATE OR REPLACE FUNCTION pipedrive_internal.note_bad_rows(
    m pipedrive_internal.mirror, set_aside jsonb)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b record;
    told integer := 0;
BEGIN
    FOR b IN SELECT r.id, r."column" AS column_name, r.reason,
                    coalesce(r.told, r.reason) AS told
               FROM jsonb_to_recordset(set_aside)
                    AS r (id text, "column" text, reason text, told text)
              ORDER BY length(r.id), r.id COLLATE "C" LOOP
        UPDATE pipedrive_internal.bad_row x
           SET seen_at = clock_timestamp(), arrival = nextval('pipedrive_internal.arrival'),
               column_name = b.column_name, reason = b.reason
         WHERE x.mirror_id = m.mirror_id AND x.id = b.id;
        CONTINUE WHEN FOUND;
        INSERT INTO pipedrive_internal.bad_row (mirror_id, id, column_name, reason)
        VALUES (m.mirror_id, b.id, b.column_name, b.reason);
        told := told + 1;
        CONTINUE WHEN told > 10;
        RAISE WARNING USING
            MESSAGE = format('mirror "%s" cannot hold row id %s as Pipedrive has it%s', m.target,
                             b.id, coalesce(': column "' || b.column_name || '"', '')),
            DETAIL = b.told, HINT = 'The other rows go on. See pipedrive.bad_rows.';
    END LOOP;
    IF told > 10 THEN
        RAISE WARNING USING
            MESSAGE = format('mirror "%s" cannot hold %s more rows as Pipedrive has them', m.target,
                             told - 10),
            HINT = 'See pipedrive.bad_rows.';
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.note_bad_rows(pipedrive_internal.mirror, jsonb) IS
    'writes rows that were set aside into bad_row; warns of those that are new';

-- The row-wise way into the staging table, for a run of which some row could not be staged.
CREATE OR REPLACE FUNCTION pipedrive_internal.stage_row(which integer, source_row anyelement)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    context text;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    EXECUTE format('INSERT INTO pg_temp.pipedrive_stage (%s) SELECT %s',
                   pipedrive_internal.column_list(m.target),
                   pipedrive_internal.column_list(m.target, '($1).'::text)) USING source_row;
    RETURN true;
EXCEPTION WHEN assert_failure OR OTHERS THEN
    IF NOT pipedrive_internal.is_refusal(SQLSTATE) THEN
        RAISE;
    END IF;
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    PERFORM pipedrive_internal.note_bad_rows(m, jsonb_build_array(jsonb_build_object(
        'id', to_jsonb(source_row) ->> m.key_column::text, 'reason', format('%s (%s)', SQLERRM, SQLSTATE),
        'told', pipedrive_internal.error_text(SQLSTATE, SQLERRM, NULL::text, NULL::text, context))));
    RETURN false;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.stage_row(integer, anyelement) IS
    'stages one row of a mirror''s source, or writes down why it cannot be stored';

-- A constraint that waits for the end of the transaction would fail it as a whole. Which of them
-- wait is not known: triggers write other tables too. What was checked is not checked again at the
-- end where DEFERRED restores what was declared; no command does where some constraint of the
-- database is INITIALLY IMMEDIATE, since names are not unique: there the checks are undone with
-- their effects.
CREATE OR REPLACE FUNCTION pipedrive_internal.check_deferred() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_constraint k WHERE k.condeferrable AND NOT k.condeferred) THEN
        BEGIN
            SET CONSTRAINTS ALL IMMEDIATE;
            RAISE EXCEPTION USING ERRCODE = 'HVDEF', MESSAGE = 'nothing is refused';
        EXCEPTION WHEN SQLSTATE 'HVDEF' THEN
            NULL;
        END;
    ELSE
        SET CONSTRAINTS ALL IMMEDIATE;
        SET CONSTRAINTS ALL DEFERRED;
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.check_deferred() IS
    'has everything checked now that waits for the end of the transaction';

-- The parts are halved until each refused row stands alone.
CREATE OR REPLACE FUNCTION pipedrive_internal.write_part(m pipedrive_internal.mirror, stage regclass, change_source text, asked bigint,
                            as_of timestamptz, ids text[],
                            OUT written bigint, OUT left_alone text[], OUT refused jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    column_of_error text;
    detail text;
    context text;
    reason text;
    told text;
    half integer;
BEGIN
    BEGIN
        IF stage IS NULL THEN
            written := pipedrive_internal.delete_rows(m.mirror_id, ids, as_of, change_source, asked);
        ELSE
            SELECT w.written, w.left_alone INTO written, left_alone
              FROM pipedrive_internal.merge_rows(m, stage, change_source, asked, ids) AS w;
        END IF;
        PERFORM pipedrive_internal.check_deferred();
        refused := '[]';
        RETURN;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        IF NOT pipedrive_internal.is_refusal(SQLSTATE) THEN
            RAISE;
        END IF;
        GET STACKED DIAGNOSTICS column_of_error = COLUMN_NAME, detail = PG_EXCEPTION_DETAIL,
            context = PG_EXCEPTION_CONTEXT;
        -- the key that is there twice, or is not there; other details show whole rows
        reason := format('%s%s%s (%s)',
                         CASE WHEN stage IS NULL THEN 'gone in Pipedrive, but not deleted: ' END,
                         SQLERRM, CASE WHEN SQLSTATE IN ('23503', '23505', '23P01')
                                       THEN coalesce(': ' || nullif(detail, ''), '') END, SQLSTATE);
        told := pipedrive_internal.error_text(SQLSTATE, SQLERRM, NULL::text, NULL::text, context);
    END;
    IF ids IS NULL THEN -- all that are staged
        EXECUTE format('CREATE INDEX ON %s (%I)', stage, m.key_column);
        EXECUTE format('SELECT array_agg(s.%1$I::text ORDER BY s.%1$I) FROM %2$s s', m.key_column,
                       stage) INTO ids;
    END IF;
    half := cardinality(ids) / 2;
    IF half > 0 THEN
        SELECT a.written + b.written, a.left_alone || b.left_alone, a.refused || b.refused
          INTO written, left_alone, refused
          FROM pipedrive_internal.write_part(m, stage, change_source, asked, as_of, ids[:half]) AS a,
               pipedrive_internal.write_part(m, stage, change_source, asked, as_of, ids[half + 1:]) AS b;
    ELSE
        written := 0;
        refused := jsonb_build_array(jsonb_build_object(
            'id', ids[1], 'column', nullif(column_of_error, ''), 'reason', reason,
            'told', told));
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.write_part(
        pipedrive_internal.mirror, regclass, text, bigint, timestamptz, text[]) IS
    'staged rows of the given ids (NULL: all) go into a mirror, or with no stage its rows of '
    'these ids are deleted; what the table refuses is left out and told, the others go on';
