-- The history that Pipedrive kept before a mirror was made: its own log of a deal, 20 tokens for
-- each page. Each page is committed with the place where the log goes on, so that no page is paid
-- or stored twice, whatever stopped a call.

CREATE OR REPLACE FUNCTION pipedrive_internal.next_log_page(answer jsonb, followed text[])
RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    more jsonb := answer -> 'additional_data';
    next_cursor text := nullif(more ->> 'next_cursor', '');
    reason text := CASE
        WHEN answer -> 'success' = 'false' THEN 'The API answered "success": false.'
        WHEN coalesce(jsonb_typeof(answer -> 'data') IN ('array', 'null'), false) IS FALSE THEN 'The answer has no "data" array.'
        WHEN coalesce(jsonb_typeof(more), 'null') NOT IN ('object', 'null') THEN 'It cannot be read whether there is more: "additional_data" is no object.'
        WHEN coalesce(jsonb_typeof(more -> 'next_cursor'), 'null') NOT IN ('string', 'null') THEN 'It cannot be read whether there is more: "next_cursor" is neither a text nor null.'
        WHEN next_cursor = ANY (followed) THEN 'Its "next_cursor" leads back to a page that was read already.'
        WHEN next_cursor IS NULL AND more #> '{pagination,more_items_in_collection}' = 'true' THEN 'The answer says that there are more rows, and gives no way to ask for them.' END;
BEGIN
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_unable_to_create_reply', MESSAGE = 'invalid reply from Pipedrive for "changelog"', DETAIL = reason;
    END IF;
    RETURN next_cursor;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.next_log_page(jsonb, text[]) IS
    'where a deal''s log goes on, NULL for its end; the error for an answer that does not tell';

