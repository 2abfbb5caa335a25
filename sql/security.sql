\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Who may read what: user mappings, views, and where the token must not be seen.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
DROP ROLE IF EXISTS regress_pipedrive_owner, regress_pipedrive_reader, regress_pipedrive_other;
CREATE ROLE regress_pipedrive_owner;
CREATE ROLE regress_pipedrive_reader;
CREATE ROLE regress_pipedrive_other;
GRANT USAGE ON SCHEMA crm, sim TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO regress_pipedrive_owner, regress_pipedrive_other;
GRANT CREATE ON SCHEMA crm TO regress_pipedrive_owner;
-- No mapping: the error says what to do.
SET ROLE regress_pipedrive_owner;
SELECT sim.error('SELECT count(*) FROM crm.stages');
SELECT sim.error('EXPLAIN ANALYZE SELECT count(*) FROM crm.stages');
RESET ROLE;
-- Each user sees what the token's user may see.
CREATE USER MAPPING FOR regress_pipedrive_owner SERVER crm OPTIONS (api_token 'sim-token-limited');
SET ROLE regress_pipedrive_owner;
SELECT count(*) AS rows, count(DISTINCT owner_id) AS owners FROM crm.deals;
SELECT count(*) FROM crm.stages;
RESET ROLE;
SELECT (SELECT count(*) FROM crm.deals) = (SELECT count(*) FROM sim.rows('deals')) AS admin_sees_all;
-- A view asks with the mapping of its owner, not of who reads it, nor of who is logged in.
SET ROLE regress_pipedrive_owner;
CREATE VIEW crm.my_deals AS SELECT id, owner_id FROM crm.deals;
GRANT SELECT ON crm.my_deals TO regress_pipedrive_reader, regress_pipedrive_other;
RESET ROLE;
SELECT count(*) FROM crm.my_deals;
SET ROLE regress_pipedrive_reader;
SELECT count(*) FROM crm.my_deals;
SELECT count(*) FROM crm.deals;
RESET ROLE;
ALTER VIEW crm.my_deals OWNER TO CURRENT_USER;
SET ROLE regress_pipedrive_reader;
SELECT count(*) FROM crm.my_deals;
RESET ROLE;
-- A prepared plan follows the role that runs it.
PREPARE mine AS SELECT count(*) FROM crm.deals;
EXECUTE mine;
SET ROLE regress_pipedrive_owner;
EXECUTE mine;
RESET ROLE;
EXECUTE mine;
-- SECURITY DEFINER functions use their owner's mapping.
CREATE FUNCTION crm.count_deals() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM crm.deals';
SET ROLE regress_pipedrive_reader;
SELECT crm.count_deals();
RESET ROLE;
-- PUBLIC's mapping is for those who have none of their own.
CREATE USER MAPPING FOR PUBLIC SERVER crm OPTIONS (api_token 'sim-token-second');
SET ROLE regress_pipedrive_other;
SELECT count(*) FROM crm.deals;
RESET ROLE;
SET ROLE regress_pipedrive_owner;
SELECT count(*) FROM crm.deals;
RESET ROLE;
-- Tokens take effect at once when they change.
ALTER USER MAPPING FOR PUBLIC SERVER crm OPTIONS (SET api_token 'wrong-token-abcdef');
SET ROLE regress_pipedrive_other;
SELECT sim.error('SELECT count(*) FROM crm.deals');
RESET ROLE;
ALTER USER MAPPING FOR PUBLIC SERVER crm OPTIONS (SET api_token 'sim-token-limited');
SET ROLE regress_pipedrive_other;
SELECT count(*) FROM crm.deals;
RESET ROLE;
DROP USER MAPPING FOR PUBLIC SERVER crm;
SET ROLE regress_pipedrive_other;
SELECT sim.error('SELECT count(*) FROM crm.deals');
RESET ROLE;
-- Labels and definitions of one user are not another's.
SELECT count(DISTINCT priority) FROM crm.deals;
SET ROLE regress_pipedrive_owner;
SELECT count(*) = count(label) AS labelled FROM (SELECT unnest(interests) AS label FROM crm.deals) AS q;
RESET ROLE;
-- Importing needs the right to use the server, and a mapping.
CREATE SCHEMA private AUTHORIZATION regress_pipedrive_other;
SET ROLE regress_pipedrive_other;
SELECT sim.error('IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO private');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER crm TO regress_pipedrive_other;
SET ROLE regress_pipedrive_other;
SELECT sim.error('IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO private');
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-second');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages, deals) FROM SERVER crm INTO private;
SELECT count(*) FROM private.deals;
SELECT obj_description('private.stages'::regclass);
RESET ROLE;
-- The token is for its user alone.
SET ROLE regress_pipedrive_reader;
SELECT srvname, usename, umoptions FROM pg_user_mappings WHERE srvname = 'crm' AND usename LIKE 'regress%' ORDER BY usename;
SELECT count(*) FROM pg_user_mapping;
RESET ROLE;
-- And in no message, plan or activity.
ALTER USER MAPPING FOR regress_pipedrive_owner SERVER crm OPTIONS (SET api_token 'token-never-to-be-seen');
CREATE FUNCTION sim.shows_token(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    IF statement LIKE 'EXPLAIN%' THEN
        FOR line IN EXECUTE statement LOOP
            IF line ~ 'never-to-be-seen' THEN RETURN true; END IF;
        END LOOP;
        RETURN false;
    END IF;
    RETURN sim.error(statement) ~ 'never-to-be-seen';
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sim TO PUBLIC;
SET ROLE regress_pipedrive_owner;
SELECT sim.shows_token('SELECT * FROM crm.deals'), sim.shows_token('EXPLAIN (VERBOSE) SELECT * FROM crm.deals'), sim.shows_token('EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM crm.deals'),
       sim.shows_token('IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm');
RESET ROLE;
-- Not even when the API repeats it.
CALL sim.fault('[{"kind": "status", "status": 400, "body": {"success": false, "error": "bad header x-api-token: token-never-to-be-seen"}, "match": {"path_regex": "stages"}}, {"kind": "success_false", "error": "token-never-to-be-seen is bad", "match": {"path_regex": "pipelines"}}, {"kind": "status", "status": 500, "body": "<p>token-never-to-be-seen</p>", "match": {"path_regex": "users"}}, {"kind": "status", "status": 200, "body": "token-never-to-be-seen", "match": {"path_regex": "persons"}}, {"kind": "status", "status": 200, "body": {"success": true, "data": [{"id": 1, "owner_id": "token-never-to-be-seen"}]}, "match": {"path_regex": "organizations"}}]');
ALTER SERVER crm OPTIONS (ADD max_retries '0');
SET ROLE regress_pipedrive_owner;
SELECT e, sim.shows_token(format('SELECT * FROM crm.%I', e)), left(sim.error(format('SELECT * FROM crm.%I', e)), 5) FROM unnest(ARRAY['stages', 'pipelines', 'users', 'persons', 'organizations']) AS e;
SELECT sim.error('SELECT * FROM crm.stages');
RESET ROLE;
CALL sim.no_faults();
ALTER SERVER crm OPTIONS (DROP max_retries);
-- It travelled in headers only.
SELECT count(*) > 0 AS asked, bool_and((j ->> 'token_in_header')::boolean) AS in_header, bool_or((j ->> 'token_in_url')::boolean) AS in_url, count(*) FILTER (WHERE j::text ~ 'never-to-be-seen') AS seen
  FROM jsonb_array_elements(sim.call('GET', 'journal')::jsonb) AS j;
SELECT DISTINCT regexp_replace(j ->> 'user_agent', '\d+(\.\d+)*', 'N', 'g') AS user_agent FROM jsonb_array_elements(sim.call('GET', 'journal')::jsonb) AS j;
-- What the extension grants.
SET ROLE regress_pipedrive_reader;
SELECT count(*) > 0 FROM pipedrive.options;
SELECT count(*) > 0 FROM pipedrive.entities;
SELECT count(*) > 0 FROM pipedrive.entity_columns;
SELECT pipedrive.version() LIKE 'pipedrive_fdw %';
SELECT sim.error('CREATE SERVER mine FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (company_domain ''acme'')');
RESET ROLE;
DROP SCHEMA private CASCADE;
DROP EXTENSION pipedrive_fdw CASCADE;
DROP SCHEMA crm CASCADE;
DROP SCHEMA sim CASCADE;
DROP ROLE regress_pipedrive_owner, regress_pipedrive_reader, regress_pipedrive_other;
