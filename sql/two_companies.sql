\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set SHOW_CONTEXT never
--
-- Two companies, one database: whose account a server shows is learnt at its first sync, events go to
-- the mirrors of their own company, and a mirror does not go on with another company's rows.
--
DROP SCHEMA IF EXISTS crm_mirror, other, other_mirror CASCADE;
CREATE SERVER other FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'sim_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA other;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages, pipelines) FROM SERVER crm INTO crm;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER other INTO other;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
SELECT count(*) FROM pipedrive.create_mirrors('other');
CREATE FUNCTION sim.send(id text, company text, entity_id bigint DEFAULT 9001, mode text DEFAULT 'apply', server name DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_strip_nulls(jsonb_build_object('version', '2.0', 'id', id, 'entity', 'stage', 'entity_id', entity_id::text, 'action', 'change',
        'timestamp', '2026-06-01T00:00:00.000Z', 'company_id', company)), 'data', jsonb_build_object('id', entity_id, 'name', id, 'update_time', '2026-06-01T00:00:00Z'), 'previous', '{}'::jsonb), mode, server)
$$;
CREATE FUNCTION sim.stages() RETURNS TABLE (crm text, other text) LANGUAGE sql AS $$
    SELECT (SELECT string_agg(s.name, ', ' ORDER BY s.id) FROM crm_mirror.stages s WHERE s.id > 9000), (SELECT string_agg(s.name, ', ' ORDER BY s.id) FROM other_mirror.stages s WHERE s.id > 9000)
$$;
CREATE PROCEDURE sim.company(company bigint) LANGUAGE sql AS $$
    CALL sim.fault(jsonb_build_array(jsonb_build_object('match', '{"path_regex": "^/v1/users/me$"}'::jsonb, 'kind', 'status', 'status', 200,
        'body', jsonb_build_object('success', true, 'data', jsonb_build_object('id', 1, 'company_id', company)))))
