\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- What the owner of a mirror adds to it is the owner's: columns, constraints, indexes, triggers. It may refuse a row or
-- make another of it. That costs the row, and no other; history tells what was written; an idle sync is idle.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages, pipelines, users) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
CREATE FUNCTION sim.missing(entity text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT e.id FROM sim.rows(%L) e WHERE NOT EXISTS (SELECT FROM crm_mirror.%I m WHERE m.id = e.id) ORDER BY 1', entity, entity);
END $$;
CREATE PROCEDURE sim.fresh(entity text) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM pipedrive.changes;
    PERFORM pipedrive.drop_mirror(m.source) FROM pipedrive_internal.mirror m WHERE m.entity = fresh.entity;
    PERFORM pipedrive.create_mirror(format('crm.%I', entity)::regclass);
END $$;
\set VERBOSITY terse
SET client_min_messages = error;
CALL sim.fresh('deals');
CALL sim.fresh('stages');
CALL pipedrive.sync();
--
-- A column of theirs that takes no NULL, while some row is refused
--
CALL sim.fresh('stages');
ALTER TABLE crm_mirror.stages ADD COLUMN line integer GENERATED ALWAYS AS IDENTITY, ADD CONSTRAINT not_the_first CHECK (id <> 1);
CALL pipedrive.sync('crm_mirror.stages');
SELECT * FROM sim.missing('stages');
SELECT id, column_name, reason FROM pipedrive.bad_rows;
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 2, "fields": {"name": "Renamed"}}]');
CALL pipedrive.sync('crm_mirror.stages');
SELECT name, line IS NOT NULL AS has_line FROM crm_mirror.stages WHERE id = 2;
-- without a default new rows cannot come; the others are kept all the same
ALTER TABLE crm_mirror.stages ADD COLUMN note text NOT NULL DEFAULT 'there before';
ALTER TABLE crm_mirror.stages ALTER COLUMN note DROP DEFAULT;
ALTER TABLE crm_mirror.stages DROP CONSTRAINT not_the_first;
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 2, "fields": {"name": "Renamed again"}}]');
CALL pipedrive.sync('crm_mirror.stages');
SELECT name, note FROM crm_mirror.stages WHERE id = 2;
SELECT * FROM sim.missing('stages');
SELECT id, column_name, reason FROM pipedrive.bad_rows;
ALTER TABLE crm_mirror.stages ALTER COLUMN note DROP NOT NULL;
CALL pipedrive.sync('crm_mirror.stages');
SELECT count(*) FROM pipedrive.bad_rows;
SELECT * FROM sim.missing('stages');
-- many at once are told in few lines
CALL sim.fresh('stages');
ALTER TABLE crm_mirror.stages ADD CHECK (id > 100);
SET client_min_messages = warning;
CALL pipedrive.sync('crm_mirror.stages');
CALL pipedrive.sync('crm_mirror.stages');
SET client_min_messages = error;
SELECT count(*) FROM pipedrive.bad_rows;
--
-- A unique index
--
CREATE UNIQUE INDEX one_title ON crm_mirror.deals (title) WHERE title = ANY ('{Same,Moved,Further,Last}');
SELECT min(id) AS one, max(id) AS two FROM sim.rows('deals') WHERE data ->> 'status' = 'open' \gset
SELECT sim.call('POST', 'mutate', format('[{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Same"}}, {"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Same"}}]', :one, :two)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
SELECT id = :one AS first_one, title FROM crm_mirror.deals WHERE title = 'Same';
SELECT id = :'two' AS the_second, column_name, reason FROM pipedrive.bad_rows WHERE entity = 'deals';
SELECT last_error = format('1 row is set aside, the first is row id %s: see pipedrive.bad_rows', :two) AS told FROM pipedrive.mirrors WHERE entity = 'deals';
-- known already, it is not told again
SET client_min_messages = warning;
CALL pipedrive.sync('crm_mirror.deals');
SET client_min_messages = error;
-- one row makes room for another, whatever their order
SELECT sim.call('POST', 'mutate', format('[{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Moved"}}, {"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Last"}}]', :two, :one)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
SELECT sim.call('POST', 'mutate', format('[{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Moved"}}, {"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Further"}}]', :one, :two)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
SELECT id = :one AS first_one, title FROM crm_mirror.deals WHERE id IN (:one, :two) ORDER BY id;
SELECT count(*) FROM pipedrive.bad_rows WHERE entity = 'deals';
-- in a first load
SELECT sim.call('POST', 'mutate', format('[{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Further"}}]', :one)) IS NOT NULL AS done;
CALL sim.fresh('deals');
CREATE UNIQUE INDEX one_title ON crm_mirror.deals (title) WHERE title = 'Further';
CALL pipedrive.sync('crm_mirror.deals');
SELECT count(*), bool_and(m IN (:one, :two)) AS one_of_them FROM sim.missing('deals') AS m;
SELECT count(*), bool_and(id IN (:'one', :'two')) AS one_of_them FROM pipedrive.bad_rows WHERE entity = 'deals';
-- read again later: the index is gone by then
DROP INDEX crm_mirror.one_title;
UPDATE pipedrive_internal.bad_row SET seen_at = seen_at - interval '2 hours';
CALL pipedrive.sync('crm_mirror.deals');
SELECT count(*) FROM sim.missing('deals');
SELECT count(*) FROM pipedrive.bad_rows WHERE entity = 'deals';
-- a constraint that would wait for the commit
ALTER TABLE crm_mirror.deals ADD CONSTRAINT one_title UNIQUE (id, title) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE crm_mirror.known_title (title text PRIMARY KEY);
INSERT INTO crm_mirror.known_title SELECT DISTINCT title FROM crm_mirror.deals;
ALTER TABLE crm_mirror.deals ADD CONSTRAINT known FOREIGN KEY (title) REFERENCES crm_mirror.known_title DEFERRABLE INITIALLY DEFERRED;
SELECT sim.call('POST', 'mutate', format('[{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Unknown"}}, {"action": "change", "entity": "deals", "id": %s, "fields": {"value": 4711}}]', :one, :two)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
SELECT id = :one AS first_one, title, value = 4711 AS changed FROM crm_mirror.deals WHERE id IN (:one, :two) ORDER BY id;
SELECT id = :'one' AS first_one, reason FROM pipedrive.bad_rows WHERE entity = 'deals';
ALTER TABLE crm_mirror.deals DROP CONSTRAINT known, DROP CONSTRAINT one_title;
DROP TABLE crm_mirror.known_title;
--
-- A trigger that raises: its words are the reason
--
CREATE FUNCTION crm_mirror.number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.title LIKE 'Reject%' THEN
        RAISE EXCEPTION 'we do not take "%"', new.title;
    ELSIF new.title LIKE 'Number %' THEN
        PERFORM substr(new.title, 8)::integer;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER number BEFORE INSERT OR UPDATE ON crm_mirror.deals FOR EACH ROW EXECUTE FUNCTION crm_mirror.number();
SELECT sim.call('POST', 'mutate', format('[{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Number x"}}, {"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Number 7"}},
    {"action": "create", "entity": "deals", "id": 9801, "fields": {"title": "Reject this"}}, {"action": "create", "entity": "deals", "id": 9802, "fields": {"title": "Take this"}}]', :one, :two)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
SELECT title FROM crm_mirror.deals WHERE id IN (:two, 9801, 9802) ORDER BY id;
SELECT id = :'one' AS first_one, reason FROM pipedrive.bad_rows WHERE entity = 'deals' ORDER BY id;
-- what is told may stand in the server's log: without the words
DELETE FROM pipedrive_internal.bad_row;
\set VERBOSITY default
SET client_min_messages = warning;
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
SET client_min_messages = error;
\set VERBOSITY terse
DROP TRIGGER number ON crm_mirror.deals;
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
SELECT * FROM sim.missing('deals');
SELECT count(*) FROM pipedrive.bad_rows WHERE entity = 'deals';
--
-- A deletion that a foreign key refuses
--
CREATE TABLE crm_mirror.remark (deal_id bigint REFERENCES crm_mirror.deals, stage_id bigint);
INSERT INTO crm_mirror.remark VALUES (9801);
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 9801}, {"action": "delete", "entity": "deals", "id": 9802}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT id FROM crm_mirror.deals WHERE id IN (9801, 9802);
SELECT id, reason FROM pipedrive.bad_rows WHERE entity = 'deals';
SELECT id, old_value, new_value FROM pipedrive.changes WHERE field = 'is_deleted' AND new_value = 'true';
DROP TABLE crm_mirror.remark;
UPDATE pipedrive_internal.bad_row SET seen_at = seen_at - interval '2 hours';
CALL pipedrive.sync('crm_mirror.deals');
SELECT id FROM crm_mirror.deals WHERE id IN (9801, 9802);
SELECT count(*) FROM pipedrive.bad_rows WHERE entity = 'deals';
-- in a list that is read whole
CALL sim.fresh('stages');
CALL pipedrive.sync('crm_mirror.stages');
CREATE TABLE crm_mirror.remark (stage_id bigint REFERENCES crm_mirror.stages);
INSERT INTO crm_mirror.stages (id, name) VALUES (9901, 'referred to'), (9902, 'free');
INSERT INTO crm_mirror.remark VALUES (9901);
CALL pipedrive.sync('crm_mirror.stages');
SELECT id FROM crm_mirror.stages WHERE id > 9000;
SELECT id, reason FROM pipedrive.bad_rows;
DROP TABLE crm_mirror.remark;
CALL pipedrive.sync('crm_mirror.stages');
SELECT id FROM crm_mirror.stages WHERE id > 9000;
SELECT count(*) FROM pipedrive.bad_rows;
--
-- A trigger that makes another row of it: history tells what was written, and an idle sync nothing
--
CREATE FUNCTION crm_mirror.loud() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.name := upper(new.name);
    RETURN new;
END $$;
CALL sim.fresh('stages');
CALL pipedrive.sync('crm_mirror.stages');
CREATE TRIGGER loud BEFORE INSERT OR UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.loud();
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 2, "fields": {"name": "Quiet"}}]');
CALL pipedrive.sync('crm_mirror.stages');
SELECT field, old_value, new_value FROM pipedrive.changes WHERE id = '2';
DELETE FROM pipedrive.changes;
SELECT change_serial AS serial FROM pipedrive.mirrors WHERE entity = 'stages' \gset
CALL pipedrive.sync('crm_mirror.stages');
CALL pipedrive.sync('crm_mirror.stages');
SELECT (SELECT count(*) FROM pipedrive.changes) AS told, change_serial - :serial AS counted FROM pipedrive.mirrors WHERE entity = 'stages';
-- the same from a trigger that comes after
DROP TRIGGER loud ON crm_mirror.stages;
CREATE FUNCTION crm_mirror.louder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm_mirror.stages SET name = upper(name) WHERE id = new.id AND name <> upper(name);
    RETURN NULL;
END $$;
CREATE TRIGGER louder AFTER INSERT OR UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.louder();
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 2, "fields": {"name": "Noisy"}}]');
CALL pipedrive.sync('crm_mirror.stages');
CALL pipedrive.sync('crm_mirror.stages');
SELECT id, field, old_value, new_value FROM pipedrive.changes;
SELECT change_serial - :serial AS counted FROM pipedrive.mirrors WHERE entity = 'stages';
DROP TRIGGER louder ON crm_mirror.stages;
-- a trigger that keeps the old: what was not written is not told; a column of theirs that it fills is a change
CREATE FUNCTION crm_mirror.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.keep();
DELETE FROM pipedrive.changes;
CALL pipedrive.sync('crm_mirror.stages');
SELECT (SELECT count(*) FROM pipedrive.changes) AS told, change_serial - :serial AS counted FROM pipedrive.mirrors WHERE entity = 'stages';
DROP TRIGGER keep ON crm_mirror.stages;
ALTER TABLE crm_mirror.stages ADD COLUMN said text;
CREATE OR REPLACE FUNCTION crm_mirror.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.said := new.name; new.name := old.name; RETURN new; END';
CREATE TRIGGER keep BEFORE UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.keep();
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 3, "fields": {"name": "Said"}}]');
SELECT change_serial AS serial FROM pipedrive.mirrors WHERE entity = 'stages' \gset
CALL pipedrive.sync('crm_mirror.stages');
SELECT (SELECT count(*) FROM pipedrive.changes WHERE id = '3') AS told, change_serial > :serial AS counted FROM pipedrive.mirrors WHERE entity = 'stages';
SELECT name <> 'Said' AS kept, said FROM crm_mirror.stages WHERE id = 3;
SELECT change_serial AS serial FROM pipedrive.mirrors WHERE entity = 'stages' \gset
CALL pipedrive.sync('crm_mirror.stages');
SELECT (SELECT count(*) FROM pipedrive.changes) AS told, change_serial - :serial AS counted FROM pipedrive.mirrors WHERE entity = 'stages';
-- a trigger that keeps rows out: marks go, and nothing is told
CREATE FUNCTION crm_mirror.filter() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF new.id = 1 THEN RETURN NULL; END IF; RETURN new; END';
CALL sim.fresh('stages');
CREATE TRIGGER filter BEFORE INSERT ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.filter();
CALL pipedrive.sync('crm_mirror.stages');
CALL pipedrive.reconcile('crm_mirror.stages');
CALL pipedrive.sync('crm_mirror.stages');
SELECT * FROM sim.missing('stages');
SELECT to_refetch, last_error, change_serial = (SELECT count(*) FROM crm_mirror.stages) AS only_those FROM pipedrive.mirrors WHERE entity = 'stages';
SELECT count(*) FROM pipedrive.changes;
SELECT count(*) FROM pipedrive.bad_rows;
--
-- An idle sync makes no table, also of lists that are read whole
--
CALL sim.fresh('stages');
CALL sim.fresh('users');
CALL sim.fresh('pipelines');
CALL pipedrive.sync();
-- numbers of objects tell: a table that was made and dropped has taken some
SELECT lo_creat(-1) AS before \gset
CALL pipedrive.sync();
SELECT lo_creat(-1) AS after \gset
SELECT :after::bigint - :before::bigint AS objects, lo_unlink(:before) + lo_unlink(:after) AS unlinked;
-- what is gone is seen all the same, and what is new
CALL sim.mutate('[{"action": "delete", "entity": "stages", "id": 5}, {"action": "change", "entity": "stages", "id": 6, "fields": {"name": "Changed"}}]');
CALL pipedrive.sync('crm_mirror.stages');
SELECT id, name FROM crm_mirror.stages WHERE id IN (5, 6);
SELECT id, field, new_value FROM pipedrive.changes ORDER BY id, field;
DELETE FROM crm_mirror.stages WHERE id <> 6;
CALL pipedrive.sync('crm_mirror.stages');
SELECT * FROM sim.missing('stages');
-- the same where rows are staged one by one
UPDATE pipedrive_internal.mirror_state SET row_by_row = true;
ALTER TABLE crm_mirror.stages ADD CHECK (name <> 'Refused');
INSERT INTO crm_mirror.stages (id, name) VALUES (9901, 'gone');
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 6, "fields": {"name": "Refused"}}, {"action": "change", "entity": "stages", "id": 7, "fields": {"name": "Taken"}}]');
CALL pipedrive.sync('crm_mirror.stages');
SELECT id, name FROM crm_mirror.stages WHERE id IN (6, 7, 9901) ORDER BY id;
SELECT id, reason FROM pipedrive.bad_rows;
SELECT bool_or(row_by_row) FROM pipedrive_internal.mirror_state JOIN pipedrive_internal.mirror USING (mirror_id) WHERE entity = 'stages';
SELECT * FROM sim.missing('stages');
--
-- An assertion of a trigger, which OTHERS does not catch, costs its row: not the run, and not the mirrors that come after
--
CALL sim.fresh('stages');
CALL sim.fresh('pipelines');
CALL pipedrive.sync();
CREATE FUNCTION crm_mirror.assert() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ASSERT new.name <> 'Never', 'not this name'; RETURN new; END$$;
CREATE TRIGGER assert BEFORE INSERT OR UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.assert();
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 6, "fields": {"name": "Never"}}, {"action": "change", "entity": "stages", "id": 7, "fields": {"name": "Ever"}},
    {"action": "change", "entity": "pipelines", "id": 1, "fields": {"name": "After"}}]');
