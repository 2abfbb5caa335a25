\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
-- Webhooks: what each event does to a mirror, what becomes of events that are late, doubled, bad or for somebody else,
-- the queue, replay, the door with its credentials, and subscriptions. Events are in test/webhooks, one file each.
\set ECHO none
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
\set root `echo "$PIPEDRIVE_TEST_ROOT"`
CREATE TABLE sim.events AS
SELECT substr(f, 1, length(f) - 5) AS name, pg_read_file(:'root' || '/test/webhooks/' || f)::jsonb AS body FROM pg_ls_dir(:'root' || '/test/webhooks') AS f WHERE f LIKE '%.json';
CREATE FUNCTION sim.event(wanted text, changes jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT (SELECT jsonb_object_agg(k, CASE WHEN jsonb_typeof(body -> k) = 'object' AND jsonb_typeof(changes -> k) = 'object' THEN (body -> k) || (changes -> k) ELSE coalesce(changes -> k, body -> k) END)
              FROM jsonb_object_keys(body) AS k)
      FROM sim.events WHERE name = wanted
$$;
CREATE FUNCTION sim.send(wanted text, changes jsonb DEFAULT '{}', mode text DEFAULT 'apply') RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(sim.event(wanted, changes), mode)
$$;
CREATE PROCEDURE sim.forget() LANGUAGE sql AS $$
    TRUNCATE pipedrive.inbox, pipedrive_internal.refetch, pipedrive_internal.tombstone, pipedrive.changes, crm_mirror.deals, crm_mirror.persons, crm_mirror.organizations,
             crm_mirror.activities, crm_mirror.pipelines, crm_mirror.stages, crm_mirror.users;
$$;
CREATE FUNCTION sim.row(mirror regclass, id bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
BEGIN
    EXECUTE format('SELECT jsonb_strip_nulls(to_jsonb(t) - ''_synced_at'') FROM %s AS t WHERE id = $1', mirror) INTO r USING id;
    RETURN r;
END $$;
\set ECHO all

CREATE FOREIGN TABLE crm.deals (id bigint, title text, status text, value numeric, currency text, stage_id bigint, person_id bigint, org_id bigint, owner_id bigint, add_time timestamptz,
    update_time timestamptz, stage_change_time timestamptz, label_ids bigint[], visible_to bigint, is_archived boolean, is_deleted boolean, products_count bigint) SERVER crm;
CREATE FOREIGN TABLE crm.persons (id bigint, name text, email text OPTIONS (field 'emails', subfield 'primary'), phone text OPTIONS (field 'phones', subfield 'primary'), emails jsonb, phones jsonb,
    org_id bigint, owner_id bigint, add_time timestamptz, update_time timestamptz, label_ids bigint[]) SERVER crm;
CREATE FOREIGN TABLE crm.organizations (id bigint, name text, address text, address_parts jsonb OPTIONS (field 'address', subfield 'address'), owner_id bigint, add_time timestamptz, update_time timestamptz, label_ids bigint[]) SERVER crm;
CREATE FOREIGN TABLE crm.activities (id bigint, subject text, type text, done boolean, due_date date, due_time time, duration interval, owner_id bigint, creator_user_id bigint, add_time timestamptz, update_time timestamptz,
    marked_as_done_time timestamptz, busy boolean, location text, participants jsonb, note text, is_deleted boolean) SERVER crm;
CREATE FOREIGN TABLE crm.pipelines (id bigint, name text, order_nr bigint, is_deal_probability_enabled boolean, is_deleted boolean, add_time timestamptz, update_time timestamptz) SERVER crm;
CREATE FOREIGN TABLE crm.stages (id bigint, name text, pipeline_id bigint, order_nr bigint, deal_probability numeric, is_deal_rot_enabled boolean, days_to_rotten bigint, is_deleted boolean, add_time timestamptz, update_time timestamptz) SERVER crm;
CREATE FOREIGN TABLE crm.users (id bigint, name text, email text, active_flag boolean, role_id bigint, lang bigint, created timestamptz, modified timestamptz, access jsonb, is_you boolean) SERVER crm;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
-- as the first sync would learn it
INSERT INTO pipedrive_internal.server_company VALUES ('crm', '100200300');

-- Version 2: created, changed, and what was kept and marked
SELECT entity, sim.send('v2-' || entity || '-create') AS created, sim.send('v2-' || entity || '-change') AS changed, sim.send('v2-' || entity || '-change') AS again
  FROM unnest('{deal,person,organization,activity,pipeline,stage,user}'::text[]) AS entity;
SELECT sim.row('crm_mirror.deals', 9001);
SELECT sim.row('crm_mirror.persons', 9002);
SELECT sim.row('crm_mirror.organizations', 9003);
SELECT sim.row('crm_mirror.activities', 9004);
SELECT sim.row('crm_mirror.pipelines', 9005);
SELECT sim.row('crm_mirror.stages', 9006);
SELECT sim.row('crm_mirror.users', 9007);
SELECT entity, field, old_value, new_value, changed_at FROM pipedrive.changes ORDER BY id, field COLLATE "C";
SELECT m.entity, r.id, r.reason FROM pipedrive_internal.refetch r JOIN pipedrive_internal.mirror m USING (mirror_id) ORDER BY r.id;
SELECT entity, action, status, sum(attempt), bool_and(body IS NOT NULL) AS kept FROM pipedrive.inbox GROUP BY 1, 2, 3 ORDER BY entity COLLATE "C", action COLLATE "C";
-- a column that the event does not carry stays
UPDATE crm_mirror.deals SET products_count = 4;
SELECT sim.send('v2-deal-change', '{"meta": {"id": "later", "timestamp": "2026-03-02T10:00:01.000Z"}, "data": {"title": "Roof", "update_time": "2026-03-02T10:00:01Z"}}');
SELECT title, value, products_count, _source FROM crm_mirror.deals;
-- an event that says nothing new writes nothing
SELECT ctid, xmin FROM crm_mirror.deals \gset before_
SELECT sim.send('v2-deal-change', '{"meta": {"id": "same", "timestamp": "2026-03-02T10:00:02.000Z"}, "data": {"title": "Roof", "update_time": "2026-03-02T10:00:01Z"}}');
SELECT ctid = :'before_ctid' AND xmin::text = :'before_xmin' AS untouched FROM crm_mirror.deals;
-- a user who is removed stays, deleted records go
SELECT sim.send('v2-user-removed');
SELECT id, name, active_flag FROM crm_mirror.users;
SELECT entity, sim.send('v2-' || entity || '-delete') FROM unnest('{deal,person,organization,activity,pipeline,stage}'::text[]) AS entity;
SELECT (SELECT count(*) FROM crm_mirror.deals), (SELECT count(*) FROM crm_mirror.stages), (SELECT count(*) FROM pipedrive_internal.tombstone);
-- replay of everything changes nothing
CREATE TABLE sim.before AS SELECT (SELECT jsonb_agg(c ORDER BY recorded_at) FROM pipedrive.changes c) AS changes, (SELECT jsonb_agg(r ORDER BY id) FROM pipedrive_internal.refetch r) AS marks,
    (SELECT jsonb_agg(to_jsonb(i) ORDER BY seq) FROM pipedrive.inbox i) AS inbox, (SELECT jsonb_agg(to_jsonb(u)) FROM crm_mirror.users u) AS users;
SELECT * FROM pipedrive.replay(only_failed => false);
SELECT b.changes = (SELECT jsonb_agg(c ORDER BY recorded_at) FROM pipedrive.changes c) AS changes, b.marks = (SELECT jsonb_agg(r ORDER BY id) FROM pipedrive_internal.refetch r) AS marks,
       b.inbox = (SELECT jsonb_agg(to_jsonb(i) ORDER BY seq) FROM pipedrive.inbox i) AS inbox, b.users = (SELECT jsonb_agg(to_jsonb(u)) FROM crm_mirror.users u) AS users FROM sim.before b;

-- Out of order: the later state wins, whatever comes last
CALL sim.forget();
SELECT sim.send('v2-deal-change') AS changed, sim.send('v2-deal-create') AS created, title FROM crm_mirror.deals;
SELECT title FROM crm_mirror.deals;
SELECT sim.send('v2-deal-delete') AS deleted, sim.send('v2-deal-change', '{"meta": {"id": "late"}}') AS late;
SELECT count(*) FROM crm_mirror.deals;
-- restored: a later change raises it
SELECT sim.send('v2-deal-change', '{"meta": {"id": "restored", "timestamp": "2026-03-04T10:00:00.000Z"}, "data": {"update_time": "2026-03-04T10:00:00Z"}}');
SELECT (SELECT count(*) FROM crm_mirror.deals) AS deals, (SELECT count(*) FROM pipedrive_internal.tombstone) AS tombstones;
SELECT sim.send('v2-deal-delete', '{"meta": {"id": "late delete"}}');
-- two in one second, the later first; the same millisecond: arrival decides
SELECT sim.send('v2-deal-change', '{"meta": {"id": "t2", "timestamp": "2026-03-05T10:00:00.900Z"}, "data": {"title": "second", "update_time": "2026-03-05T10:00:00Z"}}') AS second,
       sim.send('v2-deal-change', '{"meta": {"id": "t1", "timestamp": "2026-03-05T10:00:00.100Z"}, "data": {"title": "first", "update_time": "2026-03-05T10:00:00Z"}}') AS first;
SELECT title FROM crm_mirror.deals;
SELECT sim.send('v2-deal-change', '{"meta": {"id": "t3", "timestamp": "2026-03-05T10:00:00.900Z"}, "data": {"title": "third", "update_time": "2026-03-05T10:00:00Z"}}');
SELECT title FROM crm_mirror.deals;

-- Merge and bulk edit
CALL sim.forget();
SELECT sim.send('v2-person-create') AS one, sim.send('v2-person-create', '{"meta": {"id": "other", "entity_id": "9012"}, "data": {"id": 9012}}') AS other;
SELECT sim.send('v2-person-merged-away') AS away, sim.send('v2-person-merged-into') AS into, sim.send('v2-deal-bulk-edit') AS bulk;
SELECT id, label_ids FROM crm_mirror.persons;
-- one label of several: the row's labels stay when it is among them
UPDATE crm_mirror.persons SET label_ids = '{4,5}';
SELECT sim.send('v2-person-merged-into', '{"meta": {"id": "again", "timestamp": "2026-03-03T11:00:01.400Z"}, "data": {"update_time": "2026-03-03T11:00:01Z", "name": "A"}}');
SELECT name, label_ids FROM crm_mirror.persons;
SELECT sim.send('v2-person-merged-into', '{"meta": {"id": "none", "timestamp": "2026-03-03T11:00:02.400Z"}, "data": {"update_time": "2026-03-03T11:00:02Z", "label": null}}');
SELECT name, label_ids FROM crm_mirror.persons;
SELECT r.id FROM pipedrive_internal.refetch r ORDER BY 1;

-- Version 1
CALL sim.forget();
SELECT entity, sim.send('v1-' || entity || '-added') AS added, sim.send('v1-' || entity || '-updated') AS updated, sim.send('v1-' || entity || '-updated', '{"retry": 2}') AS retried
  FROM unnest('{deal,person,organization,activity,pipeline,stage,user}'::text[]) AS entity;
SELECT sim.row('crm_mirror.deals', 9001);
SELECT sim.row('crm_mirror.persons', 9002);
SELECT sim.row('crm_mirror.organizations', 9003);
SELECT sim.row('crm_mirror.activities', 9004);
SELECT sim.row('crm_mirror.pipelines', 9005);
SELECT sim.row('crm_mirror.stages', 9006);
SELECT sim.row('crm_mirror.users', 9007);
SELECT max(attempt) FROM pipedrive.inbox;
SELECT sim.send('v1-deal-merged');
SELECT r.id FROM pipedrive_internal.refetch r JOIN pipedrive_internal.mirror m USING (mirror_id) WHERE m.entity = 'deals' ORDER BY 1;
SELECT entity, sim.send('v1-' || entity || '-deleted') FROM unnest('{deal,person,organization,activity,pipeline,stage}'::text[]) AS entity;
SELECT (SELECT count(*) FROM crm_mirror.deals), (SELECT count(*) FROM crm_mirror.stages);

-- What is no table yet is stored, with the reason
CALL sim.forget();
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

-- Refetch: the whole record at once, for one token
CALL sim.forget();
SELECT (r.data ->> 'id')::bigint AS id, r.data ->> 'title' AS title FROM sim.rows('deals') AS r WHERE r.data ->> 'status' = 'open' AND NOT (r.data ->> 'is_archived')::boolean ORDER BY r.id LIMIT 1 \gset deal_
CALL sim.clear();
SELECT sim.send('v2-deal-change', jsonb_build_object('meta', jsonb_build_object('id', 'r1', 'entity_id', :'deal_id'), 'data', jsonb_build_object('id', :deal_id, 'title', 'as the event says')), 'refetch');
SELECT replace(j, :'deal_id', 'ID') FROM sim.journal() AS j;
SELECT title = :'deal_title' AS title_of_the_account, title = 'as the event says' AS title_of_the_event FROM crm_mirror.deals;
-- one that the API does not show: its event has to do
SELECT sim.send('v2-deal-create', '{}', 'refetch');

-- The door
SELECT * FROM pipedrive.create_webhook_login('crm') \gset login_
SELECT length(:'login_password') AS length, user_name = :'login_user_name' AS same_name, strpos(l::text, :'login_password') AS password_kept, octet_length(hash) FROM pipedrive_internal.webhook_login l;
CREATE FUNCTION sim.deliver(user_name text, password text, body jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT set_config('request.headers', jsonb_build_object('content-type', 'application/json', 'authorization',
                      'Basic ' || replace(encode(convert_to(user_name || ':' || password, 'UTF8'), 'base64'), E'\n', ''))::text, false);
    SELECT pipedrive.webhook(body::json)::text
$$;
SELECT sim.deliver(:'login_user_name', :'login_password', sim.event('v2-stage-create'));
SELECT server, status FROM pipedrive.inbox WHERE entity = 'stage';
SELECT sim.error(format('SELECT sim.deliver(%L, %L, %L)', u, p, sim.event('v2-pipeline-create')))
  FROM (VALUES (:'login_user_name', 'wrong'), (:'login_user_name', ''), ('nobody', :'login_password'), ('', ''), (:'login_user_name', left(:'login_password', -1))) AS v (u, p);
SELECT set_config('request.headers', h, false) = h AS set, sim.error(format('SELECT pipedrive.webhook(%L)', sim.event('v2-pipeline-create')))
  FROM unnest(ARRAY['', '{}', 'nonsense', '{"authorization": "Bearer x"}', '{"authorization": "Basic !"}', '{"authorization": "Basic gA=="}', '{"authorization": null}']) AS h;
SELECT count(*) AS stored FROM pipedrive.inbox WHERE entity = 'pipeline';
SELECT sim.error($$SELECT pipedrive.create_webhook_login('nowhere')$$);
-- a role that may do nothing else
CREATE ROLE regress_pipedrive_hook;
GRANT USAGE ON SCHEMA sim TO regress_pipedrive_hook;
GRANT EXECUTE ON FUNCTION pipedrive.webhook(json) TO regress_pipedrive_hook;
SELECT sim.event('v2-pipeline-create') AS body \gset
SELECT sim.deliver(:'login_user_name', :'login_password', '{}') IS NOT NULL AS headers_set;
SET ROLE regress_pipedrive_hook;
SELECT pipedrive.webhook(:'body');
SELECT sim.error('SELECT count(*) FROM pipedrive.inbox');
SELECT sim.error('SELECT count(*) FROM pipedrive_internal.webhook_login');
SELECT sim.error('SELECT * FROM pipedrive.inbox_summary');
SELECT sim.error(format('SELECT pipedrive.ingest_webhook(%L::jsonb)', :'body'));
RESET ROLE;
RESET request.headers;
REVOKE ALL ON FUNCTION pipedrive.webhook(json) FROM regress_pipedrive_hook;
REVOKE ALL ON SCHEMA sim FROM regress_pipedrive_hook;
DROP ROLE regress_pipedrive_hook;
SELECT pipedrive.drop_webhook_login(:'login_user_name');

-- Subscriptions
SELECT sim.error($$SELECT pipedrive.register_webhook('crm', 'http://db.example.com/rpc/webhook')$$);
CALL sim.clear();
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook');
SELECT count(*), j FROM sim.journal() AS j GROUP BY j ORDER BY j;
SELECT count(*), count(DISTINCT user_name) AS logins FROM pipedrive_internal.webhook_subscription;
SELECT object, webhook_id, state, last_received IS NOT NULL AS received, detail FROM pipedrive.webhook_health('crm');
SELECT sim.call('POST', 'subscriptions', '{"id": 2, "is_active": 0, "last_http_status": 500}') IS NOT NULL AS banned, sim.call('POST', 'subscriptions', '{"id": 3, "remove_reason": "no deliveries"}') IS NOT NULL AS removed,
       sim.call('POST', 'subscriptions', '{"id": 4, "last_http_status": 401, "last_delivery_time": "2026-03-01T09:00:00.000Z"}') IS NOT NULL AS failing,
       sim.call('POST', 'subscriptions', '{"id": 1, "last_http_status": 200, "last_delivery_time": "2026-03-01T09:00:00.000Z"}') IS NOT NULL AS ok;
DELETE FROM pipedrive_internal.webhook_subscription WHERE webhook_id = 5;
SELECT object, webhook_id, state, last_delivery, last_status, detail FROM pipedrive.webhook_health('crm');
CALL pipedrive.repair_webhooks('crm');
SELECT object, webhook_id, state FROM pipedrive.webhook_health('crm');
SELECT * FROM pipedrive.unregister_webhook('crm');
SELECT (SELECT count(*) FROM pipedrive_internal.webhook_subscription) AS subscriptions, (SELECT count(*) FROM pipedrive_internal.webhook_login) AS logins;

-- Retention
UPDATE pipedrive.inbox SET received_at = now() - interval '8 days';
UPDATE pipedrive.inbox SET status = 'queued' WHERE entity = 'stage';
SELECT pipedrive.purge_inbox() > 0 AS purged, (SELECT count(*) FROM pipedrive.inbox) AS before;
SELECT entity, status FROM pipedrive.inbox;
INSERT INTO pipedrive.settings VALUES ('inbox_retention', '1 year');
SELECT pipedrive.purge_inbox();