$$;
-- Nothing is known before the first sync: events wait
SELECT sim.send('early', '100200300'), sim.send('early with server', '100200300', 9002, 'apply', 'crm'), sim.send('early of nobody', '3', 9003);
SELECT * FROM sim.stages();
SELECT count(*) FROM pipedrive_internal.refetch;
CALL pipedrive.apply_inbox();
SELECT status, outcome, count(*), count(processed_at) AS processed FROM pipedrive.inbox GROUP BY 1, 2;
-- The first sync of each asks once, 2 tokens; what waited is applied before, and then settled by the account
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.stages');
SELECT * FROM sim.journal();
SELECT server, company_id FROM pipedrive_internal.server_company;
SELECT mirror, tokens_today FROM pipedrive.mirrors ORDER BY mirror::text;
SELECT key, outcome FROM pipedrive.inbox ORDER BY seq;
CALL sim.company(222);
CALL pipedrive.sync('other_mirror.stages');
CALL sim.no_faults();
SELECT server, company_id FROM pipedrive_internal.server_company ORDER BY 1;
SELECT key, outcome FROM pipedrive.inbox ORDER BY seq;
CALL sim.clear();
CALL pipedrive.sync();
SELECT count(*) FROM sim.journal() AS j WHERE j ~ 'users';
TRUNCATE pipedrive.inbox, pipedrive_internal.refetch;
-- From then on each company's events go to its own mirrors
SELECT sim.send('ours', '100200300') AS ours, sim.send('theirs', '222', 9002) AS theirs, sim.send('nobody''s', '3', 9003) AS nobodys;
SELECT * FROM sim.stages();
-- who delivers it is told: another company's event by this door is not applied, nor one of a server that is none
SELECT sim.send('ours by their door', '100200300', 9004, 'apply', 'other') AS wrong_door, sim.send('by the right door', '100200300', 9004, 'apply', 'crm') AS right_door, sim.send('silent', NULL, 9005) AS silent, sim.send('silent by a door', NULL, 9005, 'apply', 'other') AS by_a_door;
SELECT sim.error($$SELECT sim.send('x', '222', 9004, 'apply', 'nowhere')$$);
SELECT sim.error($$SELECT pipedrive.ingest_webhook('{}'::text, 'apply', 'nowhere')$$);
SELECT * FROM sim.stages();
SELECT sim.send('queued', '222', 9006, 'queue'), sim.send('queued by a door', '222', 9007, 'queue', 'crm');
CALL pipedrive.apply_inbox();
SELECT key, server, outcome FROM pipedrive.inbox WHERE key LIKE 'queued%' ORDER BY seq;
SELECT * FROM sim.stages();
-- A token of another company: asked again because the mapping was altered, and the sync refuses
CALL pipedrive.sync();
ALTER USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (SET api_token 'sim-token-admin');
CALL sim.company(333);
CREATE TABLE sim.before AS SELECT * FROM other_mirror.stages;
SET client_min_messages = error;
CALL sim.clear();
CALL pipedrive.sync();
CALL pipedrive.reconcile('other_mirror.stages');
SELECT * FROM sim.journal();
SET client_min_messages = warning;
SELECT mirror, last_error FROM pipedrive.mirrors ORDER BY mirror::text;
SELECT (SELECT count(*) FROM (TABLE sim.before EXCEPT TABLE other_mirror.stages) AS d) AS changed;
SELECT server, company_id FROM pipedrive_internal.server_company ORDER BY 1;
SELECT sim.send('of the third', '333', 9008) AS third, sim.send('refetch', '222', 9009, 'refetch') AS refetch;
-- when it does not tell it is not the same either
CALL sim.fault('[{"match": {"path_regex": "^/v1/users/me$"}, "kind": "status", "status": 403}]');
SET client_min_messages = error;
CALL pipedrive.sync('other_mirror.stages');
CALL sim.fault('[{"match": {"path_regex": "^/v1/users/me$"}, "kind": "status", "status": 200, "body": {"success": true, "data": {}}}]');
SELECT last_error FROM pipedrive.mirrors WHERE mirror = 'other_mirror.stages'::regclass;
CALL pipedrive.sync('other_mirror.stages');
SELECT last_error FROM pipedrive.mirrors WHERE mirror = 'other_mirror.stages'::regclass;
SET client_min_messages = warning;
-- another token of the same company goes on; one of another once the mirrors are made anew
CALL sim.company(222);
CALL pipedrive.sync('other_mirror.stages');
SELECT last_error FROM pipedrive.mirrors WHERE mirror = 'other_mirror.stages'::regclass;
ALTER SERVER other OPTIONS (ADD page_size '100');
CALL sim.company(333);
SELECT pipedrive.drop_mirror('other.stages');
SELECT pipedrive.create_mirror('other.stages', 'other_mirror.stages');
CALL pipedrive.sync('other_mirror.stages');
SELECT server, company_id FROM pipedrive_internal.server_company ORDER BY 1;
SELECT sim.send('of the third again', '333', 9008) AS third;
-- a server that is gone is forgotten
DROP SERVER other CASCADE;
SELECT server FROM pipedrive_internal.server_company;
SELECT count(DISTINCT server) FROM pipedrive_internal.server_account;
CALL sim.no_faults();
-- an account that does not tell: its mirrors are synced, and get events while there is no other server
CREATE SERVER other FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'sim_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (api_token 'sim-token-admin');
DROP SCHEMA other, other_mirror CASCADE;
CREATE SCHEMA other;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER other INTO other;
SELECT count(*) FROM pipedrive.create_mirrors('other');
CALL sim.fault('[{"match": {"path_regex": "^/v1/users/me$"}, "kind": "status", "status": 403}]');
CALL pipedrive.sync('other_mirror.stages');
CALL pipedrive.sync('other_mirror.stages');
SELECT j, count(*) FROM sim.journal() AS j GROUP BY j ORDER BY j;
CALL sim.no_faults();
SELECT count(*) > 0 AS synced, (SELECT count(*) FROM pipedrive_internal.server_company) AS companies FROM other_mirror.stages;
TRUNCATE pipedrive.inbox;
SELECT sim.send('whose', '444', 9008) AS whose, sim.send('by a door', '444', 9008, 'apply', 'other') AS by_a_door;
SELECT pipedrive.drop_mirror('crm.stages');
SELECT sim.send('the only one', '444', 9009) AS the_only_one;
-- but of one company only: once there is a second one nobody can tell, and the next sync reads what they are about
TRUNCATE pipedrive_internal.refetch;
SELECT sim.send('a second one', '555', 9010) AS second, sim.send('the first again', '444', 9011) AS first, sim.send('queued', '444', 9012, 'queue') AS queued,
       sim.send('by a login', '444', 9013, 'apply', 'other') AS login;
