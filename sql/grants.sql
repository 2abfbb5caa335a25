\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Who may call what, and in whose names a function looks things up. A new function that nobody but the owner needs changes nothing here.
--
CREATE VIEW sim.routines AS
SELECT p.oid, p.oid::regprocedure::text AS routine, p.prosecdef, p.prokind, l.lanname,
       EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE c = 'search_path=pg_catalog, pg_temp') AS safe_path,
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE') AS public
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pipedrive_fdw';
SELECT count(*) > 100 AS all_of_them FROM sim.routines;
-- what everybody may call
SELECT routine FROM sim.routines WHERE public ORDER BY routine COLLATE "C";
-- what runs with the rights of its owner
SELECT routine, public FROM sim.routines WHERE prosecdef ORDER BY routine COLLATE "C";
-- what takes its search_path from the session: procedures that commit cannot set it
SELECT routine, prokind FROM sim.routines WHERE NOT safe_path AND lanname <> 'c' ORDER BY routine COLLATE "C";
--
-- That list is enough for who has tables of his own: a role that was given nothing but the use of a server.
--
CREATE ROLE regress_pipedrive_user;
CREATE SCHEMA mine AUTHORIZATION regress_pipedrive_user;
GRANT USAGE ON FOREIGN SERVER crm TO regress_pipedrive_user;
SET ROLE regress_pipedrive_user;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO mine;
SELECT obj_description('mine.deals'::regclass) IS NOT NULL AS commented, count(*) > 0 AS readable FROM mine.deals;
SELECT (SELECT count(*) FROM pipedrive.options) > 0 AS options, (SELECT count(*) FROM pipedrive.entities) > 0 AS entities,
       (SELECT count(*) FROM pipedrive.entity_columns) > 0 AS entity_columns, (SELECT count(*) FROM pipedrive.tracked_views) AS tracked_views,
       (SELECT count(*) FROM pipedrive.left_out_columns) AS left_out_columns,
       pipedrive.version() <> '' AS version, pipedrive.decode_record('mine.deals', '{"id": 1}'::jsonb) ->> 'id' AS decoded;
RESET ROLE;
CALL sim.field('{"action": "add", "entity": "deals", "name": "Colour", "type": "enum", "options": ["Red", "Blue"], "code": "00000000000000000000000000000000000000c0", "values": {}}');
CALL sim.field('{"action": "remove", "entity": "deals", "code": "Score"}');
SET ROLE regress_pipedrive_user;
SELECT column_name, change FROM pipedrive.field_changes('mine');
SELECT column_name, change FROM pipedrive.refresh_schema('mine', rename_columns => true, drop_removed => true);
RESET ROLE;
CALL sim.field('{"action": "rename", "entity": "deals", "code": "00000000000000000000000000000000000000c0", "name": "Paint"}');
SET ROLE regress_pipedrive_user;
SELECT column_name, change FROM pipedrive.refresh_schema('mine', rename_columns => true);
ALTER FOREIGN TABLE mine.stages RENAME TO phases;
DROP FOREIGN TABLE mine.phases;
RESET ROLE;
DROP SCHEMA mine CASCADE;
DROP USER MAPPING FOR regress_pipedrive_user SERVER crm;
DROP OWNED BY regress_pipedrive_user;
DROP ROLE regress_pipedrive_user;
CALL sim.reset();
--
-- A type of the session's own does not run as the owner of the door: everything that a delivery calls is called here first,
-- by somebody who put a domain in the way of a type's name.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages, pipelines) FROM SERVER crm INTO crm;
SELECT pipedrive.create_mirror('crm.deals', 'crm.deals_mirror');
INSERT INTO pipedrive_internal.server_company VALUES ('crm', '100200300');
CREATE ROLE regress_pipedrive_caller;
GRANT USAGE ON SCHEMA sim TO regress_pipedrive_caller;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pipedrive, pipedrive_internal TO regress_pipedrive_caller;
CREATE TABLE sim.ran_as (who name);
GRANT INSERT ON sim.ran_as TO PUBLIC;
CREATE FUNCTION sim.log_in(user_name text, password text) RETURNS text LANGUAGE sql AS $$
    SELECT set_config('request.headers', json_build_object('authorization',
                      'Basic ' || replace(encode(convert_to(user_name || ':' || password, 'UTF8'), 'base64'), E'\n', ''))::text, false)
$$;
SELECT * FROM pipedrive.create_webhook_login('crm') \gset login_
SELECT '{"meta": {"version": "2.0", "id": "g1", "entity": "deal", "entity_id": "900001", "action": "create", "timestamp": "2026-05-27T06:54:41.426Z", "company_id": "100200300"}, "data": {"id": 900001, "title": "Barn", "add_time": "2026-05-27T06:54:41Z"}}' AS body \gset
\c -
SET client_min_messages = warning;
SELECT sim.log_in(:'login_user_name', :'login_password') IS NOT NULL AS set;
SET ROLE regress_pipedrive_caller;
CREATE FUNCTION pg_temp.note() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO sim.ran_as VALUES (current_user); RETURN true; END $$;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['text', 'name', 'jsonb', 'json', 'bytea', 'timestamptz', 'regclass', 'interval'] LOOP
        EXECUTE format('CREATE DOMAIN pg_temp.%I AS pg_catalog.%I CHECK (pg_temp.note())', t, t);
    END LOOP;
