\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- The extension's schema is nobody else's: what somebody could put there would run for others.
--
DROP EXTENSION pipedrive_fdw CASCADE;
SELECT to_regnamespace('pipedrive_internal') IS NULL AS gone_with_it;
DROP SCHEMA IF EXISTS pipedrive CASCADE;
DROP ROLE IF EXISTS regress_pipedrive_squatter, regress_pipedrive_admin;
CREATE ROLE regress_pipedrive_squatter;
CREATE ROLE regress_pipedrive_admin SUPERUSER;
-- made beforehand
CREATE SCHEMA pipedrive AUTHORIZATION regress_pipedrive_squatter;
SELECT sim.error('CREATE EXTENSION pipedrive_fdw');
-- given away, with what its owner left there
SET ROLE regress_pipedrive_squatter;
CREATE FUNCTION pipedrive.drop_mirror(integer, bigint[], text, text) RETURNS bigint LANGUAGE sql AS 'SELECT 666::bigint';
CREATE FUNCTION pipedrive.never(name, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
CREATE OPERATOR pipedrive.= (LEFTARG = name, RIGHTARG = text, FUNCTION = pipedrive.never);
CREATE TYPE pipedrive."100%" AS (a integer);
RESET ROLE;
ALTER SCHEMA pipedrive OWNER TO CURRENT_USER;
SELECT sim.error('CREATE EXTENSION pipedrive_fdw');
DROP FUNCTION pipedrive.drop_mirror(integer, bigint[], text, text);
DROP FUNCTION pipedrive.never(name, text) CASCADE;
SELECT sim.error('CREATE EXTENSION pipedrive_fdw');
DROP TYPE pipedrive."100%";
-- open to others
GRANT CREATE ON SCHEMA pipedrive TO regress_pipedrive_squatter;
SELECT sim.error('CREATE EXTENSION pipedrive_fdw');
REVOKE CREATE ON SCHEMA pipedrive FROM regress_pipedrive_squatter;
GRANT CREATE ON SCHEMA pipedrive TO PUBLIC;
SELECT sim.error('CREATE EXTENSION pipedrive_fdw');
REVOKE CREATE ON SCHEMA pipedrive FROM PUBLIC;
-- the second one is made by the extension, whoever else had it before
CREATE SCHEMA pipedrive_internal;
SELECT sim.error('CREATE EXTENSION pipedrive_fdw');
DROP SCHEMA pipedrive_internal;
-- one's own, empty or not, and that of a role that may do everything already: so a dump of it comes back
CREATE FUNCTION pipedrive.helper() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER SCHEMA pipedrive OWNER TO regress_pipedrive_admin;
CREATE EXTENSION pipedrive_fdw;
SELECT has_function_privilege('regress_pipedrive_squatter', 'pipedrive.helper()', 'EXECUTE') AS not_ours_not_touched;
SELECT current_setting('search_path');
SELECT nspowner = (SELECT oid FROM pg_roles WHERE rolname = current_user) AS own,
       has_schema_privilege('regress_pipedrive_squatter', oid, 'USAGE') AS usable, has_schema_privilege('regress_pipedrive_squatter', oid, 'CREATE') AS open,
       pg_describe_object(d.refclassid, d.refobjid, 0) AS part_of
  FROM pg_namespace n JOIN pg_depend d ON d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e' WHERE nspname = 'pipedrive_internal';
SELECT sim.error('DROP SCHEMA pipedrive_internal CASCADE');
ALTER SCHEMA pipedrive OWNER TO CURRENT_USER;
DROP FUNCTION pipedrive.helper();
DROP OWNED BY regress_pipedrive_squatter, regress_pipedrive_admin;
DROP ROLE regress_pipedrive_squatter, regress_pipedrive_admin;