CALL pipedrive.sync();
SELECT id, name FROM crm_mirror.stages WHERE id = 7;
SELECT name FROM crm_mirror.pipelines WHERE id = 1;
SELECT id, reason FROM pipedrive.bad_rows;
SELECT entity, last_error FROM pipedrive.mirrors WHERE last_error IS NOT NULL;
-- nor does one for each statement, in the first load, end more than that mirror's turn
CALL sim.fresh('stages');
DROP FUNCTION crm_mirror.assert() CASCADE;
CREATE FUNCTION crm_mirror.assert() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ASSERT false; END$$;
CREATE TRIGGER assert BEFORE INSERT ON crm_mirror.stages EXECUTE FUNCTION crm_mirror.assert();
CALL pipedrive.sync('crm_mirror.stages');
SELECT entity, last_error FROM pipedrive.mirrors WHERE entity = 'stages';
-- and in a view that is refreshed
CREATE FUNCTION crm_mirror.asserted() RETURNS integer LANGUAGE plpgsql AS $$BEGIN ASSERT current_setting('test.fine', true) = 'yes'; RETURN 1; END$$;
SET test.fine = 'yes';
CREATE MATERIALIZED VIEW crm_mirror.asserting AS SELECT crm_mirror.asserted() FROM crm_mirror.pipelines LIMIT 1;
SET test.fine = 'no';
SELECT pipedrive.track_view('crm_mirror.asserting');
CALL pipedrive.refresh_views(force => true);
SELECT view, last_error IS NOT NULL AS told FROM pipedrive_internal.tracked_view;
DROP MATERIALIZED VIEW crm_mirror.asserting;
--
-- A constraint of another table, which a trigger writes, waits for the commit: it costs the row, not the run. Names of
-- constraints are not unique
--
CALL sim.fresh('stages');
CALL sim.fresh('pipelines');
CALL pipedrive.sync();
CREATE TABLE crm_mirror.allowed (id bigint PRIMARY KEY);
INSERT INTO crm_mirror.allowed VALUES (7), (8), (9);
CREATE TABLE crm_mirror.audit (stage_id bigint CONSTRAINT known REFERENCES crm_mirror.allowed DEFERRABLE INITIALLY DEFERRED, name text);
CREATE TABLE crm_mirror.plain (id bigint CONSTRAINT known REFERENCES crm_mirror.allowed);
CREATE FUNCTION crm_mirror.audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO crm_mirror.audit VALUES (new.id, new.name); RETURN NULL; END$$;
CREATE TRIGGER audit AFTER UPDATE ON crm_mirror.stages FOR EACH ROW EXECUTE FUNCTION crm_mirror.audit();
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 6, "fields": {"name": "Not allowed"}}, {"action": "change", "entity": "stages", "id": 7, "fields": {"name": "Allowed"}},
    {"action": "change", "entity": "pipelines", "id": 1, "fields": {"name": "After the stages"}}]');
