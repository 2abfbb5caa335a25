\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- The way back in: a table that was a mirror is one again after drop_mirror(), a new IMPORT, and DROP EXTENSION, with its history.
--
\set SHOW_CONTEXT never
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO crm;
SELECT * FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
SELECT stage_id AS stage_before FROM crm_mirror.deals WHERE id = 1 \gset
SELECT min(id) AS stage_a, max(id) AS stage_b FROM crm_mirror.stages WHERE id <> :stage_before \gset
CALL sim.mutate(format('{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-02T09:00:00Z", "fields": {"stage_id": %s}}', :stage_a)::jsonb);
CALL pipedrive.sync();
ALTER TABLE crm_mirror.deals ADD COLUMN note text, ADD COLUMN later_ours integer;
COMMENT ON COLUMN crm_mirror.deals.note IS 'somebody''s own';
UPDATE crm_mirror.deals SET note = 'mine' WHERE id = 1;
GRANT SELECT ON crm_mirror.deals_live TO PUBLIC;
CREATE FUNCTION sim.stages_of(deal bigint) RETURNS TABLE (step bigint, stage_id bigint, left_at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'SELECT step, stage_id, left_at FROM crm_mirror.stage_history WHERE deal_id = $1 ORDER BY step' USING deal;
END $$;
SELECT step, stage_id IN (:stage_before, :stage_a) AS right_stage, left_at FROM sim.stages_of(1);
-- drop_mirror() without the table; meanwhile a deal moves on, one is new, one is deleted.
SELECT pipedrive.drop_mirror('crm.deals', drop_table => false);
SELECT target, entity, cardinality(columns) > 20 AS columns, company_id FROM pipedrive_internal.detached_mirror;
SELECT * FROM pipedrive_internal.detached_view ORDER BY kind;
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.deals'')');
CALL sim.mutate(format('[{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-03T09:00:00Z", "fields": {"stage_id": %s}},
                         {"action": "create", "entity": "deals", "at": "2026-04-03T09:00:00Z", "fields": {"title": "Meanwhile"}},
                         {"action": "delete", "entity": "deals", "id": 3, "at": "2026-04-03T09:00:00Z"}]', :stage_b)::jsonb);
SET client_min_messages = notice;
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
SET client_min_messages = warning;
SELECT count(*) FROM pipedrive_internal.detached_mirror;
SELECT view, kind FROM pipedrive_internal.mirror_view ORDER BY 2;
CALL pipedrive.sync();
CALL pipedrive.reconcile();
SELECT count(*) FILTER (WHERE title = 'Meanwhile') AS made, count(*) FILTER (WHERE id = 3) AS deleted, max(note) AS note FROM crm_mirror.deals;
SELECT step, stage_id IN (:stage_before, :stage_a, :stage_b) AS right_stage, left_at FROM sim.stages_of(1);
SELECT count(DISTINCT mirror_id) AS mirrors FROM pipedrive.changes;
SELECT field, count(*) FROM pipedrive.changes WHERE field IN ('note', 'is_deleted') GROUP BY 1;
SELECT count(*) = (SELECT count(*) FROM crm_mirror.deals) AS live FROM crm_mirror.deals_live;
-- A new IMPORT, with a column less, one more, and one of another type.
DROP SCHEMA crm CASCADE;
SELECT * FROM pipedrive.mirrors;
SELECT target, company_id FROM pipedrive_internal.detached_mirror ORDER BY target::text;
SELECT * FROM pipedrive_internal.detached_view ORDER BY kind;
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO crm;
ALTER FOREIGN TABLE crm.deals DROP COLUMN channel, DROP COLUMN probability, ADD COLUMN probability text;
ALTER FOREIGN TABLE crm.stages DROP COLUMN deal_probability;
SELECT sim.error('SELECT * FROM pipedrive.create_mirrors(''crm'')');
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
SELECT pipedrive.attach_mirror('crm.stages', 'crm_mirror.stages');
CALL pipedrive.sync('crm_mirror.stages');
SELECT attname FROM pg_attribute WHERE attrelid = 'crm_mirror.deals'::regclass AND attname ~ 'channel|probability|note|later' ORDER BY 1;
SELECT view, kind, has_table_privilege('public', view::oid, 'SELECT') AS public FROM pipedrive_internal.mirror_view ORDER BY 2;
SELECT step, stage_id IN (:stage_before, :stage_a, :stage_b) AS right_stage, left_at FROM sim.stages_of(1);
-- Columns that were ours are again once a foreign table has them, after however many others that had not; what somebody added stays theirs.
SELECT string_agg(attname, ', ' ORDER BY attname) FROM pg_attribute, pipedrive_internal.mirror WHERE attrelid = target AND attname = ANY (former_columns);
DROP SCHEMA crm CASCADE;
ALTER TABLE crm_mirror.deals DROP COLUMN next_activity_id;
ALTER TABLE crm_mirror.deals ADD COLUMN next_activity_id bigint;
UPDATE crm_mirror.deals SET next_activity_id = -1 WHERE id = 1;
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO crm;
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
SELECT pipedrive.attach_mirror('crm.stages', 'crm_mirror.stages');
SELECT mirror, column_name, reason FROM pipedrive.left_out_columns;
SELECT former_columns FROM pipedrive_internal.mirror;
CALL pipedrive.sync();
SELECT count(channel) = (SELECT count(channel) FROM crm.deals) AS channel, max(note) AS note, max(next_activity_id) AS theirs, count(next_activity_id) FROM crm_mirror.deals;
-- The same when the columns come back one by one, and what is left out because it is somebody's stays that after another detour.
ALTER FOREIGN TABLE crm.deals DROP COLUMN channel CASCADE, DROP COLUMN label_ids;
SELECT pipedrive.drop_mirror('crm.deals', false);
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
ALTER TABLE crm_mirror.deals DROP COLUMN label_ids;
ALTER TABLE crm_mirror.deals ADD COLUMN label_ids bigint[];
ALTER FOREIGN TABLE crm.deals ADD COLUMN channel bigint, ADD COLUMN label_ids bigint[];
SELECT * FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync('crm.deals');
SELECT column_name, reason FROM pipedrive.left_out_columns ORDER BY 1;
SELECT count(channel) = (SELECT count(channel) FROM crm.deals) AS channel, count(label_ids) AS label_ids, max(next_activity_id) AS theirs FROM crm_mirror.deals;
-- Views are known by what they are, not by their names: moved, renamed, dropped, and somebody else's in the place.
SELECT pipedrive.drop_mirror('crm.deals', false);
ALTER SCHEMA crm_mirror RENAME TO cm;
ALTER VIEW cm.owner_history RENAME TO who_had_it;
SELECT pipedrive.attach_mirror('crm.deals', 'cm.deals');
SELECT view, kind FROM pipedrive_internal.mirror_view ORDER BY kind;
SELECT pipedrive.drop_mirror('crm.deals', false);
ALTER SCHEMA cm RENAME TO crm_mirror;
ALTER VIEW crm_mirror.who_had_it RENAME TO owner_history;
DROP VIEW crm_mirror.deals_live, crm_mirror.stage_history;
CREATE VIEW crm_mirror.deals_live AS SELECT 'my own view'::text AS mine;
CREATE TABLE crm_mirror.stage_history (mine text);
SELECT * FROM pipedrive_internal.detached_view;
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
SELECT * FROM crm_mirror.deals_live;
SELECT view, kind FROM pipedrive_internal.mirror_view ORDER BY kind;
SELECT * FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync('crm.deals');
SELECT last_error FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.deals'::regclass;
SELECT pipedrive.drop_mirror('crm.deals', false);
SELECT * FROM crm_mirror.deals_live;
DROP VIEW crm_mirror.deals_live;
DROP TABLE crm_mirror.stage_history;
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
SELECT view, kind FROM pipedrive_internal.mirror_view ORDER BY kind;
CALL pipedrive.sync('crm.deals');
-- Another company's table is refused, whether its server was asked before or not; one that shows another company later writes nothing.
CREATE SERVER other FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'sim_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (api_token 'sim-token-admin');
CREATE FOREIGN TABLE crm.other_deals (id bigint, title text, update_time timestamptz) SERVER other OPTIONS (entity 'deals');
SELECT pipedrive.drop_mirror('crm.deals', false);
CREATE PROCEDURE sim.company(company bigint) LANGUAGE sql AS $$
    CALL sim.fault(jsonb_build_array(jsonb_build_object('match', '{"path_regex": "^/v1/users/me$"}'::jsonb, 'kind', 'status', 'status', 200,
        'body', jsonb_build_object('success', true, 'data', jsonb_build_object('id', 1, 'company_id', company)))))
$$;
CALL sim.company(222);
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.other_deals'', ''crm_mirror.deals'')');
SELECT server, company_id FROM pipedrive_internal.server_company ORDER BY 1;
SELECT pipedrive.create_mirror('crm.other_deals', 'crm_mirror.theirs');
CALL pipedrive.sync('crm.other_deals');
SELECT pipedrive.drop_mirror('crm.other_deals');
SELECT server, company_id FROM pipedrive_internal.server_company ORDER BY 1;
CALL sim.clear();
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.other_deals'', ''crm_mirror.deals'')');
SELECT * FROM sim.journal();
SELECT target, company_id FROM pipedrive_internal.detached_mirror;
CALL sim.no_faults();
ALTER USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (SET api_token 'sim-token-admin'); -- ours after all
SELECT pipedrive.attach_mirror('crm.other_deals', 'crm_mirror.deals');
CALL sim.company(222);
ALTER USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (SET api_token 'sim-token-admin'); -- and another's again, before its first sync
SELECT count(*) AS before FROM crm_mirror.deals \gset
CALL pipedrive.sync('crm.other_deals');
SELECT count(*) = :before AS same FROM crm_mirror.deals;
CALL sim.no_faults();
SELECT pipedrive.drop_mirror('crm.other_deals', false);
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
CALL pipedrive.sync('crm.deals');
SELECT last_error FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.deals'::regclass;
DROP SERVER other CASCADE;
-- DROP EXTENSION takes the history with it, unless it was copied.
CREATE TABLE sim.changes AS TABLE pipedrive.changes;
DROP EXTENSION pipedrive_fdw CASCADE;
CREATE EXTENSION pipedrive_fdw;
SELECT url AS sim_url FROM sim.place \gset
CREATE SERVER crm FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'sim_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages, users) FROM SERVER crm INTO crm;
SELECT pipedrive.create_mirror('crm.users'); -- takes the first number
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals', 'sim.changes');
CALL pipedrive.sync('crm_mirror.deals');
SELECT step, stage_id IN (:stage_before, :stage_a, :stage_b) AS right_stage, left_at FROM sim.stages_of(1);
SELECT max(note) AS note, count(*) FILTER (WHERE title = 'Meanwhile') AS made FROM crm_mirror.deals;
SELECT last_error FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.deals'::regclass;
-- Refused.
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.deals'', ''crm_mirror.stages'')');
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.stages'', ''crm_mirror.deals'')');
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.stages'', ''crm_mirror.deals_live'')');
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.stages'', ''sim.changes'')');
SELECT sim.error('SELECT pipedrive.attach_mirror(''sim.changes'', ''crm_mirror.stages'')');
SELECT pipedrive.drop_mirror('crm.users', false);
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.stages'', ''crm_mirror.users'')');
SELECT pipedrive.drop_mirror('crm.deals', false);
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.deals'', ''crm_mirror.deals'', ''sim.changes'')');
INSERT INTO sim.changes SELECT mirror_id + 1000, entity, id, field, old_value, new_value, changed_at, change_source, recorded_at FROM sim.changes;
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.deals'', ''crm_mirror.deals'', ''sim.changes'')');
-- Nor a table that could not be synced.
CREATE TABLE sim.t_identity (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE sim.t_source (id bigint PRIMARY KEY, _source integer);
CREATE TABLE sim.t_synced_at (id bigint PRIMARY KEY, _synced_at timestamptz GENERATED ALWAYS AS (NULL) STORED);
CREATE TABLE sim.t_filled (id bigint PRIMARY KEY, name text NOT NULL, mine text NOT NULL);
CREATE UNLOGGED TABLE sim.t_unlogged (id bigint PRIMARY KEY);
CREATE TABLE sim.t_parent (id bigint PRIMARY KEY);
CREATE TABLE sim.t_child (PRIMARY KEY (id)) INHERITS (sim.t_parent);
CREATE TEMP TABLE t_temporary (id bigint PRIMARY KEY);
CREATE TABLE sim.t_integer (id integer PRIMARY KEY);
CREATE TABLE sim.t_well (id bigint PRIMARY KEY, name text NOT NULL, mine text NOT NULL DEFAULT '', order_nr bigint GENERATED ALWAYS AS IDENTITY);
SELECT sim.error(format('SELECT pipedrive.attach_mirror(''crm.stages'', %L)', c.oid::regclass)) FROM pg_class c WHERE c.relkind = 'r' AND c.relname LIKE 't\_%' AND c.relname <> 't_well' AND c.relnamespace IN ('sim'::regnamespace, pg_my_temp_schema()) ORDER BY c.relname COLLATE "C";
SELECT pipedrive.attach_mirror('crm.stages', 'sim.t_well');
CALL pipedrive.sync('crm.stages');
SELECT count(*) > 0 AS filled, count(pipeline_id) = count(*) AS well FROM sim.t_well;
SELECT column_name, reason FROM pipedrive.left_out_columns WHERE mirror = 'sim.t_well'::regclass;
SELECT pipedrive.drop_mirror('crm.stages');
DROP TABLE crm_mirror.users;
SELECT target FROM pipedrive_internal.detached_mirror;
DROP SCHEMA crm_mirror CASCADE;
SELECT target FROM pipedrive_internal.detached_mirror;
