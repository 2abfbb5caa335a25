\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- What sync() and reconcile() ask and write when something changed, and that in the end the rows are the account's.
-- Disorder and crashes are in test/convergence.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) > 0 AS made FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
-- Nothing happened: two requests for a mirror, and no row is written.
CALL sim.keep_versions();
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.asked_and_forgotten();
CALL pipedrive.sync('crm.deals'); -- by its foreign table
SELECT * FROM sim.asked_and_forgotten();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.new_versions();
SELECT * FROM sim.history();
--
-- What changes between two syncs.
--
SELECT min(id) AS user_id FROM crm.users \gset
-- changed, a custom field too; created with update_time null; archived and back; deleted
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-01T09:00:00Z", "fields": {"title": "Changed", "value": 77.5}},
                  {"action": "change", "entity": "deals", "id": 2, "at": "2026-04-01T09:00:01Z", "fields": {"custom_fields": {"Score": 9}}},
                  {"action": "create", "entity": "deals", "id": 9001, "at": "2026-04-01T09:00:02Z", "fields": {"title": "New deal", "value": 10}},
                  {"action": "create", "entity": "persons", "id": 9002, "at": "2026-04-01T09:00:03Z", "fields": {"name": "New person"}},
                  {"action": "archive", "id": 3, "at": "2026-04-01T09:00:04Z"},
                  {"action": "delete", "entity": "deals", "id": 4, "at": "2026-04-01T09:00:05Z"}]');
CALL sim.mutate(format('{"action": "change", "entity": "users", "id": %s, "fields": {"name": "Renamed user"}}', :user_id)::jsonb);
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT update_time IS NULL AS never_changed FROM crm.deals WHERE id = 9001;
CALL sim.keep_versions();
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT * FROM sim.new_versions();
SELECT * FROM sim.history();
SELECT id FROM crm_mirror.deals WHERE id IN (1, 3, 4, 9001) ORDER BY id;
SELECT m.entity, t.id FROM pipedrive_internal.tombstone t JOIN pipedrive_internal.mirror m USING (mirror_id);
-- restored: the list shows it again, and so does the mirror
CALL sim.mutate('[{"action": "restore", "entity": "deals", "id": 4, "at": "2026-04-01T09:10:00Z"},
                  {"action": "unarchive", "id": 3, "at": "2026-04-01T09:10:01Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT count(*) FROM pipedrive_internal.tombstone;
-- no list tells of deleted persons and activities, nor of what a merge took away: reconcile finds them
CALL sim.mutate('[{"action": "delete", "entity": "persons", "id": 9002, "at": "2026-04-01T09:20:00Z"},
                  {"action": "delete", "entity": "activities", "id": 5, "at": "2026-04-01T09:20:01Z"},
                  {"action": "merge", "entity": "organizations", "id": 3, "into": 2, "at": "2026-04-01T09:20:02Z"},
                  {"action": "delete", "entity": "stages", "id": 1, "at": "2026-04-01T09:20:03Z"}]');
CALL pipedrive.sync();
SELECT mirror, extra FROM sim.differences() WHERE extra > 0 AND mirror::text NOT LIKE '%deals';
CALL sim.clear();
CALL pipedrive.reconcile();
SELECT * FROM sim.asked_and_forgotten();
SELECT mirror, extra FROM sim.differences() WHERE extra > 0 AND mirror::text NOT LIKE '%deals';
SELECT c.entity, c.id, c.change_source FROM pipedrive.changes c WHERE c.field = 'is_deleted' ORDER BY c.entity, c.id;
SELECT mirror FROM pipedrive.mirrors WHERE last_reconcile IS NULL OR phase IS NOT NULL OR to_refetch > 0;
-- mode full reads everything again, and still writes only what differs (rows of a merge that nobody touched)
CALL pipedrive.sync(mode => 'full');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
CALL sim.keep_versions();
CALL sim.clear();
CALL pipedrive.sync(mode => 'full');
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.new_versions();
--
-- History.
--
DELETE FROM pipedrive.changes;
SELECT id, owner_id, stage_id FROM crm_mirror.deals WHERE id = 9001 \gset before_
SELECT min(id) AS stage_a, max(id) AS stage_b FROM crm_mirror.stages WHERE id <> :before_stage_id \gset
CALL sim.mutate(format('{"action": "change", "entity": "deals", "id": 9001, "at": "2026-04-02T09:00:00Z", "fields": {"stage_id": %s}}', :stage_a)::jsonb);
CALL pipedrive.sync('crm_mirror.deals');
CALL sim.mutate(format('{"action": "change", "entity": "deals", "id": 9001, "at": "2026-04-03T10:00:00Z", "fields": {"stage_id": %s, "owner_id": 26000002}}', :stage_b)::jsonb);
CALL pipedrive.sync('crm_mirror.deals');
SELECT field, old_value = to_jsonb(:before_stage_id::bigint) AS first, new_value = to_jsonb(:stage_b::bigint) AS last, changed_at, change_source
  FROM pipedrive.changes WHERE id = '9001' AND field = 'stage_id' ORDER BY changed_at;
SELECT stage_id = :before_stage_id AS first, stage_id = :stage_b AS last, entered, left_at, duration FROM crm_mirror.stage_history WHERE deal_id = 9001 ORDER BY entered;
SELECT owner_id = :before_owner_id AS first, owner_id = 26000002 AS last, entered, left_at, duration FROM crm_mirror.owner_history WHERE deal_id = 9001 ORDER BY entered;
SELECT count(*) = (SELECT count(*) FROM crm_mirror.deals) + 2 AS one_stage_for_the_others FROM crm_mirror.stage_history;
--
-- The last second: what changed after the sync is in the view, not in the table.
--
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-03T11:00:00Z", "fields": {"name": "Just now"}}]');
CALL sim.clear();
SELECT name = 'Just now' AS kept FROM crm_mirror.persons WHERE id = 1;
SELECT count(*), count(*) FILTER (WHERE name = 'Just now') AS live FROM crm_mirror.persons_live WHERE id IN (1, 2);
SELECT * FROM sim.asked_and_forgotten();
SELECT count(*) = (SELECT count(*) FROM crm_mirror.persons) AS same_number FROM crm_mirror.persons_live;
--
-- Marks: read by id at the next sync whatever their update_time, and gone if the API has them no more.
--
CALL pipedrive.sync();
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 2, "touch": false, "fields": {"name": "Untouched"}},
                  {"action": "delete", "entity": "persons", "id": 3, "at": "2026-04-03T12:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences() WHERE mirror = 'crm_mirror.persons'::regclass;
INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) SELECT mirror_id, i, 'test' FROM pipedrive_internal.mirror, unnest(ARRAY[2, 3, 999999]) AS i WHERE target = 'crm_mirror.persons'::regclass;
SELECT to_refetch FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.persons'::regclass;
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences() WHERE mirror = 'crm_mirror.persons'::regclass;
SELECT to_refetch FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.persons'::regclass;
