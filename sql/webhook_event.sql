\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set webhooks `echo "$PIPEDRIVE_TEST_ROOT/sql/include/webhooks.psql"`
\i :webhooks
--
-- What the event of each object and version says of a row, and what it leaves open.
--
-- Version 2: created, changed, and what was kept and marked
SELECT entity, sim.send('v2-' || entity || '-create') AS created, sim.send('v2-' || entity || '-change') AS changed, sim.send('v2-' || entity || '-change') AS again
  FROM unnest('{deal,person,organization,activity,pipeline,stage,user}'::text[]) AS entity;
SELECT sim.row('crm_mirror.deals', '9001');
SELECT sim.row('crm_mirror.persons', '9002');
SELECT sim.row('crm_mirror.organizations', '9003');
SELECT sim.row('crm_mirror.activities', '9004');
SELECT sim.row('crm_mirror.pipelines', '9005');
SELECT sim.row('crm_mirror.stages', '9006');
SELECT sim.row('crm_mirror.users', '9007');
SELECT entity, field, old_value, new_value, changed_at FROM pipedrive.changes ORDER BY id, field COLLATE "C";
SELECT m.entity, r.id, r.reason FROM pipedrive_internal.refetch r JOIN pipedrive_internal.mirror m USING (mirror_id) ORDER BY r.id;
SELECT entity, action, status, sum(attempt), bool_and(body IS NOT NULL) AS kept FROM pipedrive.inbox GROUP BY 1, 2, 3 ORDER BY entity COLLATE "C", action COLLATE "C";

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
SELECT sim.row('crm_mirror.deals', '9001');
SELECT sim.row('crm_mirror.persons', '9002');
SELECT sim.row('crm_mirror.organizations', '9003');
SELECT sim.row('crm_mirror.activities', '9004');
SELECT sim.row('crm_mirror.pipelines', '9005');
SELECT sim.row('crm_mirror.stages', '9006');
SELECT sim.row('crm_mirror.users', '9007');
SELECT max(attempt) FROM pipedrive.inbox;
SELECT sim.send('v1-deal-merged');
SELECT r.id FROM pipedrive_internal.refetch r JOIN pipedrive_internal.mirror m USING (mirror_id) WHERE m.entity = 'deals' ORDER BY 1;
SELECT entity, sim.send('v1-' || entity || '-deleted') FROM unnest('{deal,person,organization,activity,pipeline,stage}'::text[]) AS entity;
SELECT (SELECT count(*) FROM crm_mirror.deals), (SELECT count(*) FROM crm_mirror.stages);
