\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set SHOW_CONTEXT never
--
-- Where an error becomes text, its reason comes along: the API's words, row and column, the advice;
-- and no value of a row.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
SET client_min_messages = error;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO crm;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
CREATE FUNCTION sim.same(said text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(said, '127\.0\.0\.1(:| port )\d+', '127.0.0.1\1PORT', 'g'), 'row id \d+, page \d+', 'row id N, page N')
$$;
-- Webhooks: what the API says of its refusal
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks", "method": "POST"}, "kind": "status", "status": 400, "body": {"success": false, "error": "Failed to get user or company", "error_info": "Pass user_id"}}]');
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}');
SELECT sim.error($$SELECT pipedrive_internal.request('crm', 'POST', '/v1/webhooks', '{}')$$);
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks", "method": "POST"}, "kind": "status", "status": 400, "body": {"success": false, "error": "Failed", "error_info": {"field": "user_id", "message": "No such user"}}}]');
SELECT sim.error($$SELECT pipedrive_internal.request('crm', 'POST', '/v1/webhooks', '{}')$$);
CALL sim.no_faults();
SELECT object, problem FROM pipedrive.register_webhook('crm', 'https://nowhere', '{deal,nonsense}');
CALL sim.reset();
SELECT object, problem FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}');
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks", "method": "DELETE"}, "kind": "status", "status": 403, "body": {"success": false, "error": "Scope and URL mismatch"}}]');
SELECT object, problem FROM pipedrive.unregister_webhook('crm');
CALL sim.no_faults();
SELECT object, problem FROM pipedrive.unregister_webhook('crm');
-- what repair_webhooks() could not do
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks", "method": "POST"}, "kind": "status", "status": 422, "body": {"success": false, "error": "Webhook limit reached"}}]');
SET client_min_messages = warning;
\set VERBOSITY default
CALL pipedrive.repair_webhooks('crm', 'https://db.example.com/rpc/webhook');
CALL sim.no_faults();
SET client_min_messages = error;

-- Mirrors: the API's refusal, a malformed answer, a table that refuses, a server that is not there
CALL sim.fault('[{"match": {"path_regex": "^/api/v2/persons$"}, "kind": "status", "status": 403, "body": {"success": false, "error": "No access to persons"}}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT last_error FROM pipedrive.mirrors WHERE entity = 'persons';
CALL sim.fault('[{"match": {"path_regex": "^/api/v2/persons$"}, "kind": "invalid_json", "body": "{\"success\": true, \"data\": ["}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT sim.same(last_error) AS last_error FROM pipedrive.mirrors WHERE entity = 'persons';
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT sim.same(last_error) AS last_error FROM pipedrive.mirrors WHERE entity = 'persons';
CALL sim.no_faults();
CREATE FUNCTION crm_mirror.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no "%" here: %', NEW.name, NEW.name USING DETAIL = 'It was ' || NEW.name, HINT = 'Not ' || NEW.name; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON crm_mirror.persons FOR EACH ROW EXECUTE FUNCTION crm_mirror.refuse();
CALL pipedrive.sync('crm_mirror.persons');
SELECT last_error FROM pipedrive.mirrors WHERE entity = 'persons';
-- whatever SQLSTATE it gives itself
CREATE OR REPLACE FUNCTION crm_mirror.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no "%" here: %', NEW.name, NEW.name USING ERRCODE = TG_ARGV[0], DETAIL = 'It was ' || NEW.name, HINT = 'Not ' || NEW.name; END $$;
CREATE FUNCTION sim.refused(state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP TRIGGER refuse ON crm_mirror.persons;
    EXECUTE format('CREATE TRIGGER refuse BEFORE INSERT ON crm_mirror.persons FOR EACH ROW EXECUTE FUNCTION crm_mirror.refuse(%L)', state);
END $$;
SELECT sim.refused('HV000');
CALL pipedrive.sync('crm_mirror.persons');
SELECT last_error FROM pipedrive.mirrors WHERE entity = 'persons';
SELECT sim.refused('55000');
CALL pipedrive.sync('crm_mirror.persons');
SELECT last_error FROM pipedrive.mirrors WHERE entity = 'persons';
DROP TRIGGER refuse ON crm_mirror.persons;
CALL pipedrive.sync('crm_mirror.persons');
SELECT last_error FROM pipedrive.mirrors WHERE entity = 'persons';

-- Events: the inbox has the reason; the answer is short, as it goes to the sender
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', '{"version": "2.0", "id": "e1", "entity": "deal", "entity_id": "9001", "action": "change", "timestamp": "2026-06-01T00:00:00.000Z", "company_id": "100200300"}'::jsonb,
       'data', '{"id": 9001, "title": "x", "update_time": "Ada Example", "value": 5}'::jsonb));
CREATE FUNCTION crm_mirror.refuse_deal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no "%" here', NEW.title USING DETAIL = 'It was ' || NEW.title; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON crm_mirror.deals FOR EACH ROW EXECUTE FUNCTION crm_mirror.refuse_deal();
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', '{"version": "2.0", "id": "e2", "entity": "deal", "entity_id": "9002", "action": "change", "timestamp": "2026-06-01T00:00:00.000Z", "company_id": "100200300"}'::jsonb,
       'data', '{"id": 9002, "title": "Ada Example", "update_time": "2026-06-01T00:00:00Z"}'::jsonb));