END $$;
SET search_path = pg_temp, pg_catalog;
-- compiled with these types in the way, as far as a function lets its search_path be chosen
DO $$
DECLARE
    c pg_catalog.text;
BEGIN
    FOR c IN SELECT pg_catalog.format('SELECT %s.%I(%s)', p.pronamespace::pg_catalog.regnamespace, p.proname,
                    (SELECT pg_catalog.string_agg('NULL::' || a::pg_catalog.regtype, ', ') FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) AS a))
               FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
              WHERE p.pronamespace IN ('pipedrive'::pg_catalog.regnamespace, 'pipedrive_internal'::pg_catalog.regnamespace) AND l.lanname = 'plpgsql' AND p.prokind = 'f'
                AND p.prorettype <> 'pg_catalog.event_trigger'::pg_catalog.regtype LOOP
        BEGIN
            EXECUTE c;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END $$;
SELECT pipedrive.webhook(:'body'::pg_catalog.json)::pg_catalog.text AS outcome;
RESET ROLE;
RESET search_path;
SELECT DISTINCT who FROM sim.ran_as WHERE who <> 'regress_pipedrive_caller';
SELECT id, title FROM crm.deals_mirror WHERE id = 900001;
-- nor in procedures that commit, which the owner calls with such a search_path
CREATE FUNCTION pg_temp.tell() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
CREATE SCHEMA traps;
CREATE DOMAIN traps.text AS pg_catalog.text CHECK (pg_temp.tell());
CREATE DOMAIN traps.name AS pg_catalog.name CHECK (pg_temp.tell());
CREATE DOMAIN traps.regclass AS pg_catalog.regclass CHECK (pg_temp.tell());
SELECT pipedrive.ingest_webhook(replace(:'body', 'g1', 'g2'), 'queue');
SET search_path = traps, pg_catalog, pg_temp;
CALL pipedrive.apply_inbox();
CALL pipedrive.sync();
CALL pipedrive.reconcile();
CALL pipedrive.backfill_history('crm.deals_mirror', 0);
CALL pipedrive.refresh_views();
CALL pipedrive.apply_retention();
RESET search_path;
DROP SCHEMA traps CASCADE;
\c -
SET client_min_messages = warning;
SELECT sim.log_in(:'login_user_name', :'login_password') IS NOT NULL AS set;
--
-- The door that is no superuser's: it stores, and does nothing else.
--
CREATE ROLE regress_pipedrive_door;
GRANT USAGE ON SCHEMA sim TO regress_pipedrive_door;
SELECT sim.error(format('SELECT pipedrive.grant_webhook_door(%L)', current_user));
SELECT sim.error('SELECT pipedrive.grant_webhook_door(NULL)');
SELECT pipedrive.grant_webhook_door('regress_pipedrive_door');
CREATE FUNCTION sim.door(json) RETURNS json LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT pipedrive.queue_webhook($1)';
ALTER FUNCTION sim.door(json) OWNER TO regress_pipedrive_door;
REVOKE ALL ON ALL ROUTINES IN SCHEMA pipedrive, pipedrive_internal FROM regress_pipedrive_caller;
SET ROLE regress_pipedrive_caller;
SELECT sim.door(replace(:'body', 'g1', 'g3')::json) ->> 'outcome' AS outcome;
SELECT sim.door(replace(:'body', 'g1', 'g3')::json) ->> 'outcome' AS again;
SELECT sim.door('{"meta": {"version": "2.0", "id": "g4", "entity": "deal", "entity_id": "900002", "action": "create"}, "data": {"id": 900002}}') ->> 'outcome' AS outcome;
SELECT sim.door('[]') ->> 'outcome' AS outcome;
SELECT sim.error(format('SELECT pipedrive.queue_webhook(%L)', :'body'));
RESET ROLE;
SELECT id, reason FROM pipedrive_internal.refetch WHERE id = '900002';
SET ROLE regress_pipedrive_door;
SELECT pipedrive.ingest_webhook(replace(:'body', 'g1', 'g5'));
SELECT sim.error('SELECT * FROM crm.deals_mirror');
SELECT sim.error($$SELECT pipedrive_internal.request('crm', 'GET', '/v1/users')$$);
SELECT sim.error(format('SELECT pipedrive.webhook(%L)', :'body'));
RESET ROLE;
CALL pipedrive.apply_inbox();
SELECT key, status FROM pipedrive.inbox WHERE key LIKE 'g3%';
RESET request.headers;
SELECT sim.error('SELECT sim.door(''{}'')');
DROP FUNCTION sim.door(json);
DROP OWNED BY regress_pipedrive_caller, regress_pipedrive_door;
DROP ROLE regress_pipedrive_caller, regress_pipedrive_door;
