\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- The edges of sync(): deletions, clocks that are wrong, times that clients chose, and events that meet a run.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
CREATE FUNCTION sim.differences() RETURNS TABLE (mirror regclass, missing bigint, extra bigint) LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT x.source, x.target, pipedrive_internal.column_list(x.target) AS columns FROM pipedrive_internal.mirror x ORDER BY x.target::text LOOP
        mirror := m.target;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %2$s EXCEPT SELECT %1$s FROM %3$s) AS d', m.columns, m.source, m.target) INTO missing;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %3$s EXCEPT SELECT %1$s FROM %2$s) AS d', m.columns, m.source, m.target) INTO extra;
        IF missing + extra > 0 THEN RETURN NEXT; END IF;
    END LOOP;
END $$;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
SELECT * FROM sim.differences();
--
-- Deletions. Whatever kind of run moves the watermark beyond a deletion has asked for it.
--
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 4, "at": "2026-04-01T09:00:00Z"},
                  {"action": "change", "entity": "deals", "id": 1, "at": "2026-04-01T15:00:00Z", "fields": {"title": "Later"}}]');
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
-- the reload after a new column is such a run
CALL sim.field('{"action": "add", "entity": "deals", "code": "f00000000000000000000000000000000000000f", "name": "Fresh", "type": "varchar", "values": {"1": "a", "2": "b"}}');
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 5, "at": "2026-04-02T09:00:00Z"},
                  {"action": "change", "entity": "deals", "id": 1, "at": "2026-04-02T15:00:00Z", "fields": {"title": "Later still"}}]');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync('crm_mirror.deals');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
