-- Events of different records, applied in few statements.

CREATE OR REPLACE FUNCTION pipedrive_internal.update_set(
    m pipedrive_internal.target, olds jsonb[], news jsonb[], at timestamptz[], OUT written bigint,
    OUT ids text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns jsonb;
    before pipedrive_internal.row_state[];
BEGIN
    ids := ARRAY(SELECT o ->> m.key_column::text FROM unnest(olds) AS o);
    IF m.watched THEN
        before := ARRAY(SELECT b FROM unnest(ids) WITH ORDINALITY AS u (id, n) JOIN pipedrive_internal.rows_as_they_are(m.target, ids) AS b ON b.id = u.id ORDER BY u.n);
    END IF;
    SELECT jsonb_object_agg(k, true) INTO columns FROM (SELECT DISTINCT k FROM unnest(news) AS n, jsonb_object_keys(n) AS k) AS d;
    EXECUTE format('WITH made AS (UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = ''webhook''
                                    FROM unnest($1, $2) AS u (old, news), jsonb_to_record(u.old || u.news) AS n (%3$s) WHERE t.%4$I = n.%4$I RETURNING t.%4$I::text AS id)
                    SELECT coalesce(array_agg(id), ''{}'') FROM made',
                   m.target, pipedrive_internal.assignments(columns), pipedrive_internal.definitions(m.target, columns || jsonb_build_object(m.key_column, true)), m.key_column) INTO ids USING olds, news;
    IF m.watched THEN
        written := pipedrive_internal.record_written(m.mirror_id, before, at, 'webhook'::text);
    ELSE
        PERFORM pipedrive_internal.keep_history(m, u.old ->> m.key_column::text, u.old, u.news, u.at) FROM unnest(olds, news, update_set.at) AS u (old, news, at);
        written := cardinality(ids);
    END IF;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.update_set(pipedrive_internal.target, jsonb[], jsonb[], timestamptz[]) IS
    'writes the news of several locked rows, with their history; how many are another then, and '
    'which were written';

CREATE OR REPLACE FUNCTION pipedrive_internal.insert_set(
    m pipedrive_internal.target, news jsonb[], at timestamptz[], columns jsonb)
RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written text[];
BEGIN
    EXECUTE format('WITH made AS (INSERT INTO %1$s (%2$s, _synced_at, _source) SELECT %3$s, clock_timestamp(), ''webhook''
                                    FROM unnest($1) AS u (r), jsonb_to_record(u.r) AS n (%4$s) ORDER BY n.%5$I ON CONFLICT (%5$I) DO NOTHING RETURNING %5$I::text AS id)
                    SELECT coalesce(array_agg(id), ''{}'') FROM made',
                   m.target, pipedrive_internal.column_list(m.target), pipedrive_internal.values_of(pipedrive_internal.mirror_columns(m.target), columns), pipedrive_internal.definitions(m.target, columns), m.key_column)
       INTO written USING news;
    PERFORM pipedrive_internal.record_creation(x, written, ARRAY(SELECT u.at FROM unnest(written) AS w (id) JOIN unnest(news, insert_set.at) AS u (r, at) ON u.r ->> m.key_column::text = w.id), 'webhook'::text)
       FROM pipedrive_internal.mirror x WHERE x.mirror_id = m.mirror_id;
    RETURN written;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.insert_set(pipedrive_internal.target, jsonb[], timestamptz[], jsonb) IS
    'adds rows to a mirror; ids of those that were not there';

-- What apply_one() does, for events of different records in order of their ids.
CREATE OR REPLACE FUNCTION pipedrive_internal.apply_set(
    m pipedrive_internal.target, events pipedrive_internal.event[])
RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    ours text[] := pipedrive_internal.mirror_columns(m.target);
    carried jsonb[] := ARRAY(SELECT pipedrive_internal.carried(m, e, ours) FROM unnest(events) AS e);
    columns jsonb := (SELECT jsonb_object_agg(k, true) FROM (SELECT DISTINCT k FROM unnest(carried) AS c, jsonb_object_keys(c) AS k) AS d);
    ids text[] := ARRAY(SELECT e.id FROM unnest(events) AS e);
    verdicts text[];
    rows jsonb;
    news jsonb;
    canonical jsonb[];
    changed_olds jsonb[] := ARRAY[]::jsonb[];
    changed_news jsonb[] := ARRAY[]::jsonb[];
    changed_at timestamptz[] := ARRAY[]::timestamptz[];
    changed integer[] := ARRAY[]::integer[];
    updated record;
    made integer[] := ARRAY[]::integer[];
    made_ids text[];
    written bigint := 0;
    e pipedrive_internal.event;
