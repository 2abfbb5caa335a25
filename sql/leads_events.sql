\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- Events of leads, whose key is a UUID, of both versions.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (leads) FROM SERVER crm INTO crm;
CALL sim.switch('{"v1_lead_events": "yes", "get_archived": "found"}');
CREATE FUNCTION sim.happened(version text DEFAULT '2.0') RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT e -> 'body' FROM jsonb_array_elements(sim.call('GET', 'webhooks?version=' || version)::jsonb) AS e ORDER BY (e ->> 'n')::bigint;
    PERFORM sim.call('DELETE', 'webhooks');
END $$;
CREATE FUNCTION sim.lead(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'aaaaaaaa-0000-4000-8000-' || lpad(n::text, 12, '0') $$;
CREATE FUNCTION sim.happens(action text, n integer, at text, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    SELECT sim.call('POST', 'mutate', (jsonb_build_object('action', action, 'entity', 'leads', 'id', sim.lead(n), 'at', '2026-04-' || at || 'Z') || more)::text) $$;
--
-- What came before there was a mirror is kept as ignored, and run again.
--
SELECT sim.happens('create', 1, '01T10:00:00', '{"fields": {"title": "One", "value": {"amount": 7000, "currency": "EUR"}, "custom_fields": {"Score": 3}}}');
SELECT sim.happens('change', 1, '01T10:00:01', '{"fields": {"title": "One again"}}');
SELECT sim.happens('create', 2, '01T10:00:02', '{"fields": {"title": "Two"}}');
SELECT sim.happens('delete', 2, '01T10:00:03');
SELECT pipedrive.ingest_webhook(e) FROM sim.happened() AS e;
SELECT pipedrive.create_mirror('crm.leads');
CREATE VIEW sim.ours AS SELECT right(id::text, 2) AS n, title, value, currency, is_archived, score, priority, add_time, update_time, _source FROM crm_mirror.leads WHERE id::text LIKE 'aaaaaaaa-%' ORDER BY id;
SELECT pipedrive.ingest_webhook('{"meta": {"version": "2.0", "id": "q", "entity": "lead", "entity_id": "aaaaaaaa-0000-4000-8000-000000000001", "action": "new", "timestamp": "2026-04-01T10:00:00Z"}}'::jsonb);
SELECT count(*) AS marked FROM pipedrive_internal.refetch;
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM pipedrive.replay();
SELECT * FROM sim.ours;
-- without a sync in between it is the events that make the row
DELETE FROM crm_mirror.leads WHERE id::text LIKE 'aaaaaaaa-%';
UPDATE pipedrive.inbox SET status = 'ignored' WHERE action <> 'new';
SELECT * FROM pipedrive.replay();
SELECT n, title, value, currency, score, _source FROM sim.ours;
SELECT status, count(*) FROM pipedrive.inbox GROUP BY 1 ORDER BY 1;
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
TRUNCATE pipedrive.inbox, pipedrive.changes, pipedrive_internal.tombstone;
--
-- Version 2: created, changed, archived, deleted; late, twice, and spelled in another way.
--
SELECT sim.happens('create', 3, '02T10:00:00', '{"fields": {"title": "Three", "value": {"amount": 12.5, "currency": "USD"}}}');
SELECT sim.happens('change', 3, '02T10:00:01', '{"fields": {"title": "Three again", "value": null, "custom_fields": {"Score": 4}}}');
SELECT sim.happens('archive', 3, '02T10:00:02');
CREATE TABLE sim.kept AS SELECT e, row_number() OVER () AS n FROM sim.happened() AS e;
SELECT n, pipedrive.ingest_webhook(e), pipedrive.ingest_webhook(e) AS again FROM sim.kept ORDER BY n;
SELECT * FROM sim.ours;
SELECT field, old_value, new_value, changed_at, change_source, id = sim.lead(3) AS its_key FROM pipedrive.changes ORDER BY arrival, field;
SELECT m.entity, r.id, r.reason, r.unfilled IS NOT NULL AS made FROM pipedrive_internal.refetch r JOIN pipedrive_internal.mirror m USING (mirror_id) ORDER BY r.id;
SELECT pipedrive.ingest_webhook(jsonb_set(jsonb_set(jsonb_set(e, '{meta,id}', '"upper"'), '{meta,entity_id}', to_jsonb(upper(sim.lead(3)))), '{data,id}', to_jsonb(upper(sim.lead(3))))) FROM sim.kept WHERE n = 3;
SELECT entity_id = sim.lead(3) AS one_spelling FROM pipedrive.inbox WHERE key LIKE 'upper:%';
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT count(*) AS marks FROM pipedrive_internal.refetch;
-- what is no key of a lead
SELECT x, pipedrive.ingest_webhook(jsonb_set(jsonb_set(e, '{meta,id}', to_jsonb('bad ' || x)), '{meta,entity_id}', to_jsonb(x))) FROM sim.kept, unnest('{42,aaaaaaaa-0000-4000-8000,"",zaaaaaaa-0000-4000-8000-000000000003,aaaaaaaa-0000-4000-8000-000000000004}'::text[]) AS x WHERE n = 2;
SELECT r.id FROM pipedrive_internal.refetch r ORDER BY 1; -- the next sync reads what may be meant
CALL pipedrive.sync();
-- deleted: the row goes, and nothing late raises it
SELECT sim.happens('delete', 3, '02T11:00:00');
SELECT pipedrive.ingest_webhook(e) FROM sim.happened() AS e;
SELECT pipedrive.ingest_webhook(jsonb_set(e, '{meta,id}', '"late"')) FROM sim.kept WHERE n = 2;
SELECT count(*) FROM sim.ours WHERE n = '03';
SELECT id = sim.lead(3) AS its_key, told_by FROM pipedrive_internal.tombstone WHERE id LIKE 'aaaaaaaa%3';
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT * FROM pipedrive.replay(only_failed => false);
SELECT count(*) FROM sim.ours WHERE n = '03';
-- one by one and in sets is the same
SELECT sim.happens('create', 5, '03T10:00:00', '{"fields": {"title": "Five"}}'), sim.happens('create', 6, '03T10:00:01', '{"fields": {"title": "Six"}}');
SELECT sim.happens('change', 1, '03T10:00:02', '{"fields": {"title": "Set"}}'), sim.happens('delete', 6, '03T10:00:03'), sim.happens('archive', 5, '03T10:00:04');
SELECT pipedrive.ingest_webhook(e, 'queue') FROM sim.happened() AS e;
CALL pipedrive.apply_inbox();
SELECT action, outcome, count(*) FROM pipedrive.inbox WHERE event_time > '2026-04-03' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT n, title, is_archived, _source FROM sim.ours;
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
-- a merge marks the other one too
SELECT sim.happens('create', 7, '04T10:00:00'), sim.happens('create', 8, '04T10:00:01'), sim.happens('merge', 7, '04T10:00:02', jsonb_build_object('into', sim.lead(8)));
SELECT pipedrive.ingest_webhook(e) FROM sim.happened() AS e;
SELECT right(r.id, 2) AS n FROM pipedrive_internal.refetch r ORDER BY 1;
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
-- refetch: the whole record, for one request
SELECT sim.happens('change', 8, '04T11:00:00', '{"fields": {"title": "In the account"}}'), sim.happens('archive', 8, '04T11:00:01');
CALL sim.clear();
SELECT pipedrive.ingest_webhook(jsonb_set(e, '{data,title}', '"As the event says"'), 'refetch') FROM sim.happened() AS e LIMIT 1;
SELECT regexp_replace(j, '[0-9a-f]{8}-[0-9a-f-]{27}', 'UUID') FROM sim.journal() AS j;
SELECT n, title, is_archived FROM sim.ours WHERE n = '08';
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
--
-- Version 1, where leads have such events.
--
SELECT sim.call('DELETE', 'webhooks');
SELECT sim.happens('create', 9, '05T10:00:00', '{"fields": {"title": "Nine", "value": {"amount": 5, "currency": "EUR"}, "custom_fields": {"Score": 1}}}');
SELECT sim.happens('change', 9, '05T10:00:01', '{"fields": {"title": "Nine again", "custom_fields": {"Score": null}}}');
SELECT sim.happens('archive', 9, '05T10:00:02');
SELECT pipedrive.ingest_webhook(e) FROM sim.happened('1.0') AS e;
SELECT * FROM sim.ours WHERE n = '09';
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT sim.happens('delete', 9, '05T10:00:03');
SELECT pipedrive.ingest_webhook(e) FROM sim.happened('1.0') AS e;
SELECT count(*) FROM sim.ours WHERE n = '09';
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
-- how it stands with retention: what may be raised by a stored event is not forgotten
UPDATE pipedrive_internal.tombstone SET recorded_at = now() - interval '100 days';
SELECT pipedrive_internal.forget_tombstones();
TRUNCATE pipedrive.inbox;
SELECT pipedrive_internal.forget_tombstones() > 0 AS forgotten;
