-- A part of a list, read into the session's temporary table pipedrive_stage.

-- The part belongs to this one statement: nothing is armed that another scan of the table could
-- take.
CREATE OR REPLACE FUNCTION pipedrive_internal.walk(source regclass, from_position text, pages integer, above_id bigint, stage name, statement text, VARIADIC arguments "any",
                      OUT next_position text, OUT tokens bigint, OUT rows bigint, OUT pages_read bigint, OUT written bigint, OUT set_aside jsonb,
                      OUT answered_at timestamptz, OUT highest_id bigint)
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pipedrive_fdw_walk';
COMMENT ON FUNCTION pipedrive_internal.walk(regclass, text, integer, bigint, name, text, "any") IS
    'runs a statement that scans the table once, with the further arguments as $1 and so on, on '
    'so many pages (0: all) from that position (NULL: the start), with above_id newest rows first '
    'and down to that id; with stage the rows of a SELECT go into a temporary table, made if '
    'there are any; where it ended (NULL: everything was read), what it cost, how many rows the '
    'statement wrote, which it did not get as a value of theirs does not fit, Pipedrive''s clock '
    'at the first answer, and the highest id of the first list';

CREATE OR REPLACE FUNCTION pipedrive_internal.staged_ids(m pipedrive_internal.mirror) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids text[];
BEGIN
    IF to_regclass('pg_temp.pipedrive_stage') IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(s.%I::text) FROM pg_temp.pipedrive_stage s',
                       m.key_column) INTO ids;
    END IF;
    RETURN coalesce(ids, '{}');
END
$$;
COMMENT ON FUNCTION pipedrive_internal.staged_ids(pipedrive_internal.mirror) IS
    'keys of the rows that the last part brought';

-- Row by row, the table is there beforehand; otherwise it is made with the first row. It has the
-- types of our columns and nothing else: what the owner asks of a row is for the writer to find
-- out.
CREATE OR REPLACE FUNCTION pipedrive_internal.clear_stage(m pipedrive_internal.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('pg_temp.pipedrive_stage') IS NOT NULL THEN
        DROP TABLE pg_temp.pipedrive_stage;
    END IF;
    IF (SELECT x.row_by_row FROM pipedrive_internal.mirror_state x WHERE x.mirror_id = m.mirror_id) THEN
        EXECUTE format('CREATE TEMP TABLE pipedrive_stage ON COMMIT DROP
                            AS SELECT %s FROM %s WITH NO DATA',
                       pipedrive_internal.column_list(m.target), m.target);
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.clear_stage(pipedrive_internal.mirror) IS
    'takes away the temporary table pipedrive_stage of an earlier part of this transaction';

-- Of a list that is read whole only what is news is staged, and what is in the mirror alone.
CREATE OR REPLACE FUNCTION pipedrive_internal.part_statement(m pipedrive_internal.mirror, condition text, whole boolean,
                                row_by_row boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
           WHEN row_by_row THEN
               format('SELECT pipedrive_internal.stage_row(%s, %s) FROM %s e WHERE %s', m.mirror_id,
                      pipedrive_internal.source_row(m), m.source, CASE WHEN whole THEN 'true' ELSE condition END)
           WHEN whole THEN
               format('SELECT %1$s, gone.id::text AS _gone FROM %2$s e
                         FULL JOIN (SELECT t.%5$I AS id FROM %3$s t) AS gone ON gone.id = e.%5$I
                        WHERE e.%5$I IS NULL OR %4$s',
                      pipedrive_internal.column_list(m.target, 'e.'::text), m.source, m.target, condition,
                      m.key_column)
           ELSE format('SELECT %s FROM %s e WHERE %s', pipedrive_internal.column_list(m.target), m.source,
                       condition) END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.part_statement(pipedrive_internal.mirror, text, boolean, boolean) IS
    'the statement that reads a part of a mirror''s source';

CREATE OR REPLACE FUNCTION pipedrive_internal.vanished(
    m pipedrive_internal.mirror, asked bigint, row_by_row boolean)
RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids text[];
BEGIN
    IF to_regclass('pg_temp.pipedrive_stage') IS NULL THEN
        RETURN ARRAY[]::text[];
    ELSIF row_by_row THEN
        EXECUTE format('SELECT array_agg(t.%1$I::text) FROM %2$s t
                         WHERE NOT EXISTS (SELECT FROM unnest($1::%3$s[]) AS s (id)
                                            WHERE s.id = t.%1$I)',
                       m.key_column, m.target, m.key_type)
           INTO ids USING pipedrive_internal.staged_ids(m);
    ELSE
        EXECUTE format('WITH gone AS (DELETE FROM pg_temp.pipedrive_stage s
                                       WHERE s.%I IS NULL RETURNING s._gone)
                        SELECT array_agg(g._gone) FROM gone g', m.key_column) INTO ids;
    END IF;
    RETURN ARRAY(SELECT i FROM unnest(ids) AS i
                  WHERE NOT EXISTS (SELECT FROM pipedrive_internal.bad_row b
                                     WHERE b.mirror_id = m.mirror_id AND b.id = i
                                       AND b.arrival >= asked));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.vanished(pipedrive_internal.mirror, bigint, boolean) IS
    'rows of a mirror that a list, read whole, did not have';

-- The rows of a part of the source are in the temporary table pipedrive_stage then, if there are
-- any: condition on $1 (since) and $2 (keys). At most `pages` pages from the run's position.
CREATE OR REPLACE FUNCTION pipedrive_internal.read_part(m pipedrive_internal.mirror, condition text, since timestamptz, ids text[],
                           from_position text, pages integer, above_id bigint, whole boolean,
                           OUT next_position text, OUT tokens bigint, OUT rows bigint,
                           OUT pages_read bigint, OUT answered_at timestamptz,
                           OUT highest_id bigint, OUT asked bigint, OUT vanished text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    w record;
    row_by_row boolean;
BEGIN
    PERFORM pipedrive_internal.clear_stage(m);
    asked := nextval('pipedrive_internal.arrival');
    SELECT x.row_by_row INTO STRICT row_by_row
      FROM pipedrive_internal.mirror_state x WHERE x.mirror_id = m.mirror_id;
    SELECT * INTO w
      FROM pipedrive_internal.walk(m.source, from_position, pages, above_id,
                           CASE WHEN NOT row_by_row THEN 'pipedrive_stage'::name END,
                           pipedrive_internal.part_statement(m, condition, whole, row_by_row), since, ids);
    PERFORM pipedrive_internal.note_bad_rows(m, coalesce(w.set_aside, '[]'::jsonb));
    IF whole THEN
        vanished := pipedrive_internal.vanished(m, asked, row_by_row);
    END IF;
    next_position := w.next_position;
    tokens := w.tokens;
    rows := w.rows;
    pages_read := w.pages_read;
    answered_at := w.answered_at;
    highest_id := w.highest_id;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.read_part(
        pipedrive_internal.mirror, text, timestamptz, text[], text, integer, bigint, boolean) IS
    'reads a part of a source table into the session''s staging table; whole: all of it at once, '
    'and which rows of the mirror it did not have';
