\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- IMPORT FOREIGN SCHEMA.
--
SELECT regexp_replace(r, '^GET ', '') FROM sim.requests('IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm', true) AS r;
CREATE VIEW sim.columns AS
SELECT s.nspname AS schema, c.relname AS entity, a.attnum AS n, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS sql_type, a.attnotnull AS not_null, col_description(c.oid, a.attnum) AS comment,
       (SELECT string_agg(option_name || ' ' || option_value, ', ' ORDER BY option_name) FROM pg_options_to_table(a.attfdwoptions)) AS options
  FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace
 WHERE c.relkind = 'f' AND a.attnum > 0 AND NOT a.attisdropped;
SELECT c.relname, t.ftoptions, obj_description(c.oid) FROM pg_class AS c JOIN pg_foreign_table AS t ON t.ftrelid = c.oid WHERE c.relnamespace = 'crm'::regnamespace ORDER BY 1;
SELECT entity, name, sql_type, options FROM sim.columns WHERE entity IN ('activities', 'pipelines', 'stages', 'users') ORDER BY entity, n;
SELECT entity, name, sql_type, options FROM sim.columns WHERE entity IN ('deals', 'persons', 'organizations') AND coalesce(options, '') !~ 'type' ORDER BY entity, n;
SELECT count(*) AS without_comment FROM sim.columns WHERE comment IS NULL;
SELECT count(*) AS not_null FROM sim.columns WHERE not_null;
-- Types come from the catalogue that the views show.
SELECT c.entity, c.name, c.sql_type, e.type FROM sim.columns AS c LEFT JOIN pipedrive.entity_columns AS e ON e.entity = c.entity AND e.column_name = c.name
 WHERE coalesce(c.options, '') !~ 'type' AND replace(replace(c.sql_type, 'timestamp with time zone', 'timestamptz'), 'time without time zone', 'time') IS DISTINCT FROM e.type;
-- LIMIT TO and EXCEPT.
CREATE SCHEMA two;
SELECT regexp_replace(r, '^GET ', '') FROM sim.requests('IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages, persons) FROM SERVER crm INTO two', true) AS r;
SELECT DISTINCT entity FROM sim.columns WHERE schema = 'two' ORDER BY 1;
DROP SCHEMA two CASCADE; CREATE SCHEMA two;
SELECT regexp_replace(r, '^GET ', '') FROM sim.requests('IMPORT FOREIGN SCHEMA pipedrive EXCEPT (deals, persons, organizations) FROM SERVER crm INTO two', true) AS r;
SELECT DISTINCT entity FROM sim.columns WHERE schema = 'two' ORDER BY 1;
DROP SCHEMA two CASCADE; CREATE SCHEMA two;
-- Names that are none.
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deal) FROM SERVER crm INTO two;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, xyzzy) FROM SERVER crm INTO two;
IMPORT FOREIGN SCHEMA pipedrive EXCEPT (activites) FROM SERVER crm INTO two;
IMPORT FOREIGN SCHEMA public FROM SERVER crm INTO two;
IMPORT FOREIGN SCHEMA "Pipedrive" FROM SERVER crm INTO two;
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO nowhere;
SELECT count(*) FROM sim.columns WHERE schema = 'two';
-- Options.
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO two OPTIONS (custom_fields 'false', optional_fields 'false');
SELECT count(*), count(*) FILTER (WHERE options ~ 'type') AS custom, count(*) FILTER (WHERE name IN ('files_count', 'next_activity_id')) AS optional FROM sim.columns WHERE schema = 'two';
SELECT id, title FROM two.deals WHERE id = 2;
DROP SCHEMA two CASCADE; CREATE SCHEMA two;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO two OPTIONS (custom_fields 'no');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO two OPTIONS (custom_fields 'off', optional_fields 'on');
SELECT entity, count(*) FILTER (WHERE options ~ 'type') AS custom, count(*) FILTER (WHERE name = 'files_count') AS optional FROM sim.columns WHERE schema = 'two' GROUP BY 1 ORDER BY 1;
DROP SCHEMA two CASCADE; CREATE SCHEMA two;
-- The same account gives the same tables; a field renamed meanwhile gets its new name in new tables only.
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO two;
SELECT count(*) FROM (SELECT entity, n, name, sql_type, options, comment FROM sim.columns WHERE schema = 'crm' EXCEPT SELECT entity, n, name, sql_type, options, comment FROM sim.columns WHERE schema = 'two') AS d;
DROP SCHEMA two CASCADE; CREATE SCHEMA two;
CALL sim.field('{"action": "rename", "entity": "deals", "code": "Score", "name": "Fit"}');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO two;
SELECT schema, name FROM sim.columns WHERE entity = 'deals' AND name IN ('score', 'fit') ORDER BY 1;
SELECT count(*) AS different FROM crm.deals AS a JOIN two.deals AS b USING (id) WHERE a.score IS DISTINCT FROM b.fit;
CALL sim.reset();
-- Importing where a table is already: nothing of it remains.
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO two;
SELECT DISTINCT entity FROM sim.columns WHERE schema = 'two';
DROP SCHEMA two CASCADE;
-- A server and a schema with awkward names.
CREATE SERVER "c'r""m\" FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'sim_url');
CREATE USER MAPPING FOR PUBLIC SERVER "c'r""m\" OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA "sch ""e' ma\";
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages, deals) FROM SERVER "c'r""m\" INTO "sch ""e' ma\";
SELECT count(*), count(x_drop_table_deals) FROM "sch ""e' ma\".deals;
SELECT obj_description('"sch ""e'' ma\".stages'::regclass);
DROP SCHEMA "sch ""e' ma\" CASCADE;
