\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set SHOW_CONTEXT never
--
-- What may not be reached: another's scan, another origin, a file of the server.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO crm;
DROP ROLE IF EXISTS regress_pipedrive_owner, regress_pipedrive_member;
DROP SCHEMA IF EXISTS theirs CASCADE;
CREATE ROLE regress_pipedrive_owner;
GRANT USAGE ON SCHEMA crm, sim TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO PUBLIC;
-- A part of a walk belongs to one statement; it is told where it ended.
CREATE TABLE crm.part (id bigint);
SELECT next_position IS NOT NULL AS more, tokens, rows, pages_read, written
  FROM pipedrive_internal.walk('crm.deals'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'INSERT INTO crm.part SELECT id FROM crm.deals WHERE $1 IS NULL', NULL::text);
SELECT count(*) FROM crm.part;
SELECT (SELECT count(*) FROM crm.deals) = (SELECT count(*) FROM sim.rows('deals')) AS the_next_scan_reads_all;
-- A trigger that fires before the first row is read gets the whole table, and the walk its part.
CREATE FUNCTION crm.count_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'all rows seen: %', (SELECT count(*) FROM crm.deals) = (SELECT count(*) FROM sim.rows('deals'));
    RETURN NULL;
END $$;
CREATE TRIGGER before_all BEFORE INSERT ON crm.part EXECUTE FUNCTION crm.count_first();
SET client_min_messages = notice;
SELECT next_position IS NOT NULL AS more, rows, written FROM pipedrive_internal.walk('crm.deals'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'INSERT INTO crm.part SELECT id FROM crm.deals WHERE $1 IS NULL', NULL::text);
SET client_min_messages = warning;
-- One statement, one scan of the source.
SELECT sim.error($$SELECT pipedrive_internal.walk('crm.deals'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'SELECT 1; SELECT 2', NULL::text)$$);
SELECT sim.error($$SELECT pipedrive_internal.walk('crm.deals'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'SELECT id FROM crm.deals UNION ALL SELECT id FROM crm.deals', NULL::text)$$);
SELECT sim.error($$SELECT pipedrive_internal.walk('crm.deals'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'SELECT id FROM crm.stages', NULL::text)$$);
SELECT sim.error($$SELECT pipedrive_internal.walk('crm.deals'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'DROP TABLE crm.part', NULL::text)$$);
SELECT sim.error($$SELECT pipedrive_internal.walk('crm.part'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'SELECT id FROM crm.part', NULL::text)$$);
SET ROLE regress_pipedrive_owner;
SELECT sim.error($$SELECT pipedrive_internal.walk('crm.deals'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'SELECT id FROM crm.deals', NULL::text)$$);
RESET ROLE;
-- Credentials go to the server's own origin, as one request of a known method.
SELECT path, sim.error(format('SELECT pipedrive_internal.request(%L, %L, %L)', 'crm', 'GET', path)) AS error
  FROM unnest(ARRAY[':43999/x', '.evil.example/x', '@evil.example/x', 'x', '', '//evil.example/x', '/x y', E'/x\r\nHost: evil', '/x#y', '/\x', '/ä', E'/x\t']) AS path;
SELECT method, sim.error(format('SELECT pipedrive_internal.request(%L, %L, %L)', 'crm', method, '/v1/users')) AS error
  FROM unnest(ARRAY['', 'get', 'TRACE', 'CONNECT', 'GET /v1/users HTTP/1.1', E'GET\r\nX: y']) AS method;
