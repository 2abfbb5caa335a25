-- Taking events in: read, applied or queued, and stored with what became of them.

CREATE OR REPLACE FUNCTION pipedrive_internal.reason(state text, message text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(CASE WHEN state LIKE '54%' THEN 'the record is too large for a row, or nested too deep'
                     WHEN state LIKE 'HV%' THEN message ELSE pipedrive_internal.condition(state) END, 200) || ' (' || state || ')'
$$;
COMMENT ON FUNCTION pipedrive_internal.reason(text, text) IS
    'an error without what it may quote of a body; this library''s own messages (class HV) quote '
    'none';

CREATE OR REPLACE FUNCTION pipedrive_internal.must_be_read(
    e pipedrive_internal.event, outcome text, error text)
RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT outcome LIKE 'failed%' OR error IS NOT NULL -- it waits for whoever holds the row
        OR e.source_entity IS NOT NULL AND (e.kind IS NULL -- an action that is new to us
                                            OR outcome LIKE 'ignored%') -- of nobody knows which account
$$;
COMMENT ON FUNCTION pipedrive_internal.must_be_read(pipedrive_internal.event, text, text) IS
    'whether an event was not applied though its record may have changed';

CREATE OR REPLACE FUNCTION pipedrive_internal.ingest(
    payload jsonb, raw text, mode text, server name)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e pipedrive_internal.event;
    outcome text;
    error text;
    detail text;
    hint text;
    context text;
BEGIN
    IF mode IS NULL OR mode NOT IN ('apply', 'queue', 'refetch') THEN
        RAISE EXCEPTION 'invalid mode' USING ERRCODE = '22023', HINT = 'Modes are apply, queue and refetch.';
    END IF;
    BEGIN
        e := CASE WHEN raw IS NULL THEN pipedrive_internal.read_event(payload) ELSE pipedrive_internal.salvage(raw) END;
        e.server := ingest.server;
        -- known ones are told apart before anything is locked
        UPDATE pipedrive.inbox i SET attempt = greatest(i.attempt + 1, e.attempt) WHERE i.key = e.key;
        IF FOUND THEN
            RETURN 'duplicate';
        ELSIF e.problem IS NOT NULL THEN
            outcome := 'failed: ' || e.problem;
        ELSIF mode = 'queue' THEN
            outcome := 'queued';
        ELSE
            outcome := pipedrive_internal.apply_event(CASE mode WHEN 'refetch' THEN pipedrive_internal.fetched(e) ELSE e END);
        END IF;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS error = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        -- somebody else holds the row: not the event's fault
        outcome := CASE WHEN SQLSTATE IN ('55P03', '40P01', '40001') THEN 'queued' ELSE 'failed: ' || pipedrive_internal.reason(SQLSTATE, error) END;
        error := format('%s: %s', SQLSTATE, pipedrive_internal.error_text(SQLSTATE, error, detail, hint, context));
    END;
    IF pipedrive_internal.must_be_read(e, outcome, error) THEN
        PERFORM pipedrive_internal.mark_unapplied(e);
    END IF;
    RETURN pipedrive_internal.store_event(e, payload, raw, outcome, error);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.ingest(jsonb, text, text, name) IS
    'ingest_webhook() for a body that was read, or one that jsonb cannot hold (raw)';

-- Nothing before this has locked a row of the inbox, and it waits for sessions only that are about
-- to end. No ON CONFLICT: under repeatable read and serializable it fails alike for an event that
-- is there and for one that is not.
CREATE OR REPLACE FUNCTION pipedrive_internal.store_event(
    e pipedrive_internal.event, payload jsonb, raw text, outcome text, error text)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    violated text;
BEGIN
    e.key := coalesce(e.key, 'body:' || encode(sha256(convert_to(coalesce(raw, payload::text, ''), 'UTF8')), 'hex'));
    INSERT INTO pipedrive.inbox (key, processed_at, event_time, attempt, version, entity, entity_id,
                                 action, company_id, server, status, outcome, error, body, raw)
    VALUES (e.key, CASE WHEN outcome NOT LIKE 'queued%' THEN clock_timestamp() END, e.event_time,
            coalesce(e.attempt, 1), e.version, e.entity, e.entity_id, e.action, e.company_id,
            e.server, split_part(outcome, ':', 1), outcome, error, payload, raw);
    RETURN outcome;
EXCEPTION WHEN unique_violation THEN
    GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
    IF violated <> 'inbox_pkey' THEN
        RAISE;
    END IF;
    RETURN 'duplicate';
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.store_event(pipedrive_internal.event, jsonb, text, text, text) IS
    'puts an event into the inbox unless it is there; its outcome';

CREATE OR REPLACE FUNCTION pipedrive_internal.ingest_text(payload text, mode text, server name)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    body jsonb;
BEGIN
    BEGIN
        body := payload::jsonb;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        RETURN pipedrive_internal.ingest(NULL::jsonb, payload, mode, server);
    END;
    RETURN pipedrive_internal.ingest(body, NULL::text, mode, server);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.ingest_text(text, text, name) IS
    'ingest_webhook() for a body that may be anything';

CREATE OR REPLACE FUNCTION pipedrive.ingest_webhook(
    payload jsonb, mode text DEFAULT 'apply', server name DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
    RETURN pipedrive_internal.ingest(payload, NULL::text, mode, pipedrive_internal.existing_server(server));
END
$$;
COMMENT ON FUNCTION pipedrive.ingest_webhook(jsonb, text, name) IS
    'stores a webhook event and applies it (mode apply), applies the whole record as read with '
    'one request (refetch), or only stores it (queue); returns applied, stale, duplicate, '
    'deleted, queued, ignored: reason or failed: reason. Bad content is kept as failed and raises '
    'no error. server: whose account delivers it, where that is known; before the first sync of a '
    'server events are queued';

CREATE OR REPLACE FUNCTION pipedrive.ingest_webhook(
    payload text, mode text DEFAULT 'apply', server name DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
    RETURN pipedrive_internal.ingest_text(payload, mode, pipedrive_internal.existing_server(server));
END
$$;
COMMENT ON FUNCTION pipedrive.ingest_webhook(text, text, name) IS
    'the same for a body as it came; one that is not JSON, or that jsonb cannot hold, is kept as '
    'failed too';
