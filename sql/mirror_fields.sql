\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- Fields that change: the mirror's columns follow refresh_schema(), and the next sync fills them.
-- Columns that users add are in mirror_columns.sql.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) > 0 AS made FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
CALL sim.field('{"action": "add", "entity": "persons", "name": "Shoe size", "type": "double", "code": "dddddddddddddddddddddddddddddddddddddd01", "options": [], "values": {"1": 42, "2": 38.5}}');
CALL sim.field('{"action": "add", "entity": "persons", "name": "Hat", "type": "varchar", "code": "dddddddddddddddddddddddddddddddddddddd02", "options": [], "values": {"1": "bowler"}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
SELECT id, shoe_size, hat FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
CALL pipedrive.sync('crm_mirror.persons');
SELECT id, shoe_size, hat FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
SELECT id, shoe_size, hat FROM crm_mirror.persons_live WHERE id IN (1, 2) ORDER BY id;
SELECT col_description('crm_mirror.persons'::regclass, attnum) = col_description('crm.persons'::regclass, (SELECT attnum FROM pg_attribute WHERE attrelid = 'crm.persons'::regclass AND attname = 'hat')) AS same_comment
  FROM pg_attribute WHERE attrelid = 'crm_mirror.persons'::regclass AND attname = 'hat';
CALL sim.field('{"action": "rename", "entity": "persons", "code": "dddddddddddddddddddddddddddddddddddddd01", "name": "Foot size"}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', rename_columns => true);
SELECT id, foot_size FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.asked_and_forgotten(); -- a renamed column is the same column
CALL sim.field('{"action": "retype", "entity": "persons", "code": "dddddddddddddddddddddddddddddddddddddd01", "type": "varchar", "values": {"1": "large"}}');
CALL sim.field('{"action": "remove", "entity": "persons", "code": "dddddddddddddddddddddddddddddddddddddd02"}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', drop_removed => true);
CALL pipedrive.sync('crm_mirror.persons');
SELECT id, foot_size FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
SELECT sim.error('SELECT hat FROM crm_mirror.persons');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
