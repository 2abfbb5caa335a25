\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set webhooks `echo "$PIPEDRIVE_TEST_ROOT/sql/include/webhooks.psql"`
\i :webhooks
--
-- What is kept of events that are bad, unknown or for somebody else; the queue and replay; and for how long.
--
-- What is no table yet is stored, with the reason
SELECT name, pipedrive.ingest_webhook(body) FROM sim.events WHERE name ~ 'lead|note|product' ORDER BY name COLLATE "C";
SELECT sim.send('v2-deal-create', '{"meta": {"entity": "spaceship", "id": "x1"}}'), sim.send('v2-deal-create', '{"meta": {"action": "beam", "id": "x2"}}');
SELECT * FROM pipedrive.replay();

-- Bad content: kept, and nothing of it in the reason
CALL sim.forget();
SELECT pipedrive.ingest_webhook('{"meta": {"entity": "deal", "tru') AS truncated, pipedrive.ingest_webhook('{"meta": {"entity": "deal", "tru') AS again;
SELECT pipedrive.ingest_webhook('[1, 2]') AS list, pipedrive.ingest_webhook('"text"') AS text, pipedrive.ingest_webhook('{}') AS empty, pipedrive.ingest_webhook('null'::jsonb) AS nothing;
SELECT pipedrive.ingest_webhook(NULL::jsonb) AS null_jsonb, pipedrive.ingest_webhook(NULL::text) AS null_text;
SELECT sim.send('v2-deal-create', '{"meta": {"version": "3.0"}}') AS version, sim.send('v2-deal-create', '{"meta": {"id": null}}') AS id, sim.send('v2-deal-create', '{"meta": {"entity_id": "Ada"}}') AS entity_id;
SELECT sim.send('v2-deal-create', '{"meta": {"id": "b1", "timestamp": "Ada"}}') AS "time", sim.send('v2-deal-create', '{"meta": {"id": "b2"}, "data": [1]}') AS "data", sim.send('v2-deal-create', '{"meta": {"id": "b3"}, "data": {"id": 5}}') AS ids;
SELECT sim.send('v2-deal-create', '{"meta": {"id": "b4"}, "data": {"value": "Ada Example"}}') AS value, sim.send('v2-deal-create', '{"meta": {"id": "b5"}, "data": {"title": {"a": [1]}}}') AS title,
       sim.send('v2-deal-create', '{"meta": {"id": "b6", "attempt": "Ada"}, "data": {"add_time": "Ada Example"}}') AS "time";
SELECT pipedrive.ingest_webhook(repeat('[', 200000)) AS deep, pipedrive.ingest_webhook('{"meta": "\u0000"}') AS zero;
SELECT sim.send('v2-deal-create', '{"meta": {"id": "sql", "entity": "deal''; DROP TABLE pipedrive.inbox; --"}}') AS entity,
       sim.send('v2-deal-create', '{"meta": {"id": "sql'') --"}, "data": {"title": "''); DROP SCHEMA crm CASCADE; --"}}') AS title;
SELECT title FROM crm_mirror.deals;
SELECT sim.send('v2-deal-change', jsonb_build_object('meta', '{"id": "big"}'::jsonb, 'data', jsonb_build_object('title', repeat('x', 10000000)))) AS ten_megabytes;
SELECT sim.send('v2-deal-change', jsonb_build_object('meta', '{"id": "nested"}'::jsonb, 'data', jsonb_build_object('unknown', (repeat('[', 900) || repeat(']', 900))::jsonb))) AS nested;
SELECT status, count(*), count(body) AS bodies, count(raw) AS raws, bool_or(concat(outcome, error) ~ 'Ada|tru|DROP') AS leaks FROM pipedrive.inbox GROUP BY 1 ORDER BY 1;
SELECT sim.error($$SELECT pipedrive.ingest_webhook('{}', 'fast')$$);
-- a failed one runs again once it can
SELECT * FROM pipedrive.replay(max_events => 3);
UPDATE pipedrive.inbox SET body = jsonb_set(body, '{data,id}', '9001') WHERE key LIKE 'b3:%';
SELECT * FROM pipedrive.replay() WHERE status <> 'failed';

-- Another company's events
CALL sim.forget();
SELECT sim.send('v2-deal-create') AS ours, sim.send('v2-person-create', '{"meta": {"company_id": "666"}}') AS theirs;

-- Queue: in one go, the last event of each record counts
CALL sim.forget();
SELECT DISTINCT pipedrive.ingest_webhook(body, 'queue') FROM sim.events WHERE name !~ '^v1|delete|merged-away';
SELECT sim.send('v2-deal-change', '{"meta": {"id": "bad"}, "data": {"value": "Ada"}}', 'queue') AS bad, sim.send('v2-deal-change', '{}', 'queue') AS again;
SELECT count(*) FROM crm_mirror.deals;
CALL pipedrive.apply_inbox(5, 2);
SELECT count(*) AS left FROM pipedrive.inbox WHERE status = 'queued';
CALL pipedrive.apply_inbox();
SELECT entity, status, count(*) FROM pipedrive.inbox WHERE status <> 'ignored' GROUP BY 1, 2 HAVING status IN ('queued', 'failed') ORDER BY 1;
SELECT (SELECT title FROM crm_mirror.deals WHERE id = 9001), (SELECT name FROM crm_mirror.persons), (SELECT days_to_rotten FROM crm_mirror.stages), (SELECT active_flag FROM crm_mirror.users);

-- Retention
CALL sim.forget();
SELECT sim.send('v2-deal-create') AS applied, sim.send('v2-stage-create') AS queued, sim.send('v2-lead-create') AS ignored;
UPDATE pipedrive.inbox SET received_at = now() - interval '8 days';
UPDATE pipedrive.inbox SET status = 'queued' WHERE entity = 'stage';
SELECT pipedrive.purge_inbox() > 0 AS purged, (SELECT count(*) FROM pipedrive.inbox) AS before;
SELECT entity, status FROM pipedrive.inbox;
INSERT INTO pipedrive.settings VALUES ('inbox_retention', '1 year');
SELECT pipedrive.purge_inbox();
