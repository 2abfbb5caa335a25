-- Stored events run: in sets where all goes well, one by one where it does not.

CREATE OR REPLACE FUNCTION pipedrive_internal.note_outcome(
    inbox_key text, new_outcome text, new_error text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- what was settled before keeps its outcome when it runs again
    UPDATE pipedrive.inbox i SET status = split_part(new_outcome, ':', 1), outcome = new_outcome, error = new_error,
           processed_at = CASE WHEN new_outcome NOT LIKE 'queued%' THEN clock_timestamp() END
     WHERE i.key = inbox_key AND (i.status IN ('queued', 'failed', 'ignored'));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.note_outcome(text, text, text) IS
    'what became of a stored event';

CREATE OR REPLACE FUNCTION pipedrive_internal.stored_event(inbox_key text)
RETURNS pipedrive_internal.event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    i pipedrive.inbox;
    e pipedrive_internal.event;
BEGIN
    SELECT * INTO i FROM pipedrive.inbox x WHERE x.key = inbox_key;
    e := CASE WHEN i.body IS NULL THEN pipedrive_internal.salvage(i.raw) ELSE pipedrive_internal.read_event(i.body) END;
    e.key := i.key;
    e.server := i.server;
    e.processed_at := CASE WHEN i.status IN ('applied', 'deleted', 'stale') THEN i.processed_at END;
    RETURN e;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.stored_event(text) IS 'an event of the inbox';

-- One stored event, by itself.
CREATE OR REPLACE FUNCTION pipedrive_internal.run_one(inbox_key text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e pipedrive_internal.event;
    outcome text;
    error text;
    detail text;
    hint text;
    context text;
BEGIN
    BEGIN
        e := pipedrive_internal.stored_event(inbox_key);
        outcome := CASE WHEN e.problem IS NOT NULL THEN 'failed: ' || e.problem ELSE pipedrive_internal.apply_event(e) END;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS error = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        outcome := CASE WHEN SQLSTATE IN ('55P03', '40P01', '40001') THEN 'queued' ELSE 'failed: ' || pipedrive_internal.reason(SQLSTATE, error) END;
        error := format('%s: %s', SQLSTATE, pipedrive_internal.error_text(SQLSTATE, error, detail, hint, context));
    END;
    IF pipedrive_internal.must_be_read(e, outcome, error) THEN
        PERFORM pipedrive_internal.mark_unapplied(e);
    END IF;
    PERFORM pipedrive_internal.note_outcome(inbox_key, outcome, error);
    RETURN split_part(outcome, ':', 1);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.run_one(text) IS
    'runs one stored event; an error becomes its outcome';

CREATE OR REPLACE FUNCTION pipedrive_internal.run_set(keys text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    events pipedrive_internal.event[] := ARRAY(SELECT pipedrive_internal.stored_event(k) FROM unnest(keys) AS k);
    good pipedrive_internal.event[] := ARRAY(SELECT e FROM unnest(events) AS e WHERE e.problem IS NULL);
    outcomes text[] := ARRAY[]::text[];
BEGIN
    IF good <> '{}' THEN
        outcomes := pipedrive_internal.apply_events(good);
        PERFORM pipedrive_internal.mark_unapplied(good[p]) FROM generate_subscripts(good, 1) AS p WHERE pipedrive_internal.must_be_read(good[p], outcomes[p], NULL::text);
        UPDATE pipedrive.inbox i SET status = split_part(o.outcome, ':', 1), outcome = o.outcome, error = NULL,
               processed_at = CASE WHEN o.outcome NOT LIKE 'queued%' THEN clock_timestamp() END
          FROM (SELECT (good[p]).key, outcomes[p] AS outcome FROM generate_subscripts(good, 1) AS p) AS o
         WHERE i.key = o.key AND i.status IN ('queued', 'failed', 'ignored');
    END IF;
    RETURN ARRAY(SELECT split_part(o, ':', 1) FROM unnest(outcomes) AS o)
           || ARRAY(SELECT pipedrive_internal.run_one(k) FROM unnest(keys) AS k WHERE k <> ALL (ARRAY(SELECT e.key FROM unnest(good) AS e)));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.run_set(text[]) IS
    'runs stored events of different records; what became of each';

CREATE OR REPLACE FUNCTION pipedrive_internal.last_of_each(keys text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT ON (i.entity, i.entity_id, i.company_id, i.server) i.key
                   FROM pipedrive.inbox i WHERE i.key = ANY (keys)
                  ORDER BY i.entity, i.entity_id, i.company_id, i.server, i.event_time DESC, i.seq DESC);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.last_of_each(text[]) IS
    'of several stored events about one record the last, as far as they came by one door';

CREATE OR REPLACE FUNCTION pipedrive_internal.rounds(keys text[]) RETURNS SETOF text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(o.key)
      FROM (SELECT i.key, row_number() OVER (PARTITION BY i.entity, i.entity_id ORDER BY i.event_time, i.seq) AS n
              FROM pipedrive.inbox i WHERE i.key = ANY (keys)) AS o
     GROUP BY o.n ORDER BY o.n
$$;
COMMENT ON FUNCTION pipedrive_internal.rounds(text[]) IS
    'stored events in sets of different records, in the order to run them in: about one record '
    'several may have come by different doors';

CREATE OR REPLACE FUNCTION pipedrive_internal.run_group(keys text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_keys text[] := pipedrive_internal.last_of_each(keys);
    results text[] := ARRAY[]::text[];
    set_keys text[];
BEGIN
    FOR set_keys IN SELECT r FROM pipedrive_internal.rounds(last_keys) AS r LOOP
        results := results || pipedrive_internal.run_set(set_keys);
    END LOOP;
    PERFORM pipedrive_internal.settle_event(t, e.others, 0) -- what earlier ones merged
       FROM pipedrive.inbox i, pipedrive_internal.stored_event(i.key) AS e, pipedrive_internal.targets(e.source_entity) AS t
      WHERE i.key = ANY (keys) AND i.key <> ALL (last_keys) AND i.status = 'queued'
        AND (i.action = 'merged' OR i.body -> 'meta' ?| '{merged_to_id,merged_from_id}') ORDER BY t.mirror_id;
    UPDATE pipedrive.inbox i SET status = 'stale', outcome = 'stale: followed by a later event', error = NULL, processed_at = clock_timestamp()
     WHERE i.key = ANY (keys) AND i.key <> ALL (last_keys) AND i.status IN ('queued', 'ignored');
    RETURN results || array_fill('stale'::text, ARRAY[cardinality(keys) - cardinality(last_keys)]);
EXCEPTION WHEN assert_failure OR OTHERS THEN -- one of them is bad, or waits for somebody: each by itself
    RETURN ARRAY(SELECT pipedrive_internal.run_one(o.key) FROM (SELECT x.key FROM pipedrive.inbox x WHERE x.key = ANY (keys) ORDER BY x.event_time, x.seq) AS o);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.run_group(text[]) IS
    'runs stored events in few statements: of several about one record the last counts';

CREATE OR REPLACE FUNCTION pipedrive_internal.run_batch(keys text[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
    bad text[] := ARRAY(SELECT i.key FROM pipedrive.inbox i WHERE i.key = ANY (keys) AND (i.status = 'failed' OR i.entity IS NULL) ORDER BY i.event_time, i.seq);
    settled text[] := ARRAY(SELECT i.key FROM pipedrive.inbox i WHERE i.key = ANY (keys) AND i.status IN ('applied', 'deleted', 'stale'));
    fresh text[] := ARRAY(SELECT k FROM unnest(keys) AS k WHERE k <> ALL (bad) AND k <> ALL (settled));
    results text[] := ARRAY[]::text[];
BEGIN
    IF settled <> '{}' THEN
        results := results || pipedrive_internal.run_group(settled);
    END IF;
    IF fresh <> '{}' THEN
        results := results || pipedrive_internal.run_group(fresh);
    END IF;
    results := results || ARRAY(SELECT pipedrive_internal.run_one(k) FROM unnest(bad) AS k);
    RETURN (SELECT jsonb_object_agg(r, n) FROM (SELECT r, count(*) AS n FROM unnest(results) AS r GROUP BY r) AS c);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.run_batch(text[]) IS
    'runs stored events; how many became what';