CALL pipedrive.sync();
SELECT id, name <> 'Not allowed' AS as_expected FROM crm_mirror.stages WHERE id IN (6, 7) ORDER BY id;
SELECT * FROM crm_mirror.audit;
SELECT name FROM crm_mirror.pipelines WHERE id = 1;
SELECT id, reason FROM pipedrive.bad_rows;
SELECT entity, last_error FROM pipedrive.mirrors WHERE last_error IS NOT NULL;
-- the same where some constraint is deferrable, and is not deferred
CREATE TABLE crm_mirror.at_once (id bigint CONSTRAINT known REFERENCES crm_mirror.allowed DEFERRABLE);
CALL sim.mutate('[{"action": "change", "entity": "stages", "id": 6, "fields": {"name": "Not allowed yet"}}, {"action": "change", "entity": "stages", "id": 8, "fields": {"name": "Allowed too"}}]');
CALL pipedrive.sync();
SELECT * FROM crm_mirror.audit;
SELECT id, reason FROM pipedrive.bad_rows;
-- in the first load, and of the mirror itself
CALL sim.fresh('stages');
ALTER TABLE crm_mirror.stages ADD CONSTRAINT known FOREIGN KEY (id) REFERENCES crm_mirror.allowed DEFERRABLE INITIALLY DEFERRED;
CALL pipedrive.sync('crm_mirror.stages');
SELECT id FROM crm_mirror.stages ORDER BY id;
SELECT count(*) FROM pipedrive.bad_rows;
DROP TABLE crm_mirror.at_once;
CALL sim.fresh('stages');
ALTER TABLE crm_mirror.stages ADD CONSTRAINT known FOREIGN KEY (id) REFERENCES crm_mirror.allowed DEFERRABLE INITIALLY DEFERRED;
CALL pipedrive.sync('crm_mirror.stages');
SELECT id FROM crm_mirror.stages ORDER BY id;
SELECT count(*) FROM pipedrive.bad_rows;