BEGIN
    IF NOT pipedrive_internal.may_write(m.source, m.target) THEN
        RETURN ARRAY(SELECT pipedrive_internal.apply_one(m, u) FROM unnest(events) AS u);
    END IF;
    EXECUTE format('SELECT coalesce(jsonb_object_agg(l.id, l.r), ''{}'') FROM (SELECT t.%3$I AS id, to_jsonb(%1$s) AS r FROM %2$s AS t WHERE t.%3$I = ANY ($1::%4$s[]) ORDER BY t.%3$I FOR NO KEY UPDATE OF t) AS l',
                   pipedrive_internal.our_row(m, ours), m.target, m.key_column, m.key_type)
       INTO rows USING ids;
    EXECUTE format('SELECT array_agg(to_jsonb(r) ORDER BY u.n) FROM unnest($1) WITH ORDINALITY AS u (c, n), jsonb_to_record(u.c) AS r (%s)', pipedrive_internal.definitions(m.target, columns))
       INTO canonical USING carried;
    FOR i IN 1 .. cardinality(events) LOOP
        e := events[i];
        verdicts[i] := CASE WHEN pipedrive_internal.is_stale(m.mirror_id, e, rows -> ids[i], carried[i]) THEN 'stale'
                            WHEN pipedrive_internal.says_deleted(e, carried[i]) THEN 'deleted' ELSE 'applied' END;
        IF verdicts[i] = 'applied' AND NOT rows ? ids[i] THEN
            made := made || i;
        ELSIF verdicts[i] = 'applied' THEN
            news := pipedrive_internal.news(e, rows -> ids[i], canonical[i], carried[i]);
            IF news IS NOT NULL THEN
                changed_olds := changed_olds || (rows -> ids[i]);
                changed_news := changed_news || news;
                changed_at := changed_at || coalesce((carried[i] ->> 'update_time')::timestamptz, e.event_time);
                changed := changed || i;
            END IF;
        END IF;
    END LOOP;
    IF changed_news <> '{}' THEN
        SELECT * INTO updated FROM pipedrive_internal.update_set(m, changed_olds, changed_news, changed_at);
        written := updated.written;
        IF cardinality(updated.ids) < cardinality(changed) THEN
            verdicts := ARRAY(SELECT CASE WHEN i = ANY (changed) AND ids[i] <> ALL (updated.ids) THEN pipedrive_internal.kept_out() ELSE verdicts[i] END FROM generate_subscripts(ids, 1) AS i ORDER BY i);
        END IF;
    END IF;
    IF made <> '{}' THEN
        made_ids := pipedrive_internal.insert_set(m, ARRAY(SELECT carried[i] FROM unnest(made) AS i),
                                          ARRAY(SELECT coalesce((carried[i] ->> 'update_time')::timestamptz, (events[i]).event_time) FROM unnest(made) AS i), columns);
        written := written + cardinality(made_ids);
    END IF;
    FOR i IN 1 .. cardinality(events) LOOP
        IF verdicts[i] = 'deleted' OR verdicts[i] = 'applied' AND i = ANY (made) AND ids[i] <> ALL (made_ids) THEN
            verdicts[i] := pipedrive_internal.apply_one(m, events[i]); -- deletions are few, and so are rows that another session made meanwhile
        END IF;
    END LOOP;
    IF m.watched THEN
        PERFORM pipedrive_internal.check_deferred();
    END IF;
    ids := ARRAY(SELECT u.id FROM unnest(events) AS u WHERE u.processed_at IS NULL OR written > 0 UNION ALL SELECT unnest(u.others) FROM unnest(events) AS u WHERE u.processed_at IS NULL);
    IF ids <> '{}' THEN
        PERFORM pipedrive_internal.settle_event(m, ids, written, (SELECT jsonb_object_agg((events[p]).id, carried[p]) FROM generate_subscripts(events, 1) AS p WHERE verdicts[p] = 'applied'), made_ids, ours);
    END IF;
    RETURN verdicts;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.apply_set(pipedrive_internal.target, pipedrive_internal.event[]) IS
    'applies events to a mirror in few statements; what became of each';

CREATE OR REPLACE FUNCTION pipedrive_internal.apply_events(events pipedrive_internal.event[])
RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    outcomes text[] := array_fill(NULL::text, ARRAY[cardinality(events)]);
    positions integer[];
    verdicts text[];
    m pipedrive_internal.target;
BEGIN
    FOR m IN SELECT t.* FROM (SELECT DISTINCT e.source_entity FROM unnest(events) AS e WHERE e.id IS NOT NULL) AS d, pipedrive_internal.targets(d.source_entity) AS t ORDER BY t.mirror_id LOOP
        IF NOT EXISTS (SELECT FROM pipedrive_internal.server_company c WHERE c.server = m.server) THEN -- all of them, before any is judged
            PERFORM pipedrive_internal.note_company(m, e) FROM unnest(events) AS e WHERE e.source_entity = m.entity AND pipedrive_internal.may_be_for(m, e);
        END IF;
        positions := ARRAY(SELECT p FROM generate_subscripts(events, 1) AS p
                            WHERE (events[p]).id IS NOT NULL AND (events[p]).source_entity = m.entity AND pipedrive_internal.is_for(m, events[p])
                            ORDER BY length((events[p]).id), (events[p]).id COLLATE "C");
        CONTINUE WHEN positions = '{}';
        verdicts := pipedrive_internal.apply_set(m, ARRAY(SELECT events[p] FROM unnest(positions) AS p));
        FOR i IN 1 .. cardinality(positions) LOOP
            IF outcomes[positions[i]] IS NULL OR pipedrive_internal.says_more(verdicts[i], outcomes[positions[i]]) THEN
                outcomes[positions[i]] := verdicts[i];
            END IF;
        END LOOP;
    END LOOP;
    RETURN ARRAY(SELECT coalesce(outcomes[p], pipedrive_internal.why_ignored(events[p])) FROM generate_subscripts(events, 1) AS p);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.apply_events(pipedrive_internal.event[]) IS
    'applies events of different records to all mirrors that they are for; what became of each';