-- deleted while archived: another list of deleted ones
CALL sim.mutate('[{"action": "archive", "id": 6, "at": "2026-04-03T09:00:00Z"}, {"action": "archive", "id": 7, "at": "2026-04-03T09:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT id, is_archived FROM crm_mirror.deals WHERE id IN (6, 7) ORDER BY id;
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 6, "at": "2026-04-03T10:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 7, "at": "2026-04-03T11:00:00Z"},
                  {"action": "change", "entity": "deals", "id": 1, "at": "2026-04-03T15:00:00Z", "fields": {"title": "Last"}}]');
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
SELECT * FROM sim.differences();
--
-- Times that somebody chose. A row from 2062 (add_time is the client's) and a change in 2062 do not blind later runs.
--
CALL sim.mutate('[{"action": "create", "entity": "persons", "id": 9001, "at": "2062-01-05T00:00:00Z", "fields": {"name": "Typo in the year"}},
                  {"action": "change", "entity": "persons", "id": 2, "at": "2061-01-05T00:00:00Z", "fields": {"name": "Changed in the future"}}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT watermark < '2026-05-01' AS in_the_past FROM pipedrive.mirrors WHERE entity = 'persons';
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-04T09:00:00Z", "fields": {"name": "Changed afterwards"}}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
-- the same in a first load
SELECT pipedrive.drop_mirror('crm.persons');
SELECT pipedrive.create_mirror('crm.persons');
CALL pipedrive.sync('crm_mirror.persons');
SELECT watermark < '2026-05-01' AS in_the_past FROM pipedrive.mirrors WHERE entity = 'persons';
-- a watermark that is in the future is no watermark: all is read, and it comes back
UPDATE pipedrive_internal.mirror_state SET watermark = '2062-01-05' WHERE mirror_id = (SELECT mirror_id FROM pipedrive_internal.mirror WHERE entity = 'persons');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-04T10:00:00Z", "fields": {"name": "Changed once more"}}]');
CALL sim.switch('{"answer_date": "now"}');
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
SELECT watermark < now() AS in_the_past FROM pipedrive.mirrors WHERE entity = 'persons';
-- and a full run heals it too, also where the API does not tell its time
UPDATE pipedrive_internal.mirror_state SET watermark = '2062-01-05' WHERE mirror_id = (SELECT mirror_id FROM pipedrive_internal.mirror WHERE entity = 'persons');
CALL sim.switch('{"answer_date": "none"}');
CALL pipedrive.sync('crm_mirror.persons', mode => 'full');
SELECT watermark < now() AS in_the_past FROM pipedrive.mirrors WHERE entity = 'persons';
CALL sim.switch('{"answer_date": "now"}');
-- Created now with a time of long ago, as migrations do: found by its id.
CALL sim.mutate('[{"action": "create", "entity": "persons", "id": 9002, "at": "2019-03-01T10:00:00Z", "fields": {"name": "Migrated"}},
                  {"action": "create", "entity": "deals", "id": 9003, "at": "2019-03-01T10:00:00Z", "fields": {"title": "Migrated", "value": 1}}]');
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons');
SELECT regexp_replace(regexp_replace(j, 'updated_since=[0-9TZ:-]+', 'updated_since=TIME'), '[?&](include_[a-z_]+|custom_fields|limit)=[^&]*', '', 'g') AS asked FROM sim.journal() AS j;
CALL pipedrive.sync();
SELECT * FROM sim.differences();
-- also when an event has brought a newer one, and the older one's event was lost
CALL sim.mutate('[{"action": "create", "entity": "persons", "id": 9201, "at": "2019-03-01T11:00:00Z", "fields": {"name": "Its event is lost"}},
                  {"action": "create", "entity": "persons", "id": 9999, "at": "2019-03-01T12:00:00Z", "fields": {"name": "Its event comes"}}]');
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', '{"version": "2.0", "id": "e-1", "entity": "person", "entity_id": "9999", "action": "create", "timestamp": "2019-03-01T12:00:00Z"}'::jsonb,
    'data', '{"id": 9999, "name": "Its event comes", "add_time": "2019-03-01T12:00:00Z", "update_time": null}'::jsonb));
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
--
-- What arrives while a page travels. The page was requested first, so it does not undo the event, and the mark stays for the next run.
--
CREATE FUNCTION sim.event(id text, entity text, entity_id bigint, action text, at text, record jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', id, 'entity', entity, 'entity_id', entity_id::text, 'action', action, 'timestamp', at), 'data', record))
$$;
CREATE FUNCTION sim.deals_history() RETURNS TABLE (id bigint, field text, old_value jsonb, new_value jsonb, change_source text) LANGUAGE sql AS $$
    SELECT c.id::bigint, c.field, c.old_value, c.new_value, c.change_source FROM pipedrive.changes c WHERE c.entity = 'deals' ORDER BY c.recorded_at, c.id::bigint, c.field
$$;
SELECT mirror_id AS deals FROM pipedrive_internal.mirror WHERE entity = 'deals' \gset
CALL pipedrive.sync('crm_mirror.deals');
DELETE FROM pipedrive.changes;
SELECT title AS as_it_was FROM crm_mirror.deals WHERE id = 8 \gset
BEGIN;
CREATE TEMP TABLE pipedrive_stage ON COMMIT DROP AS SELECT * FROM crm_mirror.deals WHERE id IN (8, 10);
ALTER TABLE pipedrive_stage DROP COLUMN _synced_at, DROP COLUMN _source;
SELECT nextval('pipedrive_internal.arrival') AS asked \gset
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 8, "at": "2026-04-05T09:00:00Z", "fields": {"title": "By event"}}]');
SELECT sim.event('w-1', 'deal', 8, 'change', '2026-04-05T09:00:00Z', '{"id": 8, "title": "By event", "update_time": "2026-04-05T09:00:00Z"}');
SELECT sim.event('w-2', 'deal', 10, 'delete', '2026-04-05T09:00:00Z', NULL);
SELECT pipedrive_internal.merge_stage(:deals, 'pg_temp.pipedrive_stage'::regclass, 'sync'::text, :asked);
SELECT id, title FROM crm_mirror.deals WHERE id IN (8, 10);
SELECT id::bigint FROM pipedrive_internal.refetch WHERE mirror_id = :deals ORDER BY 1;
COMMIT;
-- the next run asks again: the one was changed, the other was never deleted
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
SELECT id, field, old_value = to_jsonb(:'as_it_was'::text) AS as_it_was, new_value, change_source FROM sim.deals_history();
SELECT count(*) FROM pipedrive_internal.refetch;
-- a page that was requested after the event is compared, and the mark goes
BEGIN;
SELECT sim.event('w-3', 'deal', 8, 'change', '2026-04-05T10:00:00Z', '{"id": 8, "title": "Not what it is", "update_time": "2026-04-05T10:00:00Z"}');
CREATE TEMP TABLE pipedrive_stage ON COMMIT DROP AS SELECT * FROM crm_mirror.deals WHERE id = 8;
ALTER TABLE pipedrive_stage DROP COLUMN _synced_at, DROP COLUMN _source;
UPDATE pipedrive_stage SET title = 'By event', update_time = '2026-04-05T09:00:00Z';
SELECT nextval('pipedrive_internal.arrival') AS asked \gset
SELECT pipedrive_internal.merge_stage(:deals, 'pg_temp.pipedrive_stage'::regclass, 'sync'::text, :asked);
SELECT title FROM crm_mirror.deals WHERE id = 8;
SELECT count(*) FROM pipedrive_internal.refetch;
COMMIT;
--
-- Clocks. An event with an update_time in the future does not shield its row from what the API says.
--
SELECT sim.event('f-1', 'deal', 11, 'change', '2062-01-01T00:00:00Z', '{"id": 11, "title": "Nobody wrote this", "update_time": "2062-01-01T00:00:00Z"}');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
-- With Pipedrive two hours ahead, an event of before the deletion that comes late, or was queued, raises nothing.
CALL sim.switch('{"answer_date": "two_hours_ahead"}');
SELECT to_char(now() AT TIME ZONE 'UTC' + interval '90 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS before_the_deletion,
       to_char(now() AT TIME ZONE 'UTC' + interval '150 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS after_the_deletion \gset
CALL sim.mutate('[{"action": "delete", "entity": "persons", "id": 4, "at": "2026-04-06T09:00:00Z"}, {"action": "delete", "entity": "persons", "id": 5, "at": "2026-04-06T09:00:00Z"}]');
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', 'q-1', 'entity', 'person', 'entity_id', '5', 'action', 'change', 'timestamp', :'after_the_deletion'),
                                                   'data', '{"id": 5, "name": "Queued"}'::jsonb), 'queue');
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT id FROM crm_mirror.persons WHERE id IN (4, 5);
SELECT sim.event('l-1', 'person', 4, 'change', :'before_the_deletion', jsonb_build_object('id', 4, 'name', 'Ghost', 'update_time', :'before_the_deletion'));
CALL pipedrive.apply_inbox();
SELECT id FROM crm_mirror.persons WHERE id IN (4, 5);
-- nor does one of after it, as its time and that of the answer may be of different clocks: the next run asks
SELECT sim.event('l-2', 'person', 4, 'change', :'after_the_deletion', jsonb_build_object('id', 4, 'name', 'Back', 'update_time', :'after_the_deletion'));
SELECT id FROM crm_mirror.persons WHERE id IN (4, 5);
CALL pipedrive.sync('crm_mirror.persons');
SELECT id FROM crm_mirror.persons WHERE id IN (4, 5);
CALL sim.mutate('[{"action": "restore", "entity": "persons", "id": 4, "at": "2026-04-06T10:00:00Z"}]');
SELECT sim.event('l-4', 'person', 4, 'change', :'after_the_deletion', jsonb_build_object('id', 4, 'name', 'Back', 'update_time', :'after_the_deletion'));
CALL pipedrive.sync('crm_mirror.persons');
SELECT id FROM crm_mirror.persons WHERE id IN (4, 5);
-- also with Pipedrive two hours behind, when all times of events seem to be of after the deletion
CALL sim.switch('{"answer_date": "two_hours_behind"}');
CALL sim.mutate('[{"action": "delete", "entity": "persons", "id": 4, "at": "2026-04-06T11:00:00Z"}]');
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT sim.event('l-5', 'person', 4, 'change', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '{"id": 4, "name": "Ghost"}');
SELECT id FROM crm_mirror.persons WHERE id IN (4, 5);
-- where Pipedrive does not tell its time, only the next run raises it
CALL sim.switch('{"answer_date": "none"}');
CALL sim.mutate('[{"action": "delete", "entity": "persons", "id": 6, "at": "2026-04-06T09:00:00Z"}]');
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT sim.event('l-3', 'person', 6, 'change', :'after_the_deletion', jsonb_build_object('id', 6, 'name', 'Ghost', 'update_time', :'after_the_deletion'));
CALL sim.mutate('[{"action": "restore", "entity": "persons", "id": 6, "at": "2026-04-06T10:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
CALL sim.switch('{"answer_date": "now"}');
-- The clock of this machine steps back two hours: whatever it dated before is in its future now, and no rule looks at that.
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO crm;
SELECT pipedrive.create_mirror('crm.stages');
CALL pipedrive.sync('crm_mirror.stages');
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 14, "at": "2026-04-07T09:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
UPDATE crm_mirror.stages SET _synced_at = now() + interval '2 hours';
UPDATE crm_mirror.deals SET _synced_at = now() + interval '2 hours';
UPDATE pipedrive_internal.tombstone SET recorded_at = now() + interval '2 hours';
INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason, requested_at) VALUES (:deals, 15, 'test', now() + interval '2 hours');
UPDATE pipedrive_internal.mirror_state SET last_sync = now() + interval '2 hours', run_started = now() + interval '2 hours';
SELECT max(id) AS stage FROM crm_mirror.stages \gset
CALL sim.mutate(format('[{"action": "restore", "entity": "deals", "id": 14, "at": "2026-04-07T10:00:00Z"}, {"action": "delete", "entity": "stages", "id": %s},
                         {"action": "change", "entity": "deals", "id": 15, "at": "2026-04-07T10:00:00Z", "fields": {"title": "After the step"}}]', :stage)::jsonb);
CALL pipedrive.sync();
SELECT * FROM sim.differences();
SELECT count(*) FROM pipedrive_internal.refetch;
SELECT mirror, watermark > now() AS in_the_future FROM pipedrive.mirrors WHERE watermark > now();
--
-- History: a change is told once, with the value that it overwrote. A new column is no change of the rows that it fills; rows that are
-- created and that come back are told.
--
DELETE FROM pipedrive.changes;
CALL sim.field('{"action": "add", "entity": "deals", "code": "f00000000000000000000000000000000000000e", "name": "Second", "type": "varchar", "values": {"1": "a", "2": "b", "8": "c"}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
SELECT sim.event('h-1', 'deal', 2, 'change', '2026-04-08T08:00:00Z', '{"id": 2, "update_time": "2026-04-08T08:00:00Z", "custom_fields": {"f00000000000000000000000000000000000000e": {"type": "varchar", "value": "b"}}}');
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-08T09:00:00Z", "fields": {"title": "Changed meanwhile"}}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT id, second FROM crm_mirror.deals WHERE second IS NOT NULL ORDER BY id;
SELECT id, field, new_value, change_source FROM sim.deals_history();
-- from then on its changes are told
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-08T10:00:00Z", "fields": {"custom_fields": {"Second": "z"}}},
                  {"action": "delete", "entity": "deals", "id": 2, "at": "2026-04-08T10:00:00Z"},
                  {"action": "create", "entity": "deals", "id": 9301, "at": "2026-04-08T10:00:00Z", "fields": {"title": "New", "value": 1}}]');
DELETE FROM pipedrive.changes;
CALL pipedrive.sync('crm_mirror.deals');
CALL sim.mutate('[{"action": "restore", "entity": "deals", "id": 2, "at": "2026-04-08T11:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT sim.event('h-2', 'deal', 9302, 'create', '2026-04-08T12:00:00Z', '{"id": 9302, "title": "New by event"}');
SELECT pipedrive.ingest_webhook('{"meta": {"version": "2.0", "id": "h-3", "entity": "deal", "entity_id": "9303", "action": "create", "timestamp": "2026-04-08T12:00:00Z"}, "data": {"id": 9303, "title": "New, queued"}}'::jsonb, 'queue');
CALL pipedrive.apply_inbox();
SELECT * FROM sim.deals_history();
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
SELECT id, field, old_value, new_value, change_source FROM sim.deals_history() WHERE id IN (9302, 9303) ORDER BY id, old_value NULLS FIRST;
--
-- The brake: a run does not delete more than a share of a mirror, however it came to see nothing.
--
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE VIEW sim.brake AS SELECT entity, rows, held_back, last_error FROM pipedrive.mirrors;
SELECT count(*) AS persons FROM crm_mirror.persons \gset
SELECT count(*) AS stages FROM crm_mirror.stages \gset
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token 'sim-token-limited');
UPDATE pipedrive_internal.server_account SET stamp = pipedrive_internal.account_stamp('crm');
SELECT count(*) < :persons / 2 AS sees_little FROM crm.persons;
SELECT count(*) AS visible FROM crm.persons \gset
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT rows = :persons AS all_there, held_back = :persons - :visible AS held_back, last_error ~ '^[0-9]+ rows are gone' AS told FROM sim.brake WHERE entity = 'persons';
-- the next run goes on with the rest, asks for none of them again, and says it again
CALL sim.clear();
\set VERBOSITY terse
CALL pipedrive.sync('crm_mirror.persons');
\set VERBOSITY default
SELECT j FROM sim.journal() AS j WHERE j ~ 'ids=';
SELECT rows = :persons AS all_there, held_back = :persons - :visible AS held_back FROM sim.brake WHERE entity = 'persons';
-- with its rights back nothing has happened
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token 'sim-token-admin');
CALL pipedrive.reconcile('crm_mirror.persons');
CALL pipedrive.sync('crm_mirror.persons');
SELECT rows = :persons AS all_there, held_back, last_error FROM sim.brake WHERE entity = 'persons';
SELECT * FROM sim.differences();
-- lists that are read whole, and the list of deleted ones: held, and done when told to
SELECT sim.call('POST', 'mutate', (SELECT jsonb_agg(jsonb_build_object('action', 'delete', 'entity', 'stages', 'id', id)) FROM (SELECT id FROM crm_mirror.stages ORDER BY id LIMIT 5) AS s)::text) <> '' AS done;
SELECT sim.call('POST', 'mutate', (SELECT jsonb_agg(jsonb_build_object('action', 'delete', 'entity', 'deals', 'id', id, 'at', '2026-04-09T09:00:00Z')) FROM (SELECT id FROM crm_mirror.deals ORDER BY id LIMIT 20) AS s)::text) <> '' AS done;
\set VERBOSITY terse
CALL pipedrive.sync();
SELECT entity, held_back FROM sim.brake ORDER BY entity;
CALL pipedrive.sync();
SELECT entity, held_back FROM sim.brake ORDER BY entity;
CALL pipedrive.sync(allow_deletes => true);
SELECT entity, held_back, last_error FROM sim.brake ORDER BY entity;
SELECT * FROM sim.differences();
-- one row always goes; the share is a setting
INSERT INTO pipedrive.settings VALUES ('max_deleted_percent', '0');
SELECT max(id) AS last_stage FROM crm_mirror.stages \gset
CALL sim.mutate(format('[{"action": "delete", "entity": "stages", "id": %s}]', :last_stage)::jsonb);
CALL pipedrive.sync();
SELECT * FROM sim.differences();
UPDATE pipedrive.settings SET value = 'a lot' WHERE name = 'max_deleted_percent';
SELECT pipedrive_internal.delete_limit(100), pipedrive_internal.delete_limit(3);
DELETE FROM pipedrive.settings WHERE name = 'max_deleted_percent';
--
-- A first load that is begun anew, as columns came meanwhile, has rows: what was deleted since is asked for.
--
SELECT pipedrive.drop_mirror('crm.deals');
SELECT pipedrive.create_mirror('crm.deals');
ALTER SERVER crm OPTIONS (ADD page_size '10');
CALL pipedrive.sync('crm_mirror.deals', max_tokens => 40);
SELECT strategy, phase, count(*) BETWEEN 10 AND 40 AS begun FROM pipedrive_internal.mirror_state JOIN pipedrive_internal.mirror USING (mirror_id) CROSS JOIN crm_mirror.deals WHERE entity = 'deals' GROUP BY 1, 2;
SELECT max(id) FILTER (WHERE n = 5) AS loaded, max(id) AS last_loaded FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM crm_mirror.deals) AS d \gset
CALL sim.mutate(format('[{"action": "delete", "entity": "deals", "id": %s, "at": "2026-04-10T09:00:00Z"},
                         {"action": "change", "entity": "deals", "id": %s, "at": "2026-04-10T15:00:00Z", "fields": {"title": "Much later"}}]', :loaded, :last_loaded)::jsonb);
CALL sim.field('{"action": "add", "entity": "deals", "code": "f00000000000000000000000000000000000000d", "name": "Third", "type": "varchar", "values": {"8": "c"}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
ALTER SERVER crm OPTIONS (SET page_size '500');
CALL pipedrive.sync('crm_mirror.deals');
SELECT strategy FROM pipedrive_internal.mirror_state JOIN pipedrive_internal.mirror USING (mirror_id) WHERE entity = 'deals';
SELECT * FROM sim.differences();
-- the new column is not history, nor is what the first load brought
SELECT field, count(*) FROM pipedrive.changes WHERE mirror_id = (SELECT mirror_id FROM pipedrive_internal.mirror WHERE entity = 'deals') AND field IN ('third', 'is_deleted') GROUP BY field;
--
-- The list of deleted ones is read in parts as well, within the limit of each call, and loses none that is deleted meanwhile.
--
CREATE TABLE sim.parts (tokens bigint, phase text);
CREATE PROCEDURE sim.sync_in_parts() LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    newest bigint;
BEGIN
    LOOP
        SELECT m.tokens_today INTO before FROM pipedrive.mirrors m WHERE m.entity = 'deals';
        CALL pipedrive.sync('crm_mirror.deals', max_tokens => 40);
        INSERT INTO sim.parts SELECT m.tokens_today - before, m.phase FROM pipedrive.mirrors m WHERE m.entity = 'deals';
        COMMIT;
        EXIT WHEN NOT EXISTS (SELECT FROM pipedrive.sync_progress);
        IF (SELECT count(*) FROM sim.parts p WHERE p.phase = 'deleted') = 2 THEN
            SELECT max(d.id) INTO newest FROM crm_mirror.deals d;
            CALL sim.mutate(format('[{"action": "delete", "entity": "deals", "id": %s}]', newest)::jsonb);
        END IF;
    END LOOP;
END $$;
ALTER SERVER crm OPTIONS (SET page_size '1');
CALL pipedrive.sync('crm_mirror.deals'); -- whose account it is is asked here
SELECT sim.call('POST', 'mutate', (SELECT jsonb_agg(jsonb_build_object('action', 'delete', 'entity', 'deals', 'id', id, 'at', '2026-04-11T09:00:00Z')) FROM (SELECT id FROM crm_mirror.deals WHERE NOT is_archived ORDER BY id LIMIT 4) AS s)::text) <> '' AS done;
CALL sim.mutate(format('[{"action": "change", "entity": "deals", "id": %s, "at": "2026-04-11T15:00:00Z", "fields": {"title": "The last one"}}]', :last_loaded)::jsonb);
CALL sim.sync_in_parts();
SELECT max(tokens) <= 40 AS within, count(*) FILTER (WHERE phase = 'deleted') > 1 AS in_parts FROM sim.parts;
ALTER SERVER crm OPTIONS (DROP page_size);
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
--
-- A failure is an error in the end. Where the server cannot be reached, its other mirrors are left alone; those of another server are not.
--
CREATE SERVER down FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url 'http://127.0.0.1:9', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER down OPTIONS (api_token 'x');
CREATE SCHEMA down;
CREATE FOREIGN TABLE down.a (id bigint, name text) SERVER down OPTIONS (entity 'stages');
CREATE FOREIGN TABLE down.b (id bigint, name text) SERVER down OPTIONS (entity 'pipelines');
CREATE FOREIGN TABLE down.c (id bigint, name text) SERVER down OPTIONS (entity 'users');
SELECT count(*) FROM pipedrive.create_mirrors('down');
UPDATE pipedrive_internal.mirror_state SET last_sync = NULL WHERE mirror_id = :deals;
SET client_min_messages = error;
CALL pipedrive.sync();
SELECT mirror, left(last_error, 46) AS last_error, last_sync IS NOT NULL AS synced FROM pipedrive.mirrors WHERE mirror::text LIKE 'down%' OR entity = 'deals' ORDER BY mirror::text;
-- the one that failed is tried last: another one takes its turn
CALL pipedrive.sync();
SELECT mirror, last_error IS NOT NULL AS failed FROM pipedrive.mirrors WHERE mirror::text LIKE 'down%' ORDER BY mirror::text;
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror WHERE target::text LIKE 'down%';
-- success is one line
SET client_min_messages = notice;
SELECT max(id) AS last_stage FROM crm_mirror.stages \gset
CALL sim.mutate(format('[{"action": "change", "entity": "stages", "id": %s, "fields": {"name": "Last"}}]', :last_stage)::jsonb);
CALL pipedrive.sync('crm_mirror.stages');
CALL pipedrive.reconcile('crm_mirror.stages');
SET client_min_messages = warning;
-- rows are counted, and the lag is since the run began
CREATE TABLE sim.before_load AS SELECT clock_timestamp() AS at;
SELECT pipedrive.drop_mirror('crm.persons');
SELECT pipedrive.create_mirror('crm.persons');
SELECT rows, lag FROM pipedrive.mirrors WHERE entity = 'persons';
CALL pipedrive.sync('crm_mirror.persons');
SELECT rows = (SELECT count(*) FROM crm_mirror.persons) AS counted, lag > '0' AND lag < clock_timestamp() - (SELECT at FROM sim.before_load) AS since FROM pipedrive.mirrors WHERE entity = 'persons';
-- A run that finds nothing makes no table: nothing takes a new OID.
CALL pipedrive.sync();
CALL pipedrive.sync();
SELECT lo_create(0) AS before_nothing \gset
CALL pipedrive.sync('crm_mirror.deals');
CALL pipedrive.sync('crm_mirror.persons');
SELECT lo_create(0) AS after_nothing \gset
SELECT :after_nothing - :before_nothing AS oids;
SELECT lo_unlink(:before_nothing), lo_unlink(:after_nothing);
-- a materialized view over one that is due is due itself
CREATE MATERIALIZED VIEW sim.inner_view AS SELECT pipeline_id, count(*) AS n FROM crm_mirror.stages GROUP BY 1;
CREATE MATERIALIZED VIEW sim.outer_view AS SELECT sum(n) AS n FROM sim.inner_view;
SELECT count(pipedrive.track_view(v)) FROM unnest(ARRAY['sim.inner_view', 'sim.outer_view']::regclass[]) AS v;
CALL pipedrive.refresh_views();
SELECT view, due, lag > '0' AS behind FROM pipedrive.tracked_views ORDER BY view::text;
CALL sim.mutate(format('[{"action": "change", "entity": "stages", "id": %s, "fields": {"name": "Really last"}}]', :last_stage)::jsonb);
CALL pipedrive.sync('crm_mirror.stages');
SELECT view, due, lag > '0' AS behind, waits_for FROM pipedrive.tracked_views ORDER BY view::text;
CALL pipedrive.refresh_views();
SELECT view, due FROM pipedrive.tracked_views ORDER BY view::text;
DROP MATERIALIZED VIEW sim.inner_view, sim.outer_view;
-- More new rows than a page holds, below an id that is far above all others.
ALTER SERVER crm OPTIONS (ADD page_size '20');
SELECT max(id) > 1000000 AS there_is_one FROM crm_mirror.persons;
SELECT sim.call('POST', 'mutate', (SELECT jsonb_agg(jsonb_build_object('action', 'create', 'entity', 'persons', 'id', i, 'at', '2019-03-01T10:00:00Z', 'fields', '{"name": "Many"}'::jsonb)) FROM generate_series(10001, 10150) AS i)::text) <> '' AS done;
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
ALTER SERVER crm OPTIONS (DROP page_size);
-- A server that takes no notice of the status lists rows that are there: they are read by id, and stay.
SELECT count(*) AS before FROM crm_mirror.deals \gset
SELECT jsonb_build_object('kind', 'status', 'status', 200, 'match', '{"path_regex": "deals/archived$", "query_regex": "status=deleted"}'::jsonb,
           'body', jsonb_build_object('success', true, 'data', (SELECT jsonb_agg(r.data || '{"update_time": "2026-06-30T00:00:00Z"}') FROM sim.rows('deals') AS r WHERE (r.data ->> 'is_archived')::boolean),
                                      'additional_data', '{"next_cursor": null}'::jsonb)) AS ignored \gset
CALL sim.fault(:'ignored');
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
CALL sim.no_faults();
SELECT count(*) - :before AS lost, (SELECT count(*) FROM pipedrive_internal.refetch WHERE held) AS held FROM crm_mirror.deals;
SELECT * FROM sim.differences();
-- One that refuses it for archived deals: what the other list tells is done, and so is the rest of the run.
SELECT min(id) AS gone, max(id) AS other FROM crm_mirror.deals WHERE NOT is_archived \gset
CALL sim.fault('{"kind": "status", "status": 400, "match": {"path_regex": "deals/archived$", "query_regex": "status=deleted"}}');
SELECT format('[{"action": "delete", "entity": "deals", "id": %s, "at": "2026-07-01T09:00:00Z"}, {"action": "change", "entity": "deals", "id": %s, "at": "2026-07-01T09:00:00Z", "fields": {"title": "after"}}]', :gone, :other) AS changes \gset
CALL sim.mutate(:'changes');
CALL pipedrive.sync('crm_mirror.deals');
CALL pipedrive.sync('crm_mirror.deals');
CALL sim.no_faults();
SELECT phase, last_error FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.deals'::regclass;
SELECT * FROM sim.differences();
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
DROP SCHEMA crm_mirror;
DROP SERVER down CASCADE;
DROP SCHEMA down, down_mirror CASCADE;
