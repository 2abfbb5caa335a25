\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Events and what the owner of a mirror adds to it: columns, triggers, constraints. Sync: users_own.sql.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
CREATE FUNCTION sim.event(id bigint, record jsonb, minute integer, action text DEFAULT 'change') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'meta', jsonb_build_object('action', action, 'company_id', '100200300', 'entity', 'stage', 'entity_id', id::text, 'id', format('e%s-%s', id, minute),
                                   'timestamp', format('2027-01-01T10:%s:00.000Z', to_char(minute, 'FM00')), 'version', '2.0'),
        'data', CASE action WHEN 'delete' THEN 'null' ELSE jsonb_build_object('id', id, 'update_time', format('2027-01-01T10:%s:00Z', to_char(minute, 'FM00'))) || record END)
$$;
CREATE FUNCTION sim.send(id bigint, name text, minute integer, mode text DEFAULT 'apply') RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(sim.event(id, jsonb_build_object('name', name, 'pipeline_id', 1), minute), mode)
$$;
\set VERBOSITY terse
SET client_min_messages = error;
SET statement_timeout = '60s';
SELECT pipedrive.create_mirror('crm.stages');
CALL pipedrive.sync();
--
-- A trigger that keeps rows out: the event is settled, alone and from the queue
--
CREATE FUNCTION crm_mirror.filter() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF new.id > 900000 THEN RETURN NULL; END IF; RETURN new; END';
CREATE TRIGGER filter BEFORE INSERT ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.filter();
CALL sim.mutate('[{"action": "create", "entity": "stages", "id": 999999, "fields": {"name": "Out", "pipeline_id": 1}}]');
SELECT sim.send(999999, 'Out', 1) AS alone, sim.send(999999, 'Out', 2, 'queue') AS queued, sim.send(999998, 'Out', 2, 'queue') AS other, sim.send(2, 'In', 2, 'queue') AS let_in;
CALL pipedrive.apply_inbox();
SELECT entity_id, status, outcome, count(*) FROM pipedrive.inbox GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT id, name FROM crm_mirror.stages WHERE id = 2 OR id > 900000;
-- the next sync reads what was marked, and no later one does
CALL pipedrive.sync();
SELECT count(*) FROM pipedrive_internal.refetch;
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.journal() AS asked WHERE asked NOT LIKE '%/users/me%';
SELECT count(*) FILTER (WHERE id::bigint > 900000) FROM pipedrive.changes;
SELECT status, events FROM pipedrive.replay(only_failed => false);
-- an update that is kept out is told so too, and is in no history
DELETE FROM pipedrive.changes;
CREATE FUNCTION crm_mirror.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.keep();
SELECT change_serial AS serial FROM pipedrive.mirrors \gset
SELECT sim.send(3, 'Kept', 3) AS alone, sim.send(3, 'Kept', 4, 'queue') AS queued, sim.send(4, 'Kept', 4, 'queue') AS other;
CALL pipedrive.apply_inbox();
SELECT entity_id, outcome, count(*) FROM pipedrive.inbox WHERE event_time >= '2027-01-01 10:03+00' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT (SELECT count(*) FROM pipedrive.changes) AS told, change_serial - :serial AS counted FROM pipedrive.mirrors;
DROP TRIGGER keep ON crm_mirror.stages;
CALL pipedrive.sync();
--
-- A trigger that makes another row of it: history has what was written, once
--
CREATE FUNCTION crm_mirror.loud() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.name := upper(new.name); RETURN new; END';
CREATE TRIGGER loud BEFORE UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.loud();
DELETE FROM pipedrive.changes;
SELECT sim.send(5, 'Loud', 10);
SELECT sim.send(6, 'Loud too', 10, 'queue');
CALL pipedrive.apply_inbox();
SELECT change_serial AS serial FROM pipedrive.mirrors \gset
SELECT sim.send(5, 'Loud', 11), sim.send(6, 'Loud too', 11, 'queue');
CALL pipedrive.apply_inbox();
SELECT id, field, new_value, changed_at, change_source FROM pipedrive.changes ORDER BY id, field;
SELECT id, name FROM crm_mirror.stages WHERE id IN (5, 6) ORDER BY id;
DROP TRIGGER loud ON crm_mirror.stages;
--
-- Columns of theirs: of a type that takes no NULL, or that holds what jsonb cannot
--
CREATE DOMAIN crm_mirror.grade AS text NOT NULL DEFAULT 'a';
ALTER TABLE crm_mirror.stages ADD COLUMN note crm_mirror.grade DEFAULT 'n', ADD COLUMN paper json DEFAULT '"\u0000"';
SELECT sim.send(7, 'With a note', 20) AS changed, sim.send(700, 'New', 20) AS made, sim.send(7, 'With a note, again', 21, 'queue') AS queued, sim.send(701, 'New too', 21, 'queue') AS other;
CALL pipedrive.apply_inbox();
SELECT pipedrive.ingest_webhook(sim.event(701, '{}', 22, 'delete'));
SELECT id, name, note, paper FROM crm_mirror.stages WHERE id IN (7, 700, 701) ORDER BY id;
SELECT status, outcome FROM pipedrive.inbox WHERE status = 'failed';
-- columns that the event does not carry stay, and new rows have none of them
SELECT order_nr IS NOT NULL AS stays FROM crm_mirror.stages WHERE id = 7;
SELECT order_nr FROM crm_mirror.stages WHERE id = 700;
--
-- A constraint that would wait for the commit fails its event, not the batch
--
CREATE TABLE crm_mirror.known_name (name text PRIMARY KEY);
INSERT INTO crm_mirror.known_name SELECT DISTINCT name FROM crm_mirror.stages;
ALTER TABLE crm_mirror.stages ADD CONSTRAINT known FOREIGN KEY (name) REFERENCES crm_mirror.known_name DEFERRABLE INITIALLY DEFERRED;
INSERT INTO crm_mirror.known_name VALUES ('Known');
SELECT sim.send(8, 'Unknown', 30) AS alone, sim.send(8, 'Unknown still', 31, 'queue') AS queued, sim.send(9, 'Known', 31, 'queue') AS other;
CALL pipedrive.apply_inbox();
SELECT entity_id, outcome FROM pipedrive.inbox WHERE event_time >= '2027-01-01 10:30+00' ORDER BY seq;
SELECT id, name FROM crm_mirror.stages WHERE id = 9;
--
-- An assertion of a trigger, which OTHERS does not catch, fails its event, which is kept
--
ALTER TABLE crm_mirror.stages DROP CONSTRAINT known;
CREATE FUNCTION crm_mirror.assert() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ASSERT new.name <> 'Never', 'not this name'; RETURN new; END$$;
CREATE TRIGGER assert BEFORE INSERT OR UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.assert();
SELECT sim.send(10, 'Never', 40) AS alone, sim.send(10, 'Never', 41, 'queue') AS queued, sim.send(11, 'Ever', 41, 'queue') AS other;
CALL pipedrive.apply_inbox();
SELECT entity_id, outcome FROM pipedrive.inbox WHERE event_time >= '2027-01-01 10:40+00' ORDER BY seq;
SELECT id, name FROM crm_mirror.stages WHERE id = 11;
DROP TRIGGER assert ON crm_mirror.stages;
--
-- A constraint of another table, which a trigger writes, waits for the commit: it fails its event; what the session
-- declared of constraints stays
--
CREATE TABLE crm_mirror.audit (name text CONSTRAINT known REFERENCES crm_mirror.known_name DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE crm_mirror.plain (name text CONSTRAINT known REFERENCES crm_mirror.known_name);
CREATE FUNCTION crm_mirror.audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO crm_mirror.audit VALUES (coalesce(new.name, 'Gone')); RETURN NULL; END$$;
CREATE TRIGGER audit AFTER UPDATE OR DELETE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.audit();
SELECT sim.send(8, 'Nobody', 50) AS alone, sim.send(8, 'Nobody still', 51, 'queue') AS queued, sim.send(9, 'Known', 51, 'queue') AS other;
SELECT pipedrive.ingest_webhook(sim.event(12, '{}', 51, 'delete'), 'queue');
CALL pipedrive.apply_inbox();
SELECT entity_id, outcome FROM pipedrive.inbox WHERE event_time >= '2027-01-01 10:50+00' ORDER BY seq;
BEGIN;
SELECT sim.send(10, 'Known', 52);
INSERT INTO crm_mirror.audit VALUES ('Waits');
ROLLBACK;
CREATE TABLE crm_mirror.at_once (name text CONSTRAINT known REFERENCES crm_mirror.known_name DEFERRABLE);
SELECT sim.send(8, 'Nobody', 53) AS alone, sim.send(8, 'Nobody still', 54, 'queue') AS queued, sim.send(11, 'Known', 54, 'queue') AS other;
CALL pipedrive.apply_inbox();
SELECT entity_id, outcome FROM pipedrive.inbox WHERE event_time >= '2027-01-01 10:53+00' ORDER BY seq;
BEGIN;
SELECT sim.send(10, 'Known', 55);
INSERT INTO crm_mirror.audit VALUES ('Waits');
INSERT INTO crm_mirror.at_once VALUES ('Does not wait');
ROLLBACK;
SELECT * FROM crm_mirror.audit;
SELECT pipedrive.drop_mirror('crm.stages');
