\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set SHOW_CONTEXT never
--
-- What is for everybody holds no text that may quote data.
--
CREATE VIEW sim.for_everybody AS
SELECT c.oid::regclass AS relation
  FROM pg_class c
 WHERE c.relnamespace IN ('pipedrive'::regnamespace, 'pipedrive_internal'::regnamespace) AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
   AND EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = 0 AND a.privilege_type = 'SELECT');
SELECT relation FROM sim.for_everybody ORDER BY relation::text COLLATE "C";
SELECT c.oid::regclass AS relation, a.privilege_type FROM pg_class c, aclexplode(c.relacl) AS a
 WHERE c.relnamespace IN ('pipedrive'::regnamespace, 'pipedrive_internal'::regnamespace) AND a.grantee = 0 AND a.privilege_type <> 'SELECT';
-- Errors of every kind that quotes a row.
DROP ROLE IF EXISTS regress_pipedrive_analyst, regress_pipedrive_looker;
CREATE ROLE regress_pipedrive_analyst;
CREATE ROLE regress_pipedrive_looker;
DROP SCHEMA IF EXISTS status CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO crm;
CREATE SCHEMA status AUTHORIZATION regress_pipedrive_analyst;
SELECT pipedrive.create_mirror('crm.stages', 'status.stages');
INSERT INTO status.stages (id, name) VALUES (1, 'Ada Example'), (2, 'Ada Example');
GRANT SELECT ON status.stages TO regress_pipedrive_analyst;
SET ROLE regress_pipedrive_analyst;
CREATE FUNCTION status.complain(said text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'who is % anyway', said USING DETAIL = 'It was ' || said, HINT = 'Ask ' || said; END $$;
CREATE FUNCTION status.lie(said text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no %', said USING ERRCODE = 'HV00L', DETAIL = said; END $$;
CREATE FUNCTION status.strange(said text) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', said USING ERRCODE = 'ABCDE'; END $$;
CREATE MATERIALIZED VIEW status.casts AS SELECT id, name::integer AS n FROM status.stages WITH NO DATA;
CREATE MATERIALIZED VIEW status.complains AS SELECT id, status.complain(name) AS n FROM status.stages WITH NO DATA;
CREATE MATERIALIZED VIEW status.lies AS SELECT id, status.lie(name) AS n FROM status.stages WITH NO DATA;
CREATE MATERIALIZED VIEW status.strangers AS SELECT id, status.strange(name) AS n FROM status.stages WITH NO DATA;
CREATE MATERIALIZED VIEW status.classes AS SELECT id, replace(name, ' ', '')::regclass AS n FROM status.stages WITH NO DATA;
CREATE MATERIALIZED VIEW status.zones AS SELECT id, now() AT TIME ZONE name AS n FROM status.stages WITH NO DATA;
CREATE MATERIALIZED VIEW status.queries AS SELECT id, to_tsquery(name) AS n FROM status.stages WITH NO DATA;
CREATE MATERIALIZED VIEW status.doubles AS SELECT name FROM status.stages WITH NO DATA;
CREATE UNIQUE INDEX ON status.doubles (name);
RESET ROLE;
SELECT count(pipedrive.track_view(c.oid::regclass)) FROM pg_class c WHERE c.relnamespace = 'status'::regnamespace AND c.relkind = 'm';
-- the warning may stand in the server's log
CALL pipedrive.refresh_views('status.casts');
SET client_min_messages = error;
CALL pipedrive.refresh_views();
SET client_min_messages = warning;
SELECT count(*) AS failed, bool_and(error ~* 'Ada') AS told FROM pipedrive.refresh_log WHERE view <> 'status.casts'::regclass;
GRANT USAGE ON SCHEMA sim TO regress_pipedrive_looker;
GRANT SELECT ON sim.for_everybody TO regress_pipedrive_looker;
SET ROLE regress_pipedrive_looker;
SELECT view, error FROM pipedrive.tracked_views ORDER BY view::text COLLATE "C";
DO $$
DECLARE
    r regclass;
    n bigint;
BEGIN
    FOR r IN SELECT relation FROM sim.for_everybody LOOP
        EXECUTE format('SELECT count(*) FROM %s AS x WHERE x::text ~* ''Ada|Example''', r) INTO n;
        IF n > 0 THEN
            RAISE WARNING '% quotes a row', r;
        END IF;
    END LOOP;
END $$;
SET ROLE regress_pipedrive_analyst;
SELECT view, error FROM pipedrive.tracked_views ORDER BY view::text COLLATE "C";
RESET ROLE;
SELECT bool_and(error ~* 'Ada') AS owner_of_the_extension FROM pipedrive.tracked_views;
-- What comes of a webhook is told to who delivered it.
INSERT INTO pipedrive_internal.server_company VALUES ('crm', '100200300');
CREATE FUNCTION status.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'who is % anyway', NEW.name; END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON status.stages FOR EACH ROW EXECUTE FUNCTION status.refuse();
SELECT pipedrive.ingest_webhook('{"meta": {"version": "2.0", "id": "s1", "entity": "stage", "entity_id": "3", "action": "create", "timestamp": "2026-06-01T00:00:00.000Z", "company_id": "100200300"}, "data": {"id": 3, "name": "Ada Example"}}'::jsonb);
SELECT error FROM pipedrive.inbox;
SET client_min_messages = error;
CALL pipedrive.sync('status.stages');
SELECT last_error FROM pipedrive.mirrors;
SET client_min_messages = warning;
-- An SQLSTATE in words.
SELECT s, pipedrive_internal.condition(s) FROM unnest(ARRAY['22P02', '22XYZ', 'HV004', 'HV999', 'P0002', 'ABCDE', '', NULL]) AS s;
DROP SCHEMA status CASCADE;
DROP OWNED BY regress_pipedrive_analyst, regress_pipedrive_looker;
DROP ROLE regress_pipedrive_analyst, regress_pipedrive_looker;