-- What an earlier backfill has stored goes with the first page: a log that is read from the start
-- is not told twice.
CREATE OR REPLACE FUNCTION pipedrive_internal.backfill_page(
    m pipedrive_internal.mirror, server name, deal text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    followed text[] := coalesce((SELECT b.cursors FROM pipedrive_internal.backfilled b WHERE b.mirror_id = m.mirror_id AND b.id = deal), '{}');
    answer jsonb := pipedrive_internal.request(server, 'GET'::text, pipedrive_internal.log_path(m.entity, deal) || '?limit=500' || coalesce('&cursor=' || pipedrive_internal.url_value(followed[cardinality(followed)]), ''));
    next_cursor text := pipedrive_internal.next_log_page(answer, followed);
BEGIN
    IF cardinality(followed) = 0 THEN
        DELETE FROM pipedrive.changes c
         WHERE c.mirror_id = m.mirror_id AND c.change_source = 'backfill'
           AND CASE WHEN octet_length(c.id) BETWEEN 1 AND 18 AND c.id !~ '[^0-9]'
                    THEN c.id::bigint END = deal::bigint;
    END IF;
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
    SELECT m.mirror_id, m.entity, deal, k.attname, pipedrive_internal.logged_value(l.old_value, k.atttypid), pipedrive_internal.logged_value(l.new_value, k.atttypid),
           t.at, 'backfill'
      FROM jsonb_to_recordset(jsonb_path_query_array(answer -> 'data', '$[*] ? (@.type() == "object")')) AS l (field_key text, old_value text, new_value text, "time" jsonb)
      JOIN LATERAL (SELECT pipedrive_internal.as_time(l."time")) AS t (at) ON t.at IS NOT NULL -- what has no time has no place in a history
      JOIN LATERAL (SELECT c.attname, a.atttypid FROM pipedrive_internal.table_columns c JOIN pg_attribute a ON a.attrelid = m.target AND a.attname = c.attname
                     WHERE c.relation = m.source AND c.field = l.field_key AND c.subfield IN ('', 'id') ORDER BY c.subfield LIMIT 1) k ON true
     WHERE NOT EXISTS (SELECT FROM pipedrive.changes x WHERE x.mirror_id = m.mirror_id
                          AND CASE WHEN octet_length(x.id) BETWEEN 1 AND 18 AND x.id !~ '[^0-9]'
                    THEN x.id::bigint END = deal::bigint AND x.field = k.attname AND x.change_source <> 'backfill'
                          AND x.changed_at <= t.at);
    INSERT INTO pipedrive_internal.backfilled AS b (mirror_id, id, complete, cursors)
    VALUES (m.mirror_id, deal, next_cursor IS NULL, CASE WHEN next_cursor IS NULL THEN '{}' ELSE followed || next_cursor END)
        ON CONFLICT (mirror_id, id) DO UPDATE SET complete = excluded.complete, cursors = excluded.cursors, failed_at = NULL;
    PERFORM pipedrive_internal.record_change_count(m.mirror_id, 1);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.backfill_page(pipedrive_internal.mirror, name, text) IS
    'the next page of the earlier history of one deal: one request';

CREATE OR REPLACE FUNCTION pipedrive_internal.logged_value(value text, type oid) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
    SELECT CASE WHEN value IS NULL THEN NULL
                WHEN type IN ('bigint'::regtype, 'numeric'::regtype) AND length(value) < 400 AND value ~ '^-?[0-9]+(\.[0-9]+)?$' THEN to_jsonb(value::numeric)
                ELSE to_jsonb(value) END
$$;
COMMENT ON FUNCTION pipedrive_internal.logged_value(text, oid) IS
    'a value of Pipedrive''s log as it stands in pipedrive.changes';

CREATE OR REPLACE FUNCTION pipedrive_internal.log_path(entity text, id text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT replace(e.changelog, '{id}', pipedrive_internal.url_value(id)) FROM pipedrive.entities e
     WHERE e.entity = log_path.entity
$$;
COMMENT ON FUNCTION pipedrive_internal.log_path(text, text) IS
    'where Pipedrive has the log of a record; NULL where it keeps none';

CREATE OR REPLACE FUNCTION pipedrive_internal.logged_mirror(mirror regclass) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    which integer := (SELECT m.mirror_id FROM pipedrive_internal.mirror m
                       WHERE (m.target = mirror OR m.source = mirror)
                         AND pipedrive_internal.log_path(m.entity, '0'::text) IS NOT NULL);
BEGIN
    IF which IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('"%s" is not a mirror of %s', mirror,
                             (SELECT string_agg(e.entity, ' or ') FROM pipedrive.entities e
                               WHERE e.changelog IS NOT NULL));
    END IF;
    RETURN which;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.logged_mirror(regclass) IS
    'number of a mirror whose records Pipedrive logs, by local or foreign table';

-- A failure is written down; what was paid for it stays paid.
CREATE OR REPLACE FUNCTION pipedrive_internal.backfill_step(
    which integer, begun timestamptz, budget bigint)
RETURNS pipedrive_internal.step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
    server name;
    deal text;
    spent bigint := pipedrive_internal.tokens_spent();
    step pipedrive_internal.step := ROW('more', 0, 0, 0)::pipedrive_internal.step;
    message text;
    detail text;
    hint text;
    context text;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    IF NOT pg_try_advisory_xact_lock(1885958757, which) THEN
        RAISE NOTICE USING MESSAGE = format('the history of mirror "%s" is being fetched by another session', m.target);
        RETURN ROW('busy', 0, 0, 0)::pipedrive_internal.step;
    END IF;
    PERFORM pipedrive_internal.require_own(m.source, m.target);
    server := pipedrive_internal.server_of(m.source);
    EXECUTE format('SELECT t.%1$I::text FROM %2$s t LEFT JOIN pipedrive_internal.backfilled b ON b.mirror_id = $1 AND b.id = t.%1$I::text
                     WHERE b.complete IS NOT TRUE AND (b.failed_at < $2) IS NOT FALSE
                     ORDER BY b.failed_at NULLS FIRST, b.id IS NULL, t.%1$I DESC LIMIT 1', m.key_column, m.target)
       INTO deal USING which, begun;
    IF deal IS NULL THEN
        RETURN ROW('done', 0, 0, 0)::pipedrive_internal.step;
    END IF;
    BEGIN
        PERFORM pipedrive_internal.check_account(server);
        IF pipedrive_internal.tokens_spent() - spent + 20 > budget THEN
            step.status := 'budget';
        ELSE
            PERFORM pipedrive_internal.backfill_page(m, server, deal);
        END IF;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        step.status := CASE WHEN pipedrive_internal.is_unreachable(SQLSTATE) OR pipedrive_internal.tokens_spent() = spent THEN 'unreachable' ELSE 'error' END;
        IF pipedrive_internal.tokens_spent() > spent THEN -- a request that is refused may have a cursor that has grown too old: from the start then
            INSERT INTO pipedrive_internal.backfilled AS b (mirror_id, id, complete, failed_at) VALUES (which, deal, false, clock_timestamp())
                ON CONFLICT (mirror_id, id) DO UPDATE SET failed_at = excluded.failed_at, cursors = CASE WHEN SQLSTATE = 'HV00L' THEN '{}' ELSE b.cursors END;
        END IF;
        RAISE WARNING USING MESSAGE = format('could not fetch the history of deal %s: %s', deal, pipedrive_internal.error_text(SQLSTATE, message, detail, hint, context));
    END;
    step.tokens := pipedrive_internal.tokens_spent() - spent;
    UPDATE pipedrive_internal.mirror_state x
       SET tokens_today = CASE WHEN x.token_day = pipedrive_internal.today() THEN x.tokens_today ELSE 0 END + step.tokens, token_day = pipedrive_internal.today()
     WHERE x.mirror_id = which AND step.tokens <> 0;
    RETURN step;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.backfill_step(integer, timestamptz, bigint) IS
    'one page of the log of the next deal: one begun first, one that has failed last, and not '
    'again since then; within a budget';

CREATE OR REPLACE PROCEDURE pipedrive.backfill_history(mirror regclass, max_tokens bigint)
LANGUAGE plpgsql AS $$
DECLARE
    which integer := pipedrive_internal.logged_mirror(mirror);
    begun pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    step pipedrive_internal.step;
    spent bigint := 0;
    failed bigint := 0;
BEGIN
    WHILE spent OPERATOR(pg_catalog.+) 20 OPERATOR(pg_catalog.<=) max_tokens LOOP
        PERFORM pipedrive_internal.limit_tokens(max_tokens OPERATOR(pg_catalog.-) spent);
        SELECT s.* INTO step FROM pipedrive_internal.backfill_step(which, begun, max_tokens OPERATOR(pg_catalog.-) spent) AS s; -- one statement: it has one limit
        COMMIT;
        spent := spent OPERATOR(pg_catalog.+) step.tokens;
        IF step.status OPERATOR(pg_catalog.=) ANY (ARRAY['error', 'unreachable']) THEN
            failed := failed OPERATOR(pg_catalog.+) 1;
        END IF;
        IF step.status OPERATOR(pg_catalog.=) 'budget' THEN -- it was asked whose account it is, and too little is left
            RAISE NOTICE 'mirror "%": stopped at % tokens, the next call goes on from here', mirror, spent;
        END IF;
        EXIT WHEN step.status OPERATOR(pg_catalog.<>) ALL (ARRAY['more', 'error']);
    END LOOP;
    IF failed OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_error',
            MESSAGE = pg_catalog.format('the history of %s could not be fetched', CASE failed WHEN 1 THEN 'one deal' ELSE pg_catalog.format('%s deals', failed) END),
            HINT = 'What was fetched is kept. See the warnings; the next call goes on, and tries again what failed after all others.';
    END IF;
END
$$;
COMMENT ON PROCEDURE pipedrive.backfill_history(regclass, bigint) IS
    'fetches what Pipedrive logged of deals before they were mirrored into pipedrive.changes, '
    'newest deals first, 20 tokens for each page of a deal''s log (500 changes), at most '
    'max_tokens; the next call goes on, within a deal too';
