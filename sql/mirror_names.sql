\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Names of mirrors: quoted ones, long ones, without a schema, and in a schema of somebody who may not make any.
--
\set SHOW_CONTEXT never
DROP SCHEMA IF EXISTS crm_mirror, "My ""Schema""", "My ""Schema""_mirror", "My ""Schema""_dashboards", "Other place", bare CASCADE;
DROP ROLE IF EXISTS regress_mirror_maker;
CREATE SCHEMA "My ""Schema""";
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages, pipelines, users) FROM SERVER crm INTO "My ""Schema""";
SELECT * FROM pipedrive.create_mirrors('"My ""Schema"""');
SELECT v.view, v.kind FROM pipedrive_internal.mirror_view v ORDER BY v.view::text;
SELECT * FROM pipedrive.create_dashboards('"My ""Schema""_mirror"');
CALL pipedrive.sync('"My ""Schema""_mirror".stages');
SELECT count(*) > 0 AS filled FROM "My ""Schema""_mirror".stages;
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror WHERE entity = 'deals'; -- what reads it is named
DROP SCHEMA "My ""Schema""_dashboards" CASCADE;
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
SELECT count(*) AS left_over FROM pg_class WHERE relnamespace = '"My ""Schema""_mirror"'::regnamespace;
-- Names of places are spelled as in SQL.
SELECT * FROM pipedrive.create_mirrors('"My ""Schema"""', '"Other place"');
SELECT sim.error($$SELECT pipedrive.create_mirrors('"My ""Schema"""', 'Other place')$$);
SELECT sim.error($$SELECT pipedrive.create_mirrors('"My ""Schema"""', 'a.b')$$);
SELECT sim.error($$SELECT pipedrive.create_mirrors('"My ""Schema"""', '')$$);
SELECT sim.error($$SELECT pipedrive.create_dashboards('"Other place"', 'Dash Board')$$);
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages, users) FROM SERVER crm INTO crm;
SELECT pipedrive.create_mirror('crm.stages', 'my_stages');
SELECT pipedrive.create_mirror('crm.deals', '"My deals"');
SELECT pipedrive.create_mirror('crm.users', '"Other place"."The users"');
SELECT view, kind FROM pipedrive_internal.mirror_view ORDER BY 1;
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.stages'', ''a.b.c'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.stages'', '''')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.stages'', ''x (id int); DROP SCHEMA crm CASCADE; --'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.stages'', ''nowhere.stages'')');
-- Nothing temporary: it is gone with the session, and no event tells it.
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.stages'', ''pg_temp.stages'')');
SELECT regexp_replace(sim.error(format('SELECT pipedrive.create_mirror(''crm.stages'', ''%s.stages'')', pg_my_temp_schema()::regnamespace)), 'pg_temp_[0-9]+', 'pg_temp_N', 'g');
SELECT sim.error(format('SELECT pipedrive.create_mirrors(''crm'', ''%s'')', pg_my_temp_schema()::regnamespace));
CREATE FOREIGN TABLE pg_temp.my_stages (id bigint, name text) SERVER crm OPTIONS (entity 'stages');
SELECT sim.error('SELECT pipedrive.create_mirror(''my_stages'', ''crm_mirror.my_stages'')');
DROP FOREIGN TABLE pg_temp.my_stages;
SELECT count(*) FROM pipedrive_internal.mirror;
-- A mirror whose table is gone although nobody was told: the others go on, and it can be forgotten, or made anew.
SELECT pipedrive.create_mirror('crm.stages');
SELECT pipedrive.create_mirror('crm.users');
ALTER EVENT TRIGGER pipedrive_forget_mirror DISABLE;
DROP TABLE crm_mirror.stages, crm_mirror.users;
ALTER EVENT TRIGGER pipedrive_forget_mirror ENABLE;
SELECT pipedrive.create_mirror('crm.deals');
CALL pipedrive.sync();
SELECT source, rows, last_error FROM pipedrive.mirrors WHERE source <> 'crm.deals'::regclass ORDER BY 1;
SELECT count(*) > 0 AS filled FROM crm_mirror.deals;
CALL pipedrive.sync('crm.stages');
CALL pipedrive.reconcile();
SELECT * FROM pipedrive.refresh_schema('crm', drop_removed => true);
SELECT pipedrive.drop_mirror('crm.stages');
SELECT pipedrive.create_mirror('crm.users');
SELECT source, target FROM pipedrive_internal.mirror ORDER BY source::text;
-- So is the list of deleted deals made anew.
DROP FOREIGN TABLE crm_mirror._deals_deleted;
CALL pipedrive.sync();
SELECT deleted_source FROM pipedrive_internal.mirror WHERE entity = 'deals';
SELECT last_error FROM pipedrive.mirrors WHERE entity = 'deals';
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
-- A name that leaves no room for an ending.
ALTER FOREIGN TABLE crm.deals RENAME TO deals_3456789_123456789_123456789_123456789_123456789_123456789;
SELECT octet_length(relname) FROM pg_class WHERE relname LIKE 'deals\_34%';
SELECT pipedrive.create_mirror('crm.deals_3456789_123456789_123456789_123456789_123456789_123456789');
SELECT c.relname, c.relkind FROM pg_class c WHERE c.relnamespace = 'crm_mirror'::regnamespace AND c.relkind <> 'i' ORDER BY c.relname COLLATE "C";
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
SELECT count(*) AS left_over FROM pg_class WHERE relnamespace = 'crm_mirror'::regnamespace;
SELECT pipedrive_internal.derived_name(repeat('ä', 40), '_mirror') = repeat('ä', 28) || '_mirror' AS whole_characters, pipedrive_internal.derived_name('', 'x', 'y');
-- Who may create in the schema needs no right on the database.
CREATE ROLE regress_mirror_maker;
SELECT pipedrive.grant_mirrors('regress_mirror_maker');
GRANT USAGE ON SCHEMA crm, sim TO regress_mirror_maker;
GRANT USAGE ON FOREIGN SERVER crm TO regress_mirror_maker;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO regress_mirror_maker;
REVOKE SELECT ON crm.users FROM regress_mirror_maker;
GRANT USAGE, CREATE ON SCHEMA crm_mirror TO regress_mirror_maker;
SET ROLE regress_mirror_maker;
SELECT has_database_privilege(current_database(), 'CREATE') AS may_create_schemas;
SELECT pipedrive.create_mirror('crm.stages');
SELECT sim.error($$SELECT pipedrive.create_mirror('crm.users')$$);
RESET ROLE;
GRANT SELECT ON crm.users TO regress_mirror_maker;
SET ROLE regress_mirror_maker;
SELECT * FROM pipedrive.create_mirrors('crm');
RESET ROLE;
DROP OWNED BY regress_mirror_maker;
DROP ROLE regress_mirror_maker;
SET client_min_messages = warning;
DROP SCHEMA crm_mirror, "My ""Schema""", "My ""Schema""_mirror", "Other place" CASCADE;