CALL sim.clear();
SELECT jsonb_typeof(pipedrive_internal.request('crm', 'GET', '/v1/users') -> 'data');
SELECT * FROM sim.journal();
-- What a superuser allowed stands when the owner of a server changes something else; nothing more is allowed by it.
CREATE SERVER own FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'sim_url', ca_file '/etc/ssl/certs/ca-certificates.crt');
ALTER SERVER own OWNER TO CURRENT_USER;
GRANT USAGE ON FOREIGN DATA WRAPPER pipedrive_fdw TO regress_pipedrive_owner;
ALTER SERVER own OWNER TO regress_pipedrive_owner;
SET ROLE regress_pipedrive_owner;
ALTER SERVER own OPTIONS (ADD page_size '100');
ALTER SERVER own OPTIONS (SET page_size '200');
SELECT sim.error($$ALTER SERVER own OPTIONS (SET ca_file '/etc/passwd')$$);
SELECT sim.error($$ALTER SERVER own OPTIONS (SET api_base_url 'http://127.0.0.1:1')$$);
SELECT sim.error($$CREATE SERVER theirs FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (company_domain 'acme', ca_file '/etc/passwd')$$);
ALTER SERVER own OPTIONS (DROP ca_file);
SELECT sim.error($$ALTER SERVER own OPTIONS (ADD ca_file '/etc/ssl/certs/ca-certificates.crt')$$);
RESET ROLE;
SELECT srvoptions[2:] FROM pg_foreign_server WHERE srvname = 'own';
DROP SERVER own;
REVOKE USAGE ON FOREIGN DATA WRAPPER pipedrive_fdw FROM regress_pipedrive_owner;
-- Nobody's trigger runs with the rights of who syncs: a mirror is written by its owner, or by a role whose rights the owner has.
CREATE ROLE regress_pipedrive_member IN ROLE regress_pipedrive_owner;
CREATE SCHEMA theirs AUTHORIZATION regress_pipedrive_owner;
GRANT USAGE ON FOREIGN SERVER crm TO regress_pipedrive_owner;
SELECT pipedrive.grant_mirrors('regress_pipedrive_owner');
SET ROLE regress_pipedrive_owner;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO theirs;
SELECT pipedrive.create_mirror('theirs.stages', 'theirs.stages_mirror');
CREATE TABLE theirs.ran_as (who name);
CREATE FUNCTION theirs.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO theirs.ran_as VALUES (current_user); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON theirs.stages_mirror EXECUTE FUNCTION theirs.note();
RESET ROLE;
CALL pipedrive.sync();
CALL pipedrive.sync('theirs.stages_mirror');
CALL pipedrive.reconcile('theirs.stages_mirror');
INSERT INTO pipedrive_internal.server_company VALUES ('crm', '100200300');
SELECT pipedrive.ingest_webhook('{"meta": {"version": "2.0", "id": "r1", "entity": "stage", "entity_id": "1", "action": "change", "timestamp": "2026-05-02T00:00:00.000Z", "company_id": "100200300"}, "data": {"id": 1, "name": "x", "update_time": "2026-05-02T00:00:00Z"}, "previous": {}}'::jsonb);
SELECT count(*) FROM theirs.stages_mirror;
SELECT * FROM theirs.ran_as;
-- What came by webhook is marked, so that the owner's sync brings it.
SELECT id, reason FROM pipedrive_internal.refetch;
SET ROLE regress_pipedrive_owner;
CALL pipedrive.sync();
SELECT count(*) > 0 AS rows FROM theirs.stages_mirror;
RESET ROLE;
SELECT DISTINCT who FROM theirs.ran_as;
-- Nor does that of a role which was granted TRIGGER on it, or whose table inherits from it; and whoever may not write it leaves it out.
RESET ROLE;
CREATE TABLE crm.stages_mirror (id bigint);
DROP TABLE crm.stages_mirror;
SELECT pipedrive.create_mirror('crm.stages', 'crm.stages_mirror');
CALL pipedrive.sync('crm.stages_mirror');
GRANT TRIGGER ON crm.stages_mirror TO regress_pipedrive_owner;
CALL pipedrive.sync();
REVOKE TRIGGER ON crm.stages_mirror FROM regress_pipedrive_owner;
CREATE TABLE theirs.child () INHERITS (crm.stages_mirror);
ALTER TABLE theirs.child OWNER TO regress_pipedrive_owner;
CALL pipedrive.sync();
DROP TABLE theirs.child;
CALL pipedrive.sync('crm.stages_mirror');
SET ROLE regress_pipedrive_owner;
CALL pipedrive.sync();
RESET ROLE;
SELECT mirror, last_error FROM pipedrive.mirrors ORDER BY mirror::text;
SELECT pipedrive.drop_mirror('crm.stages');
-- A row in the bookkeeping that names something else than a foreign table of ours does not run it.
SET ROLE regress_pipedrive_owner;
CREATE FUNCTION theirs.bomb() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
CREATE VIEW theirs.bait AS SELECT theirs.bomb() AS id;
UPDATE pipedrive_internal.mirror SET source = 'theirs.bait';
RESET ROLE;
CALL pipedrive.sync();
CALL pipedrive.sync('theirs.stages_mirror');
SELECT sim.error($$SELECT pipedrive_internal.walk('theirs.bait'::regclass, NULL::text, 1, NULL::bigint, NULL::name, 'SELECT id FROM theirs.bait', NULL::text)$$);
SET client_min_messages = error;
DELETE FROM pipedrive_internal.mirror;
DROP SCHEMA theirs CASCADE;
DROP USER MAPPING FOR regress_pipedrive_owner SERVER crm;
REVOKE USAGE ON FOREIGN SERVER crm FROM regress_pipedrive_owner;
REVOKE ALL ON ALL TABLES IN SCHEMA pipedrive, pipedrive_internal FROM regress_pipedrive_owner;
REVOKE ALL ON ALL ROUTINES IN SCHEMA pipedrive, pipedrive_internal FROM regress_pipedrive_owner;
REVOKE ALL ON ALL TABLES IN SCHEMA crm FROM PUBLIC;
DROP OWNED BY regress_pipedrive_owner, regress_pipedrive_member;
DROP ROLE regress_pipedrive_owner, regress_pipedrive_member;
