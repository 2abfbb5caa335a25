-- The inbox: the queue, events run again, and what is old enough to go.

CREATE OR REPLACE PROCEDURE pipedrive.apply_inbox(
    max_events integer DEFAULT NULL, batch_size integer DEFAULT 500)
LANGUAGE plpgsql AS $$
DECLARE
    keys pg_catalog.text[];
    after_seq bigint := 0;
    n bigint := 0;
BEGIN
    LOOP
        SELECT pg_catalog.array_agg(q.key), pg_catalog.max(q.seq) INTO keys, after_seq
          FROM (SELECT i.key, i.seq FROM pipedrive.inbox i WHERE i.status OPERATOR(pg_catalog.=) 'queued' AND i.seq OPERATOR(pg_catalog.>) after_seq
                 ORDER BY i.seq LIMIT LEAST(batch_size::bigint, max_events OPERATOR(pg_catalog.-) n) FOR UPDATE SKIP LOCKED) AS q;
        EXIT WHEN keys IS NULL;
        PERFORM pipedrive_internal.run_batch(keys);
        n := n OPERATOR(pg_catalog.+) pg_catalog.cardinality(keys);
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE pipedrive.apply_inbox(integer, integer) IS
    'applies queued events in order of arrival, a batch and a commit at a time; several sessions '
    'may do so at once';

CREATE OR REPLACE FUNCTION pipedrive_internal.may_apply_inbox() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT has_function_privilege('pipedrive.apply_inbox(integer, integer)', 'EXECUTE')
       AND has_table_privilege('pipedrive.inbox', 'SELECT')
       AND has_table_privilege('pipedrive.inbox', 'UPDATE')
$$;
COMMENT ON FUNCTION pipedrive_internal.may_apply_inbox() IS
    'whether the current user may apply queued events';

CREATE OR REPLACE FUNCTION pipedrive.replay(
    from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
    only_failed boolean DEFAULT true, max_events integer DEFAULT NULL)
RETURNS TABLE (status text, events bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    batch record;
    totals jsonb[] := ARRAY[]::jsonb[];
BEGIN
    FOR batch IN
        SELECT array_agg(q.key) AS keys
          FROM (SELECT i.key, (row_number() OVER (ORDER BY i.event_time, i.seq) - 1) / 500 AS part
                  FROM pipedrive.inbox i
                 WHERE (from_time IS NULL OR i.received_at >= from_time) AND (to_time IS NULL OR i.received_at < to_time)
                   AND (NOT only_failed OR i.status IN ('failed', 'ignored', 'queued'))
                 ORDER BY i.event_time, i.seq LIMIT max_events) AS q
         GROUP BY q.part ORDER BY q.part LOOP
        PERFORM FROM pipedrive.inbox i WHERE i.key = ANY (batch.keys) ORDER BY i.seq FOR UPDATE;
        totals := totals || pipedrive_internal.run_batch(batch.keys);
    END LOOP;
    RETURN QUERY SELECT r.key, sum(r.value::bigint)::bigint FROM unnest(totals) AS t, jsonb_each_text(t) AS r GROUP BY r.key ORDER BY r.key;
END
$$;
COMMENT ON FUNCTION pipedrive.replay(timestamptz, timestamptz, boolean, integer) IS
    'runs stored events received in a time range again: those that failed, were ignored or wait, '
    'or with only_failed => false all; what the mirrors have already stays as it is';

CREATE OR REPLACE FUNCTION pipedrive_internal.purge_settled() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz := pipedrive_internal.retention_cutoff('inbox_retention'::text, '7 days'::text);
    n bigint;
BEGIN
    DELETE FROM pipedrive.inbox i WHERE i.received_at < cutoff AND i.status <> 'queued';
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.purge_settled() IS
    'deletes events older than setting inbox_retention that do not wait; their number';

-- What nobody applied for so long is read by the next sync instead.
CREATE OR REPLACE FUNCTION pipedrive_internal.purge_queued() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz := pipedrive_internal.retention_cutoff('queue_retention'::text, '30 days'::text);
    keys text[] := ARRAY(SELECT i.key FROM pipedrive.inbox i WHERE i.received_at < cutoff AND i.status = 'queued' ORDER BY i.seq FOR UPDATE SKIP LOCKED);
BEGIN
    keys := ARRAY(SELECT k FROM unnest(keys) AS k WHERE pipedrive_internal.mark_unapplied(pipedrive_internal.stored_event(k)));
    DELETE FROM pipedrive.inbox i WHERE i.key = ANY (keys);
    RETURN cardinality(keys);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.purge_queued() IS
    'deletes events that have waited for longer than setting queue_retention, and marks their '
    'records; their number';

CREATE OR REPLACE FUNCTION pipedrive.purge_inbox() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pipedrive_internal.purge_settled() + pipedrive_internal.purge_queued();
END
$$;
COMMENT ON FUNCTION pipedrive.purge_inbox() IS
    'deletes events older than setting inbox_retention (7 days), and those that wait to be '
    'applied for longer than queue_retention (30 days): the next sync reads their records; '
    'returns their number';

CREATE OR REPLACE VIEW pipedrive.inbox_summary AS
SELECT entity, action, status, outcome, count(*) AS events, sum(attempt - 1) AS repeated, min(received_at) AS first_received, max(received_at) AS last_received,
       avg(processed_at - received_at) FILTER (WHERE processed_at >= received_at) AS mean_delay
  FROM pipedrive.inbox GROUP BY entity, action, status, outcome ORDER BY max(received_at) DESC;
COMMENT ON VIEW pipedrive.inbox_summary IS
    'events in the inbox by what became of them, without their bodies';
