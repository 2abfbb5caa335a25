\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set SHOW_CONTEXT never
--
-- What users add to a mirror is theirs: columns, generated ones, indexes, triggers; and whatever is renamed is found again.
--
\set SHOW_CONTEXT never
DROP SCHEMA IF EXISTS crm_mirror, crm_dashboards CASCADE;
DROP ROLE IF EXISTS regress_live_reader;
CALL sim.switch('{"plan_fields": "all"}');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons, stages) FROM SERVER crm INTO crm;
SELECT * FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
CREATE FUNCTION sim.field_of(n integer) RETURNS text LANGUAGE sql AS $$ SELECT 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' || lpad(n::text, 2, '0') $$;
CREATE PROCEDURE sim.person_field(action text, n integer, more jsonb) LANGUAGE sql AS $$
    SELECT sim.call('POST', 'fields', (jsonb_build_object('action', action, 'entity', 'persons', 'code', sim.field_of(n)) || more)::text)
$$;
-- Somebody's own.
ALTER TABLE crm_mirror.persons ADD COLUMN note text NOT NULL DEFAULT 'none yet', ADD COLUMN name_length integer GENERATED ALWAYS AS (length(name)) STORED,
    ADD COLUMN hat text;
COMMENT ON COLUMN crm_mirror.persons.hat IS 'somebody''s own';
CREATE INDEX persons_note ON crm_mirror.persons (note);
CREATE TABLE sim.seen (id bigint);
CREATE FUNCTION sim.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO sim.seen VALUES (new.id); RETURN new; END $$;
CREATE TRIGGER see AFTER INSERT OR UPDATE ON crm_mirror.persons FOR EACH ROW EXECUTE FUNCTION sim.see();
UPDATE crm_mirror.persons SET note = 'call back', hat = 'fedora' WHERE id = 1;
TRUNCATE sim.seen;
-- Syncs and events go on, and write theirs only.
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-02T09:00:00Z", "fields": {"name": "One"}},
                  {"action": "create", "entity": "persons", "at": "2026-04-02T09:00:00Z", "fields": {"name": "Fresh one"}}]');
CALL pipedrive.sync();
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('action', 'create', 'entity', 'person', 'entity_id', '900001', 'id', 'e-1', 'version', '2.0', 'company_id', '100200300', 'timestamp', '2026-04-02T10:00:00Z'),
    'data', jsonb_build_object('id', 900001, 'name', 'By webhook', 'add_time', '2026-04-02T10:00:00Z', 'update_time', '2026-04-02T10:00:00Z')));
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('action', 'create', 'entity', 'person', 'entity_id', '900002', 'id', 'e-2', 'version', '2.0', 'company_id', '100200300', 'timestamp', '2026-04-02T10:00:00Z'),
    'data', jsonb_build_object('id', 900002, 'name', 'By the queue', 'add_time', '2026-04-02T10:00:00Z', 'update_time', '2026-04-02T10:00:00Z')), 'queue');
