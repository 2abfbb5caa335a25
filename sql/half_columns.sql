\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Columns of which an event says half keep what a sync wrote, and make no history; a value that does
-- not fit costs its column, not the event.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
SELECT repeat('5', 40) AS code, repeat('6', 40) AS colour \gset
CALL sim.field(jsonb_build_object('action', 'add', 'entity', 'deals', 'name', 'Ring at', 'type', 'time', 'code', :'code', 'options', '[]'::jsonb));
CALL sim.field(jsonb_build_object('action', 'add', 'entity', 'deals', 'name', 'Colour', 'type', 'enum', 'code', :'colour', 'options', '[]'::jsonb));
CALL sim.field(jsonb_build_object('action', 'add_option', 'entity', 'deals', 'code', :'colour', 'option_id', 17, 'label', 'Red'));
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons, organizations) FROM SERVER crm INTO crm;
SELECT attname FROM pipedrive_internal.table_columns WHERE relation = 'crm.deals'::regclass AND field IN (:'code', :'colour') ORDER BY attnum;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
INSERT INTO pipedrive_internal.server_company VALUES ('crm', '100200300');
-- as a sync would write them
INSERT INTO crm_mirror.deals (id, title, update_time, ring_at, ring_at_timezone, colour) VALUES (9001, 'Barn', '2026-03-01', '10:00', 'Australia/Eucla', 'Red');
INSERT INTO crm_mirror.organizations (id, name, update_time, address, address_parts) VALUES (9003, 'Acme', '2026-03-01', 'Main 1, Berlin', '{"value": "Main 1", "formatted_address": "Main 1, Berlin"}');
INSERT INTO crm_mirror.persons (id, name, update_time, emails, phones) VALUES (9002, 'Ada', '2026-03-01', '[]', '[]');
CREATE FUNCTION sim.v2(object text, id bigint, second integer, data jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', object || second, 'entity', object, 'entity_id', id::text, 'action', 'change', 'company_id', '100200300',
        'timestamp', format('2026-05-01T00:00:%sZ', to_char(second, 'FM00'))), 'data', jsonb_build_object('id', id, 'update_time', format('2026-05-01T00:00:%sZ', to_char(second, 'FM00'))) || data, 'previous', '{}'::jsonb))
$$;
CREATE FUNCTION sim.v1(object text, id bigint, second integer, data jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('v', 1, 'meta', jsonb_build_object('v', 1, 'object', object, 'id', id, 'action', 'updated', 'company_id', 100200300, 'timestamp', 1777593600 + second),
        'current', jsonb_build_object('id', id, 'update_time', format('2026-05-01 00:00:%s', to_char(second, 'FM00'))) || data, 'previous', '{}'::jsonb))
$$;
-- The name of a time zone
SELECT sim.v2('deal', 9001, 1, jsonb_build_object('title', 'v2', 'custom_fields', jsonb_build_object(:'code', '{"type": "time", "value": "10:00:00", "timezone_id": 301}'::jsonb))) AS v2,
       sim.v1('deal', 9001, 2, jsonb_build_object('title', 'v1', :'code', '10:00:00', :'code' || '_timezone_id', 301, :'colour', '17')) AS v1;
