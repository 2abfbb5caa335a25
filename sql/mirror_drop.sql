\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- Tables by hand, other schemas, and the end of mirrors.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) > 0 AS made FROM pipedrive.create_mirrors('crm');
CREATE SCHEMA hand;
CREATE FOREIGN TABLE hand.few (id bigint, title text, status text, add_time timestamptz, update_time timestamptz) SERVER crm OPTIONS (entity 'deals');
CREATE FOREIGN TABLE hand.no_id (title text) SERVER crm OPTIONS (entity 'deals');
SELECT sim.error('SELECT pipedrive.create_mirror(''hand.no_id'')') <> 'no error' AS refused;
CREATE SCHEMA other;
SELECT pipedrive.create_mirror('hand.few', 'other."Few deals"');
CALL pipedrive.sync('hand.few');
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-05T09:00:00Z", "fields": {"title": "By hand"}}]');
CALL pipedrive.sync('other."Few deals"');
SELECT title, _source FROM other."Few deals" WHERE id = 1;
SELECT * FROM sim.differences() WHERE mirror::text LIKE 'other%';
SELECT pipedrive.drop_mirror('other."Few deals"', drop_table => false);
SELECT count(*) > 0 AS kept FROM other."Few deals";
SELECT sim.error('CALL pipedrive.sync(''other."Few deals"'')');
SELECT pipedrive.drop_mirror('crm_mirror.deals');
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'crm_mirror'::regnamespace AND c.relkind <> 'i' ORDER BY c.relname COLLATE "C";
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
SELECT count(*) FROM pipedrive_internal.mirror_state;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'crm_mirror'::regnamespace;
DROP SCHEMA crm_mirror, other, hand CASCADE;
