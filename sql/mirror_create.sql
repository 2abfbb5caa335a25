\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- What create_mirror() makes: tables, indexes, comments, views; and what it refuses.
--
-- Without the fields that Pipedrive computes from other rows: they change while their row does not.
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT * FROM pipedrive.create_mirrors('crm');
SELECT * FROM pipedrive.create_mirrors('crm'); -- all have one
SELECT c.relname, c.relkind, left(obj_description(c.oid), 90) AS comment FROM pg_class c WHERE c.relnamespace = 'crm_mirror'::regnamespace AND c.relkind <> 'i' ORDER BY c.relname COLLATE "C";
SELECT indexdef FROM pg_indexes WHERE schemaname = 'crm_mirror' AND tablename IN ('deals', 'activities', 'users') ORDER BY 1;
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required, col_description(a.attrelid, a.attnum) AS comment
  FROM pg_attribute a WHERE a.attrelid = 'crm_mirror.stages'::regclass AND a.attnum > 0 ORDER BY a.attnum;
SELECT s.attname FROM pg_attribute s FULL JOIN pg_attribute t ON t.attrelid = 'crm_mirror.deals'::regclass AND t.attname = s.attname AND t.atttypid = s.atttypid
                  AND col_description(s.attrelid, s.attnum) IS NOT DISTINCT FROM col_description(t.attrelid, t.attnum)
 WHERE s.attrelid = 'crm.deals'::regclass AND s.attnum > 0 AND t.attname IS NULL;
SELECT mirror, source, entity, watermark, lag, last_sync, phase, last_error, tokens_today, max_tokens, to_refetch FROM pipedrive.mirrors ORDER BY mirror::text;
-- Refused.
CREATE TABLE sim.plain (id bigint);
SELECT sim.error('SELECT pipedrive.create_mirror(''sim.plain'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm_mirror.deals'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm_mirror.deals_live'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.deals'', ''crm_mirror.deals'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.deals'', ''sim.second'')') <> 'no error' AS refused;
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.deals'', ''nowhere.deals'')') <> 'no error' AS refused;
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.nothing'')');
SELECT sim.error('SELECT pipedrive.drop_mirror(''sim.plain'')');
CALL pipedrive.sync('sim.plain');
CALL pipedrive.reconcile('sim.plain');
CALL pipedrive.sync(mode => 'quick');
SELECT count(*) FROM pipedrive_internal.mirror;
