-- Events one by one: applied to each mirror that they are for.

-- Locks are taken in this order, so that sessions wait for each other but never in a circle:
-- mirrors by number, in each rows by id, tombstones, marks, counts.
CREATE OR REPLACE FUNCTION pipedrive_internal.apply_one(
    m pipedrive_internal.target, e pipedrive_internal.event)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    ours text[] := pipedrive_internal.mirror_columns(m.target);
    carried jsonb := pipedrive_internal.carried(m, e, ours);
    definitions text := pipedrive_internal.definitions(m.target, carried);
    changed_at timestamptz := coalesce((carried ->> 'update_time')::timestamptz, e.event_time);
    verdict text;
    old jsonb;
    new jsonb; -- as the table's types write it: 7000.0 is 7000, and a time is the same in any zone
    news jsonb;
    u record;
    written bigint := 0;
BEGIN
    IF NOT pipedrive_internal.may_write(m.source, m.target) THEN
        PERFORM pipedrive_internal.settle_event(m, e.id || coalesce(e.others, '{}'), 0); -- its owner's next sync reads them
        RETURN 'ignored: the mirror belongs to another role';
    END IF;
    FOR attempt IN 1 .. 3 LOOP -- again when another session makes the row meanwhile
        EXECUTE format('SELECT to_jsonb(%3$s), to_jsonb(n) FROM %1$s AS t, jsonb_to_record($1) AS n (%2$s)
                         WHERE t.%4$I = $2::%5$s FOR NO KEY UPDATE OF t',
                       m.target, definitions, pipedrive_internal.our_row(m, ours), m.key_column, m.key_type)
           INTO old, new USING carried, e.id;
        verdict := CASE WHEN pipedrive_internal.is_stale(m.mirror_id, e, old, carried) THEN 'stale'
                        WHEN pipedrive_internal.says_deleted(e, carried) THEN 'deleted' ELSE 'applied' END;
        EXIT WHEN verdict <> 'applied' OR old IS NOT NULL;
        EXECUTE format('INSERT INTO %1$s (%2$s, _synced_at, _source) SELECT %3$s, clock_timestamp(), ''webhook''
                          FROM jsonb_to_record($1) AS n (%4$s) ON CONFLICT (%5$I) DO NOTHING',
                       m.target, pipedrive_internal.column_list(m.target), pipedrive_internal.values_of(ours, carried), definitions, m.key_column) USING carried;
        GET DIAGNOSTICS written = ROW_COUNT;
        EXIT WHEN written > 0;
    END LOOP;
    IF verdict = 'deleted' THEN
        PERFORM pipedrive_internal.delete_rows(m.mirror_id, ARRAY[e.id], changed_at, 'webhook'::text, NULL::bigint);
    ELSIF written > 0 THEN
        PERFORM pipedrive_internal.record_creation(x, ARRAY[e.id], ARRAY[changed_at], 'webhook'::text) FROM pipedrive_internal.mirror x WHERE x.mirror_id = m.mirror_id;
    ELSIF verdict = 'applied' AND old IS NULL THEN
        verdict := pipedrive_internal.kept_out();
    ELSIF verdict = 'applied' THEN
        news := pipedrive_internal.news(e, old, new, carried);
        IF news IS NOT NULL THEN
            IF m.watched THEN
                SELECT * INTO u FROM pipedrive_internal.update_set(m, ARRAY[old], ARRAY[news], ARRAY[changed_at]);
                written := u.written;
                verdict := CASE WHEN u.ids = '{}' THEN pipedrive_internal.kept_out() ELSE verdict END;
            ELSE
                EXECUTE format('UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = ''webhook''
                                  FROM jsonb_to_record($1) AS n (%3$s) WHERE t.%4$I = $2::%5$s',
                               m.target, pipedrive_internal.assignments(news), pipedrive_internal.definitions(m.target, news), m.key_column, m.key_type) USING news, e.id;
                written := 1;
                PERFORM pipedrive_internal.keep_history(m, e.id, old, news, changed_at);
            END IF;
        END IF;
    END IF;
    IF e.processed_at IS NULL OR written > 0 THEN -- not for what ran before and changes nothing now
        PERFORM pipedrive_internal.settle_event(m, e.id || coalesce(e.others, '{}'), written, CASE verdict WHEN 'applied' THEN jsonb_build_object(e.id, carried) END,
                                        CASE WHEN old IS NULL AND written > 0 THEN ARRAY[e.id] END, ours);
    END IF;
    RETURN verdict;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.apply_one(pipedrive_internal.target, pipedrive_internal.event) IS
    'applies one event to a mirror; what became of it';

-- What later_event() asks for must not be hidden by a mirror of another role, whichever comes
-- first.
CREATE OR REPLACE FUNCTION pipedrive_internal.says_more(verdict text, outcome text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT outcome LIKE 'ignored%' AND verdict NOT LIKE 'ignored%'
        OR outcome = 'stale' AND verdict ~ '^(applied|deleted)'
$$;
COMMENT ON FUNCTION pipedrive_internal.says_more(text, text) IS
    'of an event that several mirrors take, whether what became of it in one counts more than in '
    'those before: applied or deleted, then stale, then ignored';

CREATE OR REPLACE FUNCTION pipedrive_internal.apply_event(e pipedrive_internal.event) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.target;
    verdict text;
    outcome text;
BEGIN
    IF e.source_entity IS NOT NULL AND e.id IS NOT NULL THEN
        FOR m IN SELECT t.* FROM pipedrive_internal.targets(e.source_entity) AS t WHERE pipedrive_internal.is_for(t, e) LOOP
            PERFORM pipedrive_internal.note_company(m, e);
            verdict := pipedrive_internal.apply_one(m, e);
            IF m.watched THEN
                PERFORM pipedrive_internal.check_deferred();
            END IF;
            IF outcome IS NULL OR pipedrive_internal.says_more(verdict, outcome) THEN
                outcome := verdict;
            END IF;
        END LOOP;
    END IF;
    RETURN coalesce(outcome, pipedrive_internal.why_ignored(e));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.apply_event(pipedrive_internal.event) IS
    'applies one event to all mirrors that it is for; what became of it';

CREATE OR REPLACE FUNCTION pipedrive_internal.fetched(e pipedrive_internal.event)
RETURNS pipedrive_internal.event
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.target;
    o pipedrive_internal.webhook_object;
    answer jsonb;
BEGIN
    IF e.kind = 'upsert' THEN
        SELECT t.* INTO m FROM pipedrive_internal.targets(e.source_entity) AS t WHERE pipedrive_internal.is_for(t, e) LIMIT 1;
    END IF;
    IF m.server IS NOT NULL THEN
        BEGIN
            PERFORM pipedrive_internal.check_account(m.server);
            SELECT * INTO o FROM pipedrive_internal.webhook_object x WHERE x.object = e.entity;
            answer := pipedrive_internal.request(m.server, 'GET'::text, o.path || '/' || pipedrive_internal.url_value(e.id)) -> 'data';
            IF pipedrive_internal.canonical_key(answer ->> o.key, o.key_type) = e.id THEN
                e.record := answer;
                e.shape := 'rest';
                e.no_labels := false;
            END IF;
        EXCEPTION WHEN assert_failure OR OTHERS THEN
            NULL; -- gone, hidden or no tokens left: the body has to do, the mark stays
        END;
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.fetched(pipedrive_internal.event) IS
    'an event with the whole record as the API has it now (one request, 1 token), where it can be '
    'read';
