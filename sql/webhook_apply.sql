\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set webhooks `echo "$PIPEDRIVE_TEST_ROOT/sql/include/webhooks.psql"`
\i :webhooks
--
-- What becomes of a row when events come late, twice, in any order or with nothing new.
--
SELECT entity, sim.send('v2-' || entity || '-create') AS created, sim.send('v2-' || entity || '-change') AS changed, sim.send('v2-' || entity || '-change') AS again
  FROM unnest('{deal,person,organization,activity,pipeline,stage,user}'::text[]) AS entity;
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

-- Refetch: the whole record at once, for one token
CALL sim.forget();
SELECT (r.data ->> 'id')::bigint AS id, r.data ->> 'title' AS title FROM sim.rows('deals') AS r WHERE r.data ->> 'status' = 'open' AND NOT (r.data ->> 'is_archived')::boolean ORDER BY r.id LIMIT 1 \gset deal_
CALL sim.clear();
SELECT sim.send('v2-deal-change', jsonb_build_object('meta', jsonb_build_object('id', 'r1', 'entity_id', :'deal_id'), 'data', jsonb_build_object('id', :deal_id, 'title', 'as the event says')), 'refetch');
SELECT replace(j, :'deal_id', 'ID') FROM sim.journal() AS j;
SELECT title = :'deal_title' AS title_of_the_account, title = 'as the event says' AS title_of_the_event FROM crm_mirror.deals;
-- one that the API does not show: its event has to do
SELECT sim.send('v2-deal-create', '{}', 'refetch');