SELECT title, ring_at, ring_at_timezone, colour FROM crm_mirror.deals;
-- an option that is new here has no label yet: not its number in brackets
SELECT sim.v2('deal', 9001, 3, jsonb_build_object('title', 'new option', 'custom_fields', jsonb_build_object(:'colour', '{"type": "enum", "id": 18}'::jsonb))) AS v2, sim.v1('deal', 9001, 4, jsonb_build_object('title', 'new option too', :'code', '10:00:00', :'colour', '18')) AS v1;
SELECT title, ring_at, ring_at_timezone, colour FROM crm_mirror.deals;
-- Addresses
SELECT sim.v2('organization', 9003, 1, '{"name": "text", "address": "Main 1"}') AS text, sim.v1('organization', 9003, 2, '{"name": "v1 text", "address": "Main 1"}') AS v1_text, sim.v2('organization', 9003, 3, '{"name": "half", "address": {"value": "Main 1"}}') AS half;
SELECT name, address, address_parts FROM crm_mirror.organizations;
SELECT sim.v1('organization', 9003, 4, '{"name": "whole", "address": "Field 2", "address_country": "Estonia", "address_formatted_address": "Field 2, Estonia"}') AS v1;
SELECT name, address, address_parts ->> 'country' AS country FROM crm_mirror.organizations;
SELECT sim.v2('organization', 9003, 5, '{"name": "none", "address": ""}') AS v2;
SELECT name, address, address_parts FROM crm_mirror.organizations;
-- E-mails that are none
SELECT sim.v1('person', 9002, 1, '{"name": "v1", "email": [{"label": "", "value": "", "primary": true}], "phone": [{"label": "", "value": "", "primary": true}]}') AS v1;
SELECT name, email, emails, phones FROM crm_mirror.persons;
-- What was told is what changed
SELECT entity, field, old_value, new_value FROM pipedrive.changes WHERE field NOT IN ('name', 'title') ORDER BY entity, recorded_at, field COLLATE "C";
-- A value that does not fit costs its column: also the times that an event is compared by
SELECT sim.v2('deal', 9001, 10, '{"title": "bad value", "value": "much", "won_time": "yesterday", "currency": "EUR"}') AS value, sim.v2('deal', 9001, 11, '{"title": "bad time", "update_time": "yesterday"}') AS "time", sim.v2('deal', 9001, 9, '{"title": "late"}') AS late;
SELECT title, value, currency, won_time, update_time FROM crm_mirror.deals;
SELECT sim.v2('deal', 9010, 12, '{"title": {"a": [1]}, "value": 5}') AS new_row;
SELECT title, value FROM crm_mirror.deals WHERE id = 9010;
SELECT m.entity, r.id FROM pipedrive_internal.refetch r JOIN pipedrive_internal.mirror m USING (mirror_id) ORDER BY 2;
SELECT sim.v2('deal', 9010, 13, '{"title": "queued", "value": "much"}') AS direct, status, outcome FROM pipedrive.inbox WHERE key LIKE 'deal12:%';
UPDATE pipedrive.inbox SET status = 'queued', processed_at = NULL WHERE key LIKE 'deal13:%';
UPDATE crm_mirror.deals SET title = 'before', update_time = '2026-01-01' WHERE id = 9010;
CALL pipedrive.apply_inbox();
SELECT title, value FROM crm_mirror.deals WHERE id = 9010;
-- The public function stays strict where asked for one record
SELECT sim.error($$SELECT pipedrive.decode_record('crm.deals', '{"id": 1, "value": "much"}', 'webhook')$$);
-- One label of several is not all of them; that there is none is said in full. One e-mail is not the list
DELETE FROM pipedrive.changes;
UPDATE crm_mirror.persons SET label_ids = '{3,4}', emails = '[{"value": "a@b"}]', email = 'a@b', phones = '[{"value": "1"}]', phone = '1';
SELECT sim.v2('person', 9002, 20, '{"name": "another", "label": 9}') AS another, sim.v1('person', 9002, 21, '{"name": "known", "label": 3}') AS known;
SELECT name, label_ids FROM crm_mirror.persons;
SELECT sim.v1('person', 9002, 22, '{"name": "texts", "email": "c@d", "phone": ""}') AS texts;
SELECT name, email, emails, phone, phones FROM crm_mirror.persons;
SELECT sim.v2('person', 9002, 23, '{"name": "none", "label": null}') AS none;
SELECT name, label_ids FROM crm_mirror.persons;
SELECT field, old_value, new_value FROM pipedrive.changes WHERE field <> 'name' ORDER BY recorded_at, field COLLATE "C";