CALL pipedrive.apply_inbox();
SELECT outcome FROM pipedrive.inbox WHERE key LIKE 'queued%';
SELECT id, name FROM other_mirror.stages WHERE id > 9000 ORDER BY id;
SELECT id FROM pipedrive_internal.refetch ORDER BY id;
-- two that wait in one batch are seen before either is applied
TRUNCATE pipedrive_internal.event_company;
SELECT sim.send('batch', '666', 9016, 'queue') AS one, sim.send('batch too', '777', 9017, 'queue') AS other;
CALL pipedrive.apply_inbox();
SELECT key, outcome FROM pipedrive.inbox WHERE key LIKE 'batch%' ORDER BY seq;
-- what is no name does not tell; then it tells
CALL sim.fault('[{"match": {"path_regex": "^/v1/users/me$"}, "kind": "status", "status": 200, "body": {"success": true, "data": {"company_id": {"x": 1}}}}]');
SELECT pipedrive_internal.asked_company('other', NULL);
CALL sim.no_faults();
ALTER SERVER other OPTIONS (ADD page_size '101');
CALL pipedrive.sync('other_mirror.stages');
SELECT company_id FROM pipedrive_internal.server_company WHERE server = 'other';
SELECT sim.send('it tells now', '100200300', 9014) AS own, sim.send('and not this', '444', 9015) AS another;
DROP SERVER other CASCADE;
DROP SCHEMA other, other_mirror CASCADE;
--
-- <table>_live reads the account that the mirror is of, or says that it is not known, before it asks for anything.
--
CALL sim.reset();
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO crm;
SELECT pipedrive.create_mirror('crm.persons');
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token 'sim-token-admin');
SELECT count(*) FROM crm_mirror.persons_live; -- nothing to mix yet
CALL pipedrive.sync('crm_mirror.persons');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-07-01T09:00:00Z", "fields": {"name": "Just now"}}]');
CALL sim.clear();
SELECT name FROM crm_mirror.persons_live WHERE id = 1;
SELECT count(*) AS requests, count(*) FILTER (WHERE j ~ 'users/me') AS who_asks FROM sim.journal() AS j;
CALL sim.company(333);
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token 'sim-token-admin');
CALL sim.clear();
SELECT regexp_replace(sim.error('SELECT name FROM crm_mirror.persons_live WHERE id = 1'), current_user, 'ROLE');
SELECT * FROM sim.journal();
SET client_min_messages = error;
CALL pipedrive.sync('crm_mirror.persons');
SET client_min_messages = warning;
SELECT last_error FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.persons'::regclass;
SELECT regexp_replace(sim.error('SELECT name FROM crm_mirror.persons_live WHERE id = 1'), current_user, 'ROLE');
SELECT name = 'Just now' AS from_another FROM crm_mirror.persons WHERE id = 1;
-- the account again, asked once
CALL sim.no_faults();
CALL pipedrive.sync('crm_mirror.persons');
CALL sim.clear();
SELECT name FROM crm_mirror.persons_live WHERE id = 1;
SELECT count(*) FROM sim.journal();
-- who only reads it needs nothing more, and the mapping is that of the view's owner, unless the view runs as who reads it
CREATE ROLE regress_pipedrive_reader;
GRANT USAGE ON SCHEMA crm_mirror, crm TO regress_pipedrive_reader;
GRANT SELECT ON crm_mirror.persons_live, crm_mirror.persons, crm.persons TO regress_pipedrive_reader;
GRANT USAGE ON SCHEMA pipedrive TO regress_pipedrive_reader;
SET ROLE regress_pipedrive_reader;
SELECT name FROM crm_mirror.persons_live WHERE id = 1;
RESET ROLE;
-- a mapping for everybody is another one than that of its owner
CREATE USER MAPPING FOR PUBLIC SERVER crm OPTIONS (api_token 'sim-token-limited');
SELECT name FROM crm_mirror.persons_live WHERE id = 1;
DROP USER MAPPING FOR CURRENT_USER SERVER crm;
SELECT sim.error('SELECT name FROM crm_mirror.persons_live WHERE id = 1') ~ 'is not known' AS refused;
DROP USER MAPPING FOR PUBLIC SERVER crm;
DROP OWNED BY regress_pipedrive_reader;
DROP ROLE regress_pipedrive_reader;
