\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- Who may: the bookkeeping is for those whom the extension's owner gives it.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO crm;
SELECT count(*) > 0 AS made FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
CREATE ROLE regress_mirror_operator;
CREATE ROLE regress_mirror_reader;
GRANT USAGE ON FOREIGN SERVER crm TO regress_mirror_operator;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_mirror_operator', current_database()); END $$;
GRANT USAGE ON SCHEMA sim TO regress_mirror_operator, regress_mirror_reader;
SET ROLE regress_mirror_operator;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA own;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO own;
SELECT split_part(sim.error('SELECT pipedrive.create_mirrors(''own'')'), E'\n', 1) AS error;
SELECT sim.error('SELECT * FROM pipedrive.mirrors');
RESET ROLE;
SELECT pipedrive.grant_mirrors('regress_mirror_operator');
SET ROLE regress_mirror_operator;
SELECT pipedrive.create_mirrors('own');
CALL pipedrive.sync('own.stages');
CALL pipedrive.reconcile('own.stages');
SELECT count(*) FROM own_mirror.stages;
SELECT * FROM pipedrive.refresh_schema('own');
GRANT USAGE ON SCHEMA own_mirror TO regress_mirror_reader;
GRANT SELECT ON own_mirror.stages TO regress_mirror_reader;
RESET ROLE;
GRANT SELECT ON pipedrive.mirrors TO regress_mirror_reader;
SET ROLE regress_mirror_reader;
SELECT count(*) FROM own_mirror.stages;
SELECT mirror, last_error FROM pipedrive.mirrors WHERE mirror::text LIKE '%stages' ORDER BY mirror::text;
SELECT sim.error('SELECT * FROM own.stages');
SELECT sim.error('SELECT * FROM pipedrive.changes');
RESET ROLE;
SELECT pipedrive.drop_mirror('own.stages');
DROP SCHEMA own, own_mirror CASCADE;
DROP OWNED BY regress_mirror_operator, regress_mirror_reader;
DROP ROLE regress_mirror_operator, regress_mirror_reader;
