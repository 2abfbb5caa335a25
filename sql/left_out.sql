\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- A field that is retyped or removed costs its column, not the mirror; refresh_schema() makes room for what replaces it.
--
\set SHOW_CONTEXT never
DROP SCHEMA IF EXISTS crm_mirror, own CASCADE;
DROP ROLE IF EXISTS regress_table_owner;
CREATE FUNCTION sim.field_of(n integer) RETURNS text LANGUAGE sql AS $$ SELECT 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' || lpad(n::text, 2, '0') $$;
CREATE PROCEDURE sim.person_field(action text, n integer, more jsonb) LANGUAGE sql AS $$
    SELECT sim.call('POST', 'fields', (jsonb_build_object('action', action, 'entity', 'persons', 'code', sim.field_of(n)) || more)::text)
$$;
CALL sim.person_field('add', 1, '{"name": "Size", "type": "double", "options": [], "values": {"1": 42, "2": 38}}');
CALL sim.person_field('add', 2, '{"name": "Hat", "type": "varchar", "options": [], "values": {"1": "bowler"}}');
CALL sim.person_field('add', 3, '{"name": "Shoe", "type": "varchar", "options": [], "values": {"1": "boot"}}');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO crm;
SELECT * FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
SELECT id, size, hat, shoe FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
CREATE VIEW sim.report AS SELECT id, size, hat FROM crm_mirror.persons;
CREATE VIEW sim.live_report AS SELECT id, size, hat, shoe FROM crm_mirror.persons_live;
CREATE VIEW sim.source_report AS SELECT id, size FROM crm.persons;
-- One is retyped, one is removed, and a person changes.
CALL sim.person_field('retype', 1, '{"type": "varchar", "values": {"1": "large", "2": "small"}}');
CALL sim.person_field('remove', 2, '{}');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-02T09:00:00Z", "fields": {"name": "One"}},
                  {"action": "change", "entity": "persons", "id": 2, "at": "2026-04-02T09:00:00Z", "fields": {"name": "Two"}}]');
CALL pipedrive.sync();
SELECT phase, last_error FROM pipedrive.mirrors;
SELECT mirror, column_name, reason, since IS NOT NULL AS dated FROM pipedrive.left_out_columns ORDER BY column_name;
SELECT id, name, size, hat, shoe FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
SELECT count(*) FROM pipedrive.bad_rows;
SELECT count(*) AS changes_of_them FROM pipedrive.changes WHERE field IN ('size', 'hat');
SELECT id, size, hat, shoe FROM sim.live_report WHERE id = 1;
-- Again: nothing is told twice. A whole reload, and row by row, too.
CALL sim.mutate('{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-02T10:00:00Z", "fields": {"name": "One again"}}');
CALL pipedrive.sync();
CALL pipedrive.sync(mode => 'full');
UPDATE pipedrive_internal.mirror_state SET strategy = 'reload', phase = 'reload', run_started = clock_timestamp(), row_by_row = true;
CALL pipedrive.sync();
SELECT phase, last_error FROM pipedrive.mirrors;
SELECT id, name, size, hat FROM crm_mirror.persons WHERE id = 1;
-- The refresh is not blocked by what reads any of it, and loses nothing.
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
SELECT mirror, column_name, reason FROM pipedrive.left_out_columns;
CALL pipedrive.sync();
SELECT id, size, size_old, hat, shoe FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
SELECT * FROM sim.report WHERE id = 1;
SELECT * FROM sim.live_report WHERE id = 1;
SELECT size FROM crm_mirror.persons_live WHERE id = 1;
SELECT * FROM sim.source_report WHERE id = 1;
SELECT * FROM pipedrive.refresh_schema('crm');
-- What the mirror holds of a removed field stays, whoever notices the removal first, and whatever is read then. Where it was told by hand, too.
CALL sim.person_field('add', 6, '{"name": "Ring", "type": "varchar", "options": [], "values": {"1": "gold", "2": "silver"}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync();
ALTER FOREIGN TABLE crm.persons ALTER COLUMN ring OPTIONS (ADD removed 'On');
CALL sim.mutate('{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-03T10:00:00Z", "fields": {"name": "One, by hand"}}');
CALL pipedrive.sync();
SELECT id, name, ring FROM crm_mirror.persons WHERE ring IS NOT NULL ORDER BY id;
ALTER FOREIGN TABLE crm.persons ALTER COLUMN ring OPTIONS (DROP removed);
CALL sim.person_field('remove', 6, '{}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-03T11:00:00Z", "fields": {"name": "One, ringless"}},
                  {"action": "create", "entity": "persons", "at": "2026-04-03T11:00:00Z", "fields": {"name": "Never had one"}}]');
CALL pipedrive.sync();
CALL pipedrive.sync(mode => 'full');
CALL pipedrive.reconcile();
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('action', 'change', 'entity', 'person', 'entity_id', '2', 'id', 'e-9', 'version', '2.0', 'company_id', '100200300', 'timestamp', '2026-04-03T12:00:00Z'),
    'data', jsonb_build_object('id', 2, 'name', 'Two, by webhook', 'update_time', '2026-04-03T12:00:00Z', 'custom_fields', '{}'::jsonb)));