DROP TRIGGER refuse ON crm_mirror.deals;
ALTER TABLE crm_mirror.deals ADD CONSTRAINT no_ada CHECK (title !~ 'Ada');
SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', '{"version": "2.0", "id": "e3", "entity": "deal", "entity_id": "9003", "action": "change", "timestamp": "2026-06-01T00:00:00.000Z", "company_id": "100200300"}'::jsonb,
       'data', '{"id": 9003, "title": "Ada Example", "update_time": "2026-06-01T00:00:00Z"}'::jsonb));
SELECT key, outcome, error, concat(outcome, error) ~ 'Ada|Example' AS leaks FROM pipedrive.inbox ORDER BY seq;
SELECT * FROM pipedrive.replay();
SELECT key, outcome, error, concat(outcome, error) ~ 'Ada|Example' AS leaks FROM pipedrive.inbox ORDER BY seq;

-- What the helper keeps and what it leaves out
SELECT pipedrive_internal.error_text('HV004', 'invalid value from Pipedrive for column "won_time" of "deals"', 'Expected a time, found string "Ada Example".', '', E'converting column "won_time", row id 4711, page 1 of "deals"\nSQL statement "x"'),
       pipedrive_internal.error_text('HV004', 'invalid value', 'Expected an integer, found number 4917012345678.', 'Leave the column out.', NULL);
SELECT pipedrive_internal.error_text('23505', 'duplicate key value violates unique constraint "one"', 'Key (email)=(ada@x.example) already exists.', '', NULL),
       pipedrive_internal.error_text('22P02', 'invalid input syntax for type integer: "Ada"', 'Token "Ada" is invalid.', '', NULL),
       pipedrive_internal.error_text('22023', 'invalid mode', '', 'Modes are apply, queue and refetch.', NULL),
       pipedrive_internal.error_text('28000', 'could not authenticate to Pipedrive server "crm"', 'The API answered 401: unauthorized', 'Check option "api_token".', 'SQL statement');
SELECT pipedrive_internal.error_text('45000', 'no "Ada" here: Ada', 'It was Ada', 'Not Ada', NULL);

-- Materialized views: what is told to everybody quotes no row
CREATE MATERIALIZED VIEW crm_mirror.bad AS SELECT id, CASE WHEN title = 'Ada Example' THEN title::integer END AS n FROM crm_mirror.deals;
SELECT pipedrive.track_view('crm_mirror.bad');
ALTER TABLE crm_mirror.deals DROP CONSTRAINT no_ada;
INSERT INTO crm_mirror.deals (id, title) VALUES (9009, 'Ada Example');
CALL pipedrive.refresh_views(force => true);
SELECT error FROM pipedrive.tracked_views;
DELETE FROM crm_mirror.deals WHERE id = 9009;
DROP MATERIALIZED VIEW crm_mirror.bad;
