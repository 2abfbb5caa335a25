\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- A mirror of notes: v1's pages by offset, a window, and a flag of their own for what is deleted.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (notes) FROM SERVER crm INTO crm;
CREATE FUNCTION sim.happened(version text DEFAULT '2.0') RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT e -> 'body' FROM jsonb_array_elements(sim.call('GET', 'webhooks?version=' || version)::jsonb) AS e ORDER BY (e ->> 'n')::bigint;
    PERFORM sim.call('DELETE', 'webhooks');
END $$;
-- what came before there was a mirror
CALL sim.mutate('[{"action": "create", "entity": "notes", "id": 9000, "at": "2026-04-01T08:00:00Z", "fields": {"content": "Early"}}]');
SELECT pipedrive.ingest_webhook(e) FROM sim.happened() AS e;
SELECT pipedrive.create_mirror('crm.notes');
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences();
SELECT * FROM pipedrive.replay();
-- nothing, then something
CALL sim.keep_versions();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT count(*) AS written FROM sim.new_versions();
SELECT min(id) AS one, max(id) FILTER (WHERE id < 9000) AS other, min(id) FILTER (WHERE pinned_to_deal_flag) AS pinned FROM crm_mirror.notes \gset
CALL sim.mutate(format('[{"action": "change", "entity": "notes", "id": %s, "at": "2026-04-01T09:00:00Z", "fields": {"content": "<p>Changed</p>", "pinned_to_deal_flag": true}},
                         {"action": "create", "entity": "notes", "id": 9001, "at": "2026-04-01T09:00:01Z", "fields": {"content": "New", "deal_id": 1}},
                         {"action": "create", "entity": "notes", "id": 3, "at": "2026-04-01T09:00:01Z", "fields": {"content": "Between others"}},
                         {"action": "delete", "entity": "notes", "id": %s, "at": "2026-04-01T09:00:02Z"}]', :one, :other)::jsonb);
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences() WHERE missing + extra > 0; -- no list tells of the deleted one
SELECT id, field, old_value, new_value, changed_at FROM sim.history() WHERE field <> 'last_update_user_id';
CALL pipedrive.reconcile();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT id = :'other' AS the_deleted_one, told_by FROM pipedrive_internal.tombstone;
-- asked for by its id it is not there either, whether the API finds it or not
SELECT count(*) FROM crm.notes WHERE id = :other;
SELECT count(*), count(*) FILTER (WHERE content = 'Just now') AS live FROM crm_mirror.notes_live WHERE id IN (9000, 9001);
CALL sim.mutate('{"action": "change", "entity": "notes", "id": 9001, "at": "2026-04-01T09:30:00Z", "fields": {"content": "Just now"}}');
SELECT count(*), count(*) FILTER (WHERE content = 'Just now') AS live FROM crm_mirror.notes_live WHERE id IN (9000, 9001);
CALL pipedrive.sync();
--
-- Events, of both versions.
--
SELECT sim.call('DELETE', 'webhooks');
TRUNCATE pipedrive.inbox, pipedrive.changes, pipedrive_internal.tombstone;
CALL sim.mutate(format('[{"action": "create", "entity": "notes", "id": 9002, "at": "2026-04-02T09:00:00Z", "fields": {"content": "By event", "person_id": 1, "pinned_to_person_flag": true}},
                         {"action": "change", "entity": "notes", "id": 9002, "at": "2026-04-02T09:00:01Z", "fields": {"content": "By event, again"}},
                         {"action": "delete", "entity": "notes", "id": 9001, "at": "2026-04-02T09:00:02Z"},
                         {"action": "change", "entity": "notes", "id": %s, "at": "2026-04-02T09:00:03Z", "fields": {"pinned_to_deal_flag": false}}]', :pinned)::jsonb);
CREATE TABLE sim.kept AS SELECT e, row_number() OVER () AS n FROM sim.happened() AS e;
SELECT n, pipedrive.ingest_webhook(e) FROM sim.kept ORDER BY n;
SELECT id, content, person_id, pinned_to_person_flag, active_flag, add_time, update_time, _source FROM crm_mirror.notes WHERE id BETWEEN 9000 AND 9999 ORDER BY id;
SELECT id = :'pinned' AS the_pinned_one, id, field, old_value, new_value FROM pipedrive.changes WHERE id <> :'pinned' OR field ~ '^pinned' ORDER BY arrival, field;
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
-- a change that says that the note is deleted, and one too late
SELECT pipedrive.ingest_webhook(jsonb_set(jsonb_set(jsonb_set(jsonb_set(e, '{meta,id}', '"flag"'), '{meta,timestamp}', '"2026-04-02T10:00:00.000Z"'), '{data,update_time}', '"2026-04-02T10:00:00Z"'), '{data,active_flag}', 'false')) FROM sim.kept WHERE n = 2;
SELECT count(*) FROM crm_mirror.notes WHERE id = 9002;
SELECT pipedrive.ingest_webhook(jsonb_set(e, '{meta,id}', '"late"')) FROM sim.kept WHERE n = 1;
CALL pipedrive.sync(); -- the account has it still
SELECT * FROM sim.differences() WHERE missing + extra > 0;
CALL sim.mutate('[{"action": "change", "entity": "notes", "id": 9002, "at": "2026-04-03T09:00:00Z", "fields": {"content": "Of version 1"}},
                  {"action": "delete", "entity": "notes", "id": 9000, "at": "2026-04-03T09:00:01Z"},
                  {"action": "restore", "entity": "notes", "id": 9001, "at": "2026-04-03T09:00:02Z"}]');
SELECT pipedrive.ingest_webhook(e, 'queue') FROM sim.happened('1.0') AS e;
CALL pipedrive.apply_inbox();
SELECT id, content, active_flag, _source FROM crm_mirror.notes WHERE id BETWEEN 9000 AND 9999 ORDER BY id;
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT * FROM pipedrive.replay(only_failed => false);
SELECT * FROM sim.differences() WHERE missing + extra > 0;
-- the whole record at once; a deleted one that the API finds is deleted
CALL sim.mutate('[{"action": "change", "entity": "notes", "id": 9001, "at": "2026-04-04T09:00:00Z", "fields": {"content": "In the account"}}]');
CALL sim.clear();
SELECT pipedrive.ingest_webhook(jsonb_set(e, '{data,content}', '"As the event says"'), 'refetch') FROM sim.happened() AS e;
SELECT * FROM sim.journal();
SELECT content FROM crm_mirror.notes WHERE id = 9001;
CALL sim.switch('{"get_deleted": "found"}');
CALL sim.mutate('[{"action": "change", "entity": "notes", "id": 9001, "at": "2026-04-04T09:10:00Z", "fields": {"content": "Last words"}},
                  {"action": "delete", "entity": "notes", "id": 9001, "at": "2026-04-04T09:10:01Z"}]');
SELECT pipedrive.ingest_webhook(e, 'refetch') FROM sim.happened() AS e LIMIT 1;
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT pipedrive.drop_mirror('crm.notes');