SELECT id, name, ring FROM crm_mirror.persons WHERE ring IS NOT NULL OR name LIKE 'Never%' ORDER BY id;
SELECT count(ring) AS live FROM crm_mirror.persons_live;
SELECT column_name, reason FROM pipedrive.left_out_columns ORDER BY 1;
SELECT count(*) AS changes_of_it FROM pipedrive.changes WHERE field = 'ring';
SELECT * FROM pipedrive.refresh_schema('crm');
-- It comes back, and goes for good.
CALL sim.person_field('add', 6, '{"name": "Ring", "type": "varchar", "options": [], "values": {"1": "brass", "2": "silver"}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync();
SELECT id, ring FROM crm_mirror.persons WHERE ring IS NOT NULL ORDER BY id;
SELECT count(ring) AS live FROM crm_mirror.persons_live;
SELECT id, old_value, new_value FROM pipedrive.changes WHERE field = 'ring';
CALL sim.person_field('remove', 6, '{}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', drop_removed => true);
CALL pipedrive.sync();
SELECT id, ring_old FROM crm_mirror.persons WHERE ring_old IS NOT NULL ORDER BY id;
SELECT column_name FROM pipedrive.left_out_columns ORDER BY 1;
-- A load that has only begun, and an account in which several fields go at once.
SELECT pipedrive.drop_mirror('crm.persons');
DROP VIEW sim.live_report;
DROP VIEW sim.report;
SELECT pipedrive.drop_mirror('crm.persons');
SELECT pipedrive.create_mirror('crm.persons');
CALL sim.person_field('remove', 1, '{}');
CALL sim.person_field('remove', 3, '{}');
CALL pipedrive.sync();
SELECT phase, last_error, (SELECT count(*) FROM crm_mirror.persons) > 0 AS filled FROM pipedrive.mirrors;
SELECT column_name, reason FROM pipedrive.left_out_columns ORDER BY 1;
-- The error of a query names its column for programs too.
DO $$
DECLARE
    c text;
BEGIN
    PERFORM shoe FROM crm.persons;
EXCEPTION WHEN fdw_column_name_not_found THEN
    GET STACKED DIAGNOSTICS c = COLUMN_NAME;
    RAISE WARNING 'column %', c;
END $$;
-- Who has foreign tables and no mirror needs no right on anything of mirrors to refresh them.
CREATE ROLE regress_table_owner;
GRANT USAGE ON SCHEMA pipedrive TO regress_table_owner;
GRANT USAGE ON FOREIGN SERVER crm TO regress_table_owner;
GRANT USAGE ON SCHEMA sim TO regress_table_owner;
CREATE SCHEMA own AUTHORIZATION regress_table_owner;
SET ROLE regress_table_owner;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO own;
RESET ROLE;
CALL sim.person_field('add', 4, '{"name": "Glove", "type": "varchar", "options": [], "values": {"1": "left"}}');
CALL sim.person_field('add', 5, '{"name": "Scarf", "type": "varchar", "options": [], "values": {"1": "red"}}');
SET ROLE regress_table_owner;
SELECT column_name, change FROM pipedrive.refresh_schema('own');
CREATE VIEW own.report AS SELECT id, glove FROM own.persons;
RESET ROLE;
CALL sim.person_field('retype', 4, '{"type": "double", "values": {"1": 9}}');
CALL sim.person_field('retype', 5, '{"type": "double", "values": {"1": 2}}');
SET ROLE regress_table_owner;
SELECT column_name, change, statement FROM pipedrive.refresh_schema('own');
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA own CASCADE;
DROP OWNED BY regress_table_owner;
DROP ROLE regress_table_owner;
DROP SCHEMA crm_mirror CASCADE;