CALL pipedrive.apply_inbox();
SELECT name, name_length, note, hat, _source FROM crm_mirror.persons WHERE id = 1 OR name IN ('Fresh one', 'By webhook', 'By the queue') ORDER BY id;
SELECT count(DISTINCT id) AS seen_by_the_trigger FROM sim.seen;
SELECT DISTINCT field FROM pipedrive.changes WHERE field IN ('note', 'hat', 'name_length');
DELETE FROM crm_mirror.persons WHERE id > 900000;
DELETE FROM pipedrive_internal.refetch;
-- A refresh takes nothing away; a field that wants a name that is taken is left out, and told.
CALL sim.person_field('add', 1, '{"name": "Hat", "type": "varchar", "options": [], "values": {"1": "bowler"}}');
CALL sim.person_field('add', 2, '{"name": "Shoe size", "type": "double", "options": [], "values": {"1": 42}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
SELECT * FROM pipedrive.refresh_schema('crm'); -- told once
SELECT mirror, column_name, reason, since IS NOT NULL AS dated FROM pipedrive.left_out_columns;
CALL pipedrive.sync();
SELECT id, note, name_length, hat, shoe_size FROM crm_mirror.persons WHERE id = 1;
SELECT id, shoe_size FROM crm_mirror.persons_live WHERE id = 1;
SELECT indexrelid::regclass FROM pg_index WHERE indexrelid = 'crm_mirror.persons_note'::regclass;
ALTER TABLE crm_mirror.persons RENAME COLUMN hat TO my_hat;
SELECT * FROM pipedrive.refresh_schema('crm');
SELECT * FROM pipedrive.left_out_columns;
CALL pipedrive.sync();
SELECT id, my_hat, hat FROM crm_mirror.persons WHERE id = 1;
-- Renamed: the mirror, the view beside it, a column in Pipedrive; who may read the view still may.
CREATE ROLE regress_live_reader;
GRANT SELECT ON crm_mirror.persons_live TO regress_live_reader, PUBLIC;
ALTER TABLE crm_mirror.persons RENAME TO people;
ALTER VIEW crm_mirror.persons_live RENAME TO "People, now";
CREATE SCHEMA sim_other;
ALTER TABLE crm_mirror.people SET SCHEMA sim_other;
CALL sim.person_field('rename', 2, '{"name": "Foot size"}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', rename_columns => true);
CALL sim.clear();
CALL pipedrive.sync('crm.persons');
SELECT count(*) < 4 AS nothing_read_again FROM sim.journal();
SELECT id, note, foot_size FROM sim_other.people WHERE id = 1;
SELECT id, foot_size, hat FROM crm_mirror."People, now" WHERE id = 1;
CALL sim.person_field('remove', 2, '{}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', drop_removed => true);
CALL pipedrive.sync('crm.persons');
SELECT id, note, hat, foot_size_old FROM sim_other.people WHERE id = 1; -- what was there is kept, and is ours no more
SELECT sim.error('SELECT foot_size FROM crm_mirror."People, now"');
SELECT has_table_privilege('regress_live_reader', 'crm_mirror."People, now"', 'SELECT') AS granted, relacl::text LIKE '%,=r/%' AS public FROM pg_class WHERE relname = 'People, now';
-- What reads the view does not stand in the way.
CREATE VIEW sim.reader AS SELECT id, hat FROM crm_mirror."People, now";
CALL sim.person_field('remove', 1, '{}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', drop_removed => true);
SELECT id, hat FROM sim.reader WHERE id = 1;
SELECT id, hat_old FROM sim_other.people WHERE id = 1;
DROP VIEW sim.reader;
SELECT pipedrive.drop_mirror('sim_other.people');
SELECT c.oid::regclass FROM pg_class c WHERE c.relname ~* 'people' AND relkind <> 'i';
-- What every writer leans on is told when it is gone, and no second one is made.
CALL pipedrive.sync('crm.stages');
ALTER TABLE crm_mirror.stages RENAME COLUMN id TO stage_id;
CALL pipedrive.sync('crm.stages');
SELECT * FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync('crm.stages');
SELECT attname FROM pg_attribute WHERE attrelid = 'crm_mirror.stages'::regclass AND attname ~ 'id$' AND attnum > 0 AND attname !~ 'pipeline';
SELECT last_error FROM pipedrive.mirrors WHERE source = 'crm.stages'::regclass;
ALTER TABLE crm_mirror.stages RENAME COLUMN stage_id TO id;
ALTER TABLE crm_mirror.stages DROP CONSTRAINT stages_pkey;
CALL pipedrive.sync('crm.stages');
ALTER TABLE crm_mirror.stages ADD PRIMARY KEY (id);
ALTER TABLE crm_mirror.stages RENAME COLUMN _source TO origin;
CALL pipedrive.sync('crm.stages');
SELECT * FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync('crm.stages');
SELECT count(*) > 0 AS rows, count(_source) = count(*) AS told, count(origin) = count(*) AS theirs FROM crm_mirror.stages;
SELECT last_error FROM pipedrive.mirrors WHERE source = 'crm.stages'::regclass;
-- A column that steps aside has to be filled no more.
CALL sim.person_field('add', 9, '{"name": "Belt", "type": "double", "options": [], "values": {"1": 9}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
SELECT pipedrive.create_mirror('crm.persons');
CALL pipedrive.sync('crm.persons');
UPDATE crm_mirror.persons SET belt = 0 WHERE belt IS NULL;
ALTER TABLE crm_mirror.persons ALTER COLUMN belt SET NOT NULL;
CALL sim.person_field('retype', 9, '{"type": "varchar", "values": {"1": "leather"}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
CALL sim.mutate('[{"action": "create", "entity": "persons", "at": "2026-04-05T09:00:00Z", "fields": {"name": "Without a belt"}}]');
CALL pipedrive.sync('crm.persons');
SELECT name, belt, belt_old FROM crm_mirror.persons WHERE name = 'Without a belt' OR belt IS NOT NULL ORDER BY id;
SELECT count(*) FROM pipedrive.bad_rows;
SELECT pipedrive.drop_mirror('crm.persons');
-- A server that is renamed: what we keep by its name follows, and a leftover of another one is not in the way.
INSERT INTO pipedrive_internal.server_company VALUES ('crm_2', 'of a dropped server');
INSERT INTO pipedrive_internal.webhook_login (user_name, server, salt, hash, rounds) VALUES ('somebody', 'crm', '\x00', '\x00', 1);
SELECT count(*) > 0 AS kept_definitions FROM pipedrive_internal.fields WHERE server = 'crm';
ALTER SERVER crm RENAME TO crm_2;
SELECT * FROM pipedrive_internal.server_company;
SELECT user_name, server FROM pipedrive_internal.webhook_login;
SELECT count(*) > 0 AS kept_definitions FROM pipedrive_internal.fields WHERE server = 'crm_2';
CALL pipedrive.sync('crm.stages');
SELECT last_error FROM pipedrive.mirrors;
ALTER SERVER crm_2 RENAME TO crm;
SELECT server FROM pipedrive_internal.server_company;
-- refresh_schema() does not wait for ever, with everybody behind it.
SELECT proconfig FROM pg_proc WHERE oid = 'pipedrive.refresh_schema'::regproc;
SET client_min_messages = warning;
DROP OWNED BY regress_live_reader;
DROP ROLE regress_live_reader;
DROP SCHEMA crm_mirror, sim_other CASCADE;
