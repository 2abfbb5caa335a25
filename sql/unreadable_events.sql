\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Events that cannot be applied: what they are about is read by the next sync, where that can be told.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO crm;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
SELECT min(id) AS id FROM crm_mirror.deals \gset
-- A body as text, with \u as an encoder writes it; the marks that it made
CREATE FUNCTION sim.send(id text, data text, meta text DEFAULT '', mode text DEFAULT 'apply') RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook('{"meta":{"version":"2.0","id":"' || id || '","entity":"deal","entity_id":"9001","action":"change","timestamp":"2026-05-02T00:00:00.000Z","company_id":"100200300"'
        || meta || '},"data":' || data || ',"previous":{"status":"open"}}', mode)
$$;
CREATE PROCEDURE sim.forget() LANGUAGE sql AS 'TRUNCATE pipedrive_internal.refetch, pipedrive.inbox';
CREATE FUNCTION sim.marked() RETURNS text[] LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM pipedrive_internal.refetch RETURNING id) SELECT array_agg(id ORDER BY id) FROM gone
$$;
-- Valid JSON that jsonb cannot hold
SELECT sim.send('nul', '{"id":9001,"title":"Bad \u0000 title","status":"won","update_time":"2026-05-02T00:00:00Z"}');
SELECT sim.marked();
SELECT sim.send('half', '{"id":9001,"title":"Cut \ud83d","status":"won"}') AS half, sim.send('other half', '{"id":9001,"title":"\uDE00 cut"}') AS other_half, sim.send('huge', '{"id":9001,"value":1e999999}') AS huge;
SELECT sim.marked();
SELECT sim.send('in a key', '{"id":9001,"a\u0000b":"x"}') AS in_a_key, sim.send('before', '{"x":"\u0000","id":9001}') AS before_the_id, sim.send('slashes', '{"id":9001,"title":"\\\\\\\u0000"}') AS slashes;
SELECT sim.marked();
-- what looks like one is none
SELECT sim.send('none', '{"id":9001,"title":"\\u0000 \\\\ud83d \ud83d\ude00","update_time":"2026-05-02T00:00:00Z"}') AS outcome, (SELECT title FROM crm_mirror.deals WHERE id = 9001);
SELECT title FROM crm_mirror.deals WHERE id = 9001;
SELECT sim.marked();
-- twice is once; the body is kept as it came
SELECT sim.send('nul', '{"id":9001,"title":"Bad \u0000 title","status":"won","update_time":"2026-05-02T00:00:00Z"}') AS again;
SELECT status, count(*), count(body) AS bodies, count(raw) AS raws, array_agg(DISTINCT entity || entity_id) AS about FROM pipedrive.inbox GROUP BY 1 ORDER BY 1;
-- the same by the door, which gets json
SELECT user_name AS login, password FROM pipedrive.create_webhook_login('crm') \gset
SELECT set_config('request.headers', jsonb_build_object('authorization', 'Basic ' || replace(encode(convert_to(:'login' || ':' || :'password', 'UTF8'), 'base64'), E'\n', ''))::text, false) IS NOT NULL AS set;
SELECT pipedrive.webhook('{"meta":{"version":"2.0","id":"door","entity":"deal","entity_id":"9001","action":"change","timestamp":"2026-05-02T00:00:00.000Z","company_id":"100200300"},"data":{"id":9001,"title":"\u0000"}}');
RESET request.headers;
SELECT sim.marked();
-- the next sync settles it
SELECT sim.call('POST', 'mutate', format('{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "As the account has it"}}', :id)) IS NOT NULL AS done;
SELECT sim.send('real', format('{"id":%s,"title":"\u0000"}', :id), format(',"entity_id":"%s"', :id)) AS outcome;
UPDATE pipedrive_internal.mirror_state SET watermark = now() + interval '1 year';
CALL pipedrive.sync('crm_mirror.deals');
SELECT title FROM crm_mirror.deals WHERE id = :id;
-- a deletion says all it has to say
SELECT sim.send('gone', 'null,"x":"\u0000"', format(',"action":"delete","timestamp":"2040-01-01T00:00:00.000Z","entity_id":"%s"', :id)) AS outcome;
SELECT count(*) FROM crm_mirror.deals WHERE id = :id;
SELECT sim.send('gone too', 'null,"x":"\u0000"', ',"action":"delete"', 'queue') AS outcome;
CALL pipedrive.apply_inbox();
SELECT status, outcome FROM pipedrive.inbox WHERE key LIKE 'gone too%';
SELECT sim.marked() @> '{9001}' AS marked;
-- version 1
SELECT pipedrive.ingest_webhook('{"v":1,"meta":{"v":1,"action":"updated","object":"deal","id":9001,"company_id":100200300,"timestamp":1777680000},"retry":0,"current":{"id":9001,"title":"\u0000"},"previous":{"title":"\ud83d"}}'::text) AS outcome;
SELECT sim.marked();
-- Nothing can be read: not JSON, too deep, no meta
SELECT pipedrive.ingest_webhook('{"meta": {"entity": "deal", "entity_id": "9001"'::text) AS truncated, pipedrive.ingest_webhook(repeat('[', 200000)::text) AS deep,
       pipedrive.ingest_webhook('{"meta": "\u0000"}'::text) AS zero, pipedrive.ingest_webhook('["\u0000"]'::text) AS list, pipedrive.ingest_webhook('"\u0000"'::text) AS text, pipedrive.ingest_webhook('{"meta": {"id": "\u0000", "entity_id": 1e999999}}'::text) AS huge;
SELECT sim.marked();
-- run again they stay what they are, and mark again
CALL sim.forget();
SELECT sim.send('nul', '{"id":9001,"title":"\u0000"}');
SELECT sim.marked();
SELECT * FROM pipedrive.replay();
SELECT outcome FROM pipedrive.inbox;
SELECT sim.marked();

-- Valid jsonb that cannot be applied: bad content, an action or a version that is new to us
CALL sim.forget();
SELECT sim.send('action', '{"id":9001}', ',"action":"restore"') AS action, sim.marked();
SELECT sim.send('version', '{"id":9001}', ',"version":"3.0"') AS version;
SELECT sim.marked();
SELECT sim.send('merge', '{"id":9001,"value":"Ada"}', ',"merged_from_id":[9002]') AS value;
SELECT sim.marked();
SELECT sim.send('queued action', '{"id":9001}', ',"action":"restore"', 'queue') AS action;
CALL pipedrive.apply_inbox();
SELECT outcome FROM pipedrive.inbox WHERE key LIKE 'queued action%';
SELECT sim.marked();
SELECT sim.send('entity', '{"id":9001}', ',"entity":"spaceship"') AS entity, sim.send('lead', '{"id":9001}', ',"entity":"lead","entity_id":"0b0c"') AS lead;
SELECT sim.marked();

-- sync() applies what is queued, also where nobody runs apply_inbox()
CALL sim.forget();
SELECT sim.send('q', '{"id":9001,"title":"from the queue","update_time":"2026-05-03T00:00:00Z"}', ',"timestamp":"2026-05-03T00:00:00.000Z"', 'queue') AS outcome;
CALL pipedrive.sync('crm_mirror.persons');
SELECT status, processed_at IS NOT NULL AS processed FROM pipedrive.inbox;
SELECT title FROM crm_mirror.deals WHERE id = 9001;
CALL pipedrive.sync();
SELECT count(*) FROM crm_mirror.deals WHERE id = 9001;
