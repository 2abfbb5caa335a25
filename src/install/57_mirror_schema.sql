-- The history that Pipedrive kept before a mirror was made, and mirrors whose tables are dropped.

-- Pipedrive's own log of a deal: 20 tokens for each page of it. Each page is committed with the place where the log goes on, so that no
-- page is paid or stored twice, whatever stopped a call.
CREATE TABLE backfilled (
    mirror_id integer NOT NULL REFERENCES mirror ON DELETE CASCADE,
    id bigint NOT NULL,
    complete boolean NOT NULL DEFAULT true,
    cursors text[] NOT NULL DEFAULT '{}',
    failed_at timestamptz,
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE backfilled IS 'deals whose earlier history was fetched, or begun';
COMMENT ON COLUMN backfilled.complete IS 'whether all of it was';
COMMENT ON COLUMN backfilled.cursors IS 'pages of an incomplete one that were told so far; the last is the next to read';
COMMENT ON COLUMN backfilled.failed_at IS 'when its last page could not be read: it is tried again after all others';
SELECT pg_catalog.pg_extension_config_dump('backfilled', '');

CREATE FUNCTION _url_value(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
    SELECT coalesce(string_agg(CASE WHEN c ~ '^[A-Za-z0-9_.~-]$' THEN c
                                    ELSE upper(regexp_replace(encode(convert_to(c, 'UTF8'), 'hex'), '(..)', '%\1', 'g')) END, '' ORDER BY n), '')
      FROM regexp_split_to_table(value, '') WITH ORDINALITY AS s (c, n)
$$;
COMMENT ON FUNCTION _url_value(text) IS 'a text as the value of a parameter in a URL';

CREATE FUNCTION _next_log_page(answer jsonb, followed text[]) RETURNS text
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
COMMENT ON FUNCTION _next_log_page(jsonb, text[]) IS 'where a deal''s log goes on, NULL for its end; the error for an answer that does not tell';

-- What an earlier backfill has stored goes with the first page: a log that is read from the start is not told twice.
CREATE FUNCTION _backfill_page(m pipedrive.mirror, server name, deal bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    followed text[] := coalesce((SELECT b.cursors FROM pipedrive.backfilled b WHERE b.mirror_id = m.mirror_id AND b.id = deal), '{}');
    answer jsonb := pipedrive._request(server, 'GET'::text, format('/v1/deals/%s/changelog?limit=500%s', deal, '&cursor=' || pipedrive._url_value(followed[cardinality(followed)])));
    next_cursor text := pipedrive._next_log_page(answer, followed);
BEGIN
    IF cardinality(followed) = 0 THEN
        DELETE FROM pipedrive.changes c WHERE c.mirror_id = m.mirror_id AND c.id = deal AND c.change_source = 'backfill';
    END IF;
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
    SELECT m.mirror_id, m.entity, deal, k.attname, pipedrive._logged_value(l.old_value, k.atttypid), pipedrive._logged_value(l.new_value, k.atttypid),
           t.at, 'backfill'
      FROM jsonb_to_recordset(jsonb_path_query_array(answer -> 'data', '$[*] ? (@.type() == "object")')) AS l (field_key text, old_value text, new_value text, "time" jsonb)
      JOIN LATERAL (SELECT pipedrive._as_time(l."time")) AS t (at) ON t.at IS NOT NULL -- what has no time has no place in a history
      JOIN LATERAL (SELECT c.attname, a.atttypid FROM pipedrive._table_columns c JOIN pg_attribute a ON a.attrelid = m.target AND a.attname = c.attname
                     WHERE c.relation = m.source AND c.field = l.field_key AND c.subfield IN ('', 'id') ORDER BY c.subfield LIMIT 1) k ON true
     WHERE NOT EXISTS (SELECT FROM pipedrive.changes x WHERE x.mirror_id = m.mirror_id AND x.id = deal AND x.field = k.attname AND x.change_source <> 'backfill'
                          AND x.changed_at <= t.at);
    INSERT INTO pipedrive.backfilled AS b (mirror_id, id, complete, cursors)
    VALUES (m.mirror_id, deal, next_cursor IS NULL, CASE WHEN next_cursor IS NULL THEN '{}' ELSE followed || next_cursor END)
        ON CONFLICT (mirror_id, id) DO UPDATE SET complete = excluded.complete, cursors = excluded.cursors, failed_at = NULL;
    PERFORM pipedrive._record_change_count(m.mirror_id, 1);
END
$$;
COMMENT ON FUNCTION _backfill_page(pipedrive.mirror, name, bigint) IS 'the next page of the earlier history of one deal: one request';

CREATE FUNCTION _logged_value(value text, type oid) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
    SELECT CASE WHEN value IS NULL THEN NULL
                WHEN type IN ('bigint'::regtype, 'numeric'::regtype) AND length(value) < 400 AND value ~ '^-?[0-9]+(\.[0-9]+)?$' THEN to_jsonb(value::numeric)
                ELSE to_jsonb(value) END
$$;
COMMENT ON FUNCTION _logged_value(text, oid) IS 'a value of Pipedrive''s log as it stands in pipedrive.changes';

CREATE FUNCTION _deals_mirror(mirror regclass) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    which integer := (SELECT m.mirror_id FROM pipedrive.mirror m WHERE (m.target = mirror OR m.source = mirror) AND m.entity = 'deals');
BEGIN
    IF which IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('"%s" is not a mirror of deals', mirror);
    END IF;
    RETURN which;
END
$$;
COMMENT ON FUNCTION _deals_mirror(regclass) IS 'number of a mirror of deals, by local or foreign table';

CREATE FUNCTION _limit_tokens(most bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_session bigint;
BEGIN
    PERFORM pipedrive._tokens_spent(); -- the setting exists once the library is loaded
    of_session := current_setting('pipedrive_fdw.max_tokens_per_query');
    PERFORM set_config('pipedrive_fdw.max_tokens_per_query', least(most, CASE WHEN of_session > 0 THEN of_session END, 2147483647)::text, true);
END
$$;
COMMENT ON FUNCTION _limit_tokens(bigint) IS 'until the end of the transaction no statement spends more than that, requests that are tried again included';

-- A failure is written down; what was paid for it stays paid.
CREATE FUNCTION _backfill_step(which integer, begun timestamptz, budget bigint) RETURNS pipedrive._step
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    server name;
    deal bigint;
    spent bigint := pipedrive._tokens_spent();
    step pipedrive._step := ROW('more', 0, 0, 0)::pipedrive._step;
    message text;
    detail text;
    hint text;
    context text;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    IF NOT pg_try_advisory_xact_lock(1885958757, which) THEN
        RAISE NOTICE USING MESSAGE = format('the history of mirror "%s" is being fetched by another session', m.target);
        RETURN ROW('busy', 0, 0, 0)::pipedrive._step;
    END IF;
    PERFORM pipedrive._require_own(m.source, m.target);
    server := pipedrive._server_of(m.source);
    EXECUTE format('SELECT t.id FROM %s t LEFT JOIN pipedrive.backfilled b ON b.mirror_id = $1 AND b.id = t.id
                     WHERE b.complete IS NOT TRUE AND (b.failed_at < $2) IS NOT FALSE
                     ORDER BY b.failed_at NULLS FIRST, b.id IS NULL, t.id DESC LIMIT 1', m.target)
       INTO deal USING which, begun;
    IF deal IS NULL THEN
        RETURN ROW('done', 0, 0, 0)::pipedrive._step;
    END IF;
    BEGIN
        PERFORM pipedrive._check_account(server);
        IF pipedrive._tokens_spent() - spent + 20 > budget THEN
            step.status := 'budget';
        ELSE
            PERFORM pipedrive._backfill_page(m, server, deal);
        END IF;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        step.status := CASE WHEN pipedrive._is_unreachable(SQLSTATE) OR pipedrive._tokens_spent() = spent THEN 'unreachable' ELSE 'error' END;
        IF pipedrive._tokens_spent() > spent THEN -- a request that is refused may have a cursor that has grown too old: from the start then
            INSERT INTO pipedrive.backfilled AS b (mirror_id, id, complete, failed_at) VALUES (which, deal, false, clock_timestamp())
                ON CONFLICT (mirror_id, id) DO UPDATE SET failed_at = excluded.failed_at, cursors = CASE WHEN SQLSTATE = 'HV00L' THEN '{}' ELSE b.cursors END;
        END IF;
        RAISE WARNING USING MESSAGE = format('could not fetch the history of deal %s: %s', deal, pipedrive._error_text(SQLSTATE, message, detail, hint, context));
    END;
    step.tokens := pipedrive._tokens_spent() - spent;
    UPDATE pipedrive.mirror_state x
       SET tokens_today = CASE WHEN x.token_day = pipedrive._today() THEN x.tokens_today ELSE 0 END + step.tokens, token_day = pipedrive._today()
     WHERE x.mirror_id = which AND step.tokens <> 0;
    RETURN step;
END
$$;
COMMENT ON FUNCTION _backfill_step(integer, timestamptz, bigint) IS
    'one page of the log of the next deal: one begun first, one that has failed last, and not again since then; within a budget';

CREATE PROCEDURE backfill_history(mirror regclass, max_tokens bigint)
LANGUAGE plpgsql AS $$
DECLARE
    which integer := pipedrive._deals_mirror(mirror);
    begun pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    step pipedrive._step;
    spent bigint := 0;
    failed bigint := 0;
BEGIN
    WHILE spent OPERATOR(pg_catalog.+) 20 OPERATOR(pg_catalog.<=) max_tokens LOOP
        PERFORM pipedrive._limit_tokens(max_tokens OPERATOR(pg_catalog.-) spent);
        SELECT s.* INTO step FROM pipedrive._backfill_step(which, begun, max_tokens OPERATOR(pg_catalog.-) spent) AS s; -- one statement: it has one limit
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
COMMENT ON PROCEDURE backfill_history(regclass, bigint) IS
    'fetches what Pipedrive logged of deals before they were mirrored into pipedrive.changes, newest deals first, 20 tokens for each page of a deal''s log (500 changes), at most max_tokens; the next call goes on, within a deal too';

-- A column that is dropped is not ours any more: the next one of its name is somebody else's.
CREATE FUNCTION _forget_column(relation oid, dropped text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pipedrive.mirror_column k USING pipedrive.mirror m
     WHERE m.target = relation AND k.mirror_id = m.mirror_id AND k.column_name = dropped;
    UPDATE pipedrive.mirror m SET former_columns = array_remove(m.former_columns, dropped::name)
     WHERE m.target = relation AND dropped = ANY (m.former_columns);
    UPDATE pipedrive.detached_mirror d SET columns = array_remove(d.columns, dropped::name)
     WHERE d.target = relation AND dropped = ANY (d.columns)
$$;
COMMENT ON FUNCTION _forget_column(oid, text) IS 'forgets a column of a mirror, or of what was one';

-- A mirror whose tables are dropped is no mirror any more.
CREATE FUNCTION _forget_mirror() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive.mirror m
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid IN (m.source::oid, m.target::oid);
    DELETE FROM pipedrive.mirror_view v
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objid = v.view;
    DELETE FROM pipedrive.detached_mirror x
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid = x.target;
    DELETE FROM pipedrive.detached_view v
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objid = v.view;
    PERFORM pipedrive._forget_column(d.objid, d.address_names[3])
       FROM pg_event_trigger_dropped_objects() d
      WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0;
END
$$;
COMMENT ON FUNCTION _forget_mirror() IS 'event trigger function: forgets mirrors whose foreign or local table was dropped';
CREATE EVENT TRIGGER pipedrive_forget_mirror ON sql_drop
    WHEN TAG IN ('DROP SERVER', 'DROP FOREIGN TABLE', 'ALTER TABLE', 'DROP TABLE', 'DROP VIEW', 'DROP TYPE', 'DROP DOMAIN', 'DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION') EXECUTE FUNCTION _forget_mirror();
COMMENT ON EVENT TRIGGER pipedrive_forget_mirror IS 'forgets mirrors whose foreign or local table was dropped';
