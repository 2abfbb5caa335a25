\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Fields that change in Pipedrive while a session is at work: before a refresh a right answer or a clear error, never a
-- silently wrong or NULL column; after refresh_schema() the tables are as the account is.
--
CREATE FUNCTION sim.code(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT repeat('c', 38) || lpad(n::text, 2, '0') $$;
CREATE PROCEDURE sim.deal_field(action text, n int, more jsonb DEFAULT '{}') LANGUAGE sql AS $$
    SELECT sim.call('POST', 'fields', (jsonb_build_object('action', action, 'entity', 'deals', 'code', sim.code(n), 'options', '[]'::jsonb) || more)::text)
$$;
-- Deals 1 and 2 are in the ordinary list, 5 becomes archived.
CALL sim.mutate('[{"action": "archive", "id": 5}]');
CALL sim.deal_field('add', 1, '{"name": "Colour", "type": "enum"}');
CALL sim.deal_field('add_option', 1, '{"option_id": 92001, "label": "Red"}');
CALL sim.deal_field('add_option', 1, '{"option_id": 92002, "label": "Blue"}');
CALL sim.deal_field('add', 2, '{"name": "Size", "type": "varchar", "values": {"1": "7", "2": "12", "5": "9"}}');
CALL sim.deal_field('add', 3, '{"name": "Doomed", "type": "varchar", "values": {"1": "here", "5": "there"}}');
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 1, "touch": false, "fields": {"custom_fields": {"Colour": 92001}}},
                  {"action": "change", "entity": "deals", "id": 2, "touch": false, "fields": {"custom_fields": {"Colour": 92002}}},
                  {"action": "change", "entity": "deals", "id": 5, "touch": false, "fields": {"custom_fields": {"Colour": 92001}}}]');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO crm;
CREATE VIEW sim.mine AS
SELECT c.attname, format_type(a.atttypid, a.atttypmod) AS type, right(c.field, 2) AS field, c.subfield, c.removed, col_description(c.relation, c.attnum) AS comment
  FROM pipedrive_internal.table_columns AS c JOIN pg_attribute AS a ON a.attrelid = c.relation AND a.attnum = c.attnum
 WHERE c.relation = 'crm.deals'::regclass AND c.field LIKE 'cccc%' ORDER BY c.attnum;
-- Changes of our fields; codes by their last two digits.
CREATE FUNCTION sim.changes() RETURNS TABLE (table_name regclass, column_name name, change text, detail text, statement text) LANGUAGE sql AS $$
    SELECT f.table_name, f.column_name, f.change, f.detail, replace(f.statement, repeat('c', 38), '..') FROM pipedrive.field_changes('crm') AS f
$$;
CREATE FUNCTION sim.refresh(renames boolean DEFAULT false, drops boolean DEFAULT false) RETURNS TABLE (table_name regclass, column_name name, change text, statement text) LANGUAGE sql AS $$
    SELECT f.table_name, f.column_name, f.change, replace(f.statement, repeat('c', 38), '..') FROM pipedrive.refresh_schema('crm', renames, drops) AS f
$$;
-- Nothing has changed: nothing to tell, nothing to do.
SELECT * FROM sim.changes();
SELECT * FROM sim.refresh();
SELECT * FROM sim.mine;
-- What stands on the table from now on.
CREATE VIEW sim.report AS SELECT id, colour, size, doomed FROM crm.deals WHERE id IN (1, 2, 5);
PREPARE by_size(text) AS SELECT id, colour, size FROM crm.deals WHERE size = $1 ORDER BY id;
PREPARE wide AS SELECT id, colour, size, doomed FROM crm.deals WHERE id IN (1, 2, 5) ORDER BY id;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_size('7');
EXECUTE wide;
SELECT * FROM sim.report ORDER BY id;
--
-- Added: reachable at once in custom_fields, a column after the refresh.
--
CALL sim.deal_field('add', 4, '{"name": "Weight", "type": "monetary", "values": {"1": {"value": 12.5, "currency": "EUR"}}}');
SELECT custom_fields -> sim.code(4) ->> 'value' AS value FROM crm.deals WHERE id = 1;
SELECT sim.error('SELECT weight FROM crm.deals');
SELECT * FROM sim.changes();
SELECT * FROM sim.mine WHERE field = '04';
SELECT * FROM sim.refresh();
SELECT * FROM sim.mine WHERE field = '04';
SELECT weight, weight_currency FROM crm.deals WHERE id = 1;
SELECT count(*) FROM crm.deals WHERE weight > 12;
SELECT * FROM sim.changes();
-- A column by hand for a field that is newer than the table needs no refresh, and is not added again.
CALL sim.deal_field('add', 5, '{"name": "Height", "type": "double", "values": {"2": 3.25}}');
ALTER FOREIGN TABLE crm.deals ADD COLUMN tallness numeric OPTIONS (field 'cccccccccccccccccccccccccccccccccccccc05');
SELECT tallness FROM crm.deals WHERE id = 2;
SELECT * FROM sim.changes();
SELECT * FROM sim.refresh();
ALTER FOREIGN TABLE crm.deals DROP COLUMN tallness;
CALL sim.deal_field('remove', 5);
-- Two new fields whose names collide with each other and with a column that is there.
CALL sim.deal_field('add', 6, '{"name": "SIZE", "type": "double", "values": {"1": 6}}');
CALL sim.deal_field('add', 7, '{"name": "Same", "type": "varchar", "values": {"1": "one"}}');
CALL sim.deal_field('add', 8, '{"name": "same?", "type": "date", "values": {"1": "2026-03-01"}}');
SELECT * FROM sim.refresh();
SELECT attname, type FROM sim.mine WHERE field IN ('06', '07', '08');
SELECT * FROM sim.changes();
--
-- Renamed: the column keeps its name and its values; renaming it is a choice.
--
CALL sim.deal_field('rename', 2, '{"name": "Dimension"}');
EXECUTE by_size('7');
SELECT id, size FROM sim.report WHERE size IS NOT NULL ORDER BY id;
SELECT * FROM sim.changes();
SELECT * FROM sim.refresh(renames => true);
SELECT attname, field FROM sim.mine WHERE field = '02';
SELECT dimension FROM crm.deals WHERE id = 1;
SELECT sim.error($$EXECUTE by_size('7')$$); -- a statement is text
SELECT id, size FROM sim.report WHERE size IS NOT NULL ORDER BY id; -- a view goes by the column, not by its name
CALL sim.deal_field('rename', 2, '{"name": "Size"}');
SELECT * FROM sim.refresh(renames => true);
-- Not renamed: said once, then the new name is the known one.
CALL sim.deal_field('rename', 4, '{"name": "Mass"}');
SELECT * FROM sim.refresh();
SELECT * FROM sim.changes();
SELECT weight, weight_currency FROM crm.deals WHERE id = 1;
--
-- Options: relabelled, added, removed. Labels follow at once; the catalogue, which archived deals need, with the refresh.
--
CALL sim.deal_field('relabel_option', 1, '{"option_id": 92001, "label": "Crimson"}');
EXECUTE wide; -- both lists in one scan: what one sends tells that the catalogue is old
SELECT id, colour FROM crm.deals WHERE colour = 'Crimson' ORDER BY id;
CALL sim.deal_field('add_option', 1, '{"option_id": 92003, "label": "Green"}');
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 5, "touch": false, "fields": {"custom_fields": {"Colour": 92003}}}]');
SELECT id, colour FROM crm.deals WHERE is_archived AND id = 5; -- an id that the catalogue lacks: read again
CALL sim.deal_field('remove_option', 1, '{"option_id": 92002}');
SELECT id, colour FROM crm.deals WHERE id = 2; -- the catalogue still knows its label
SELECT * FROM sim.changes();
SELECT * FROM sim.refresh();
SELECT * FROM sim.changes();
SET client_min_messages = notice;
SELECT id, colour FROM crm.deals WHERE id = 2; -- nobody knows it any more: the id in brackets, and one notice
SELECT id, colour FROM crm.deals WHERE id = 2;
SET client_min_messages = warning;
SELECT id, colour FROM sim.report ORDER BY id;
--
-- Another session refreshes: this one's labels follow.
--
SELECT id, colour FROM crm.deals WHERE is_archived AND id = 5;
CALL sim.deal_field('relabel_option', 1, '{"option_id": 92003, "label": "Emerald"}');
\setenv REFRESH_DB :DBNAME
\! psql -X -A -t -q -d "$REFRESH_DB" -c "SET client_min_messages = warning; SELECT change, column_name FROM pipedrive.refresh_schema('crm')"
SELECT id, colour FROM crm.deals WHERE is_archived AND id = 5;
--
-- Removed: an error that names the column, in every way to read it, until a refresh. In a session of its own: where the
-- API leaves unset fields out, one that has just read the definitions keeps what it has learnt for an hour.
--
\c -
SET client_min_messages = warning;
SET plan_cache_mode = force_generic_plan;
PREPARE by_size(text) AS SELECT id, colour, size FROM crm.deals WHERE size = $1 ORDER BY id;
PREPARE wide AS SELECT id, colour, size, doomed FROM crm.deals WHERE id IN (1, 2, 5) ORDER BY id;
CALL sim.deal_field('remove', 3);
SELECT sim.error('SELECT doomed FROM crm.deals');
SELECT sim.error('SELECT id FROM crm.deals WHERE doomed IS NULL');
SELECT sim.error('SELECT * FROM crm.deals');                             -- more than 15 custom columns
SELECT sim.error('SELECT doomed FROM crm.deals WHERE is_archived');
SELECT sim.error('SELECT doomed, custom_fields FROM crm.deals WHERE id = 1');
SELECT sim.error('EXECUTE wide');
SELECT sim.error('SELECT * FROM sim.report');
SELECT id, colour, size FROM sim.report ORDER BY id;                     -- what does not need it goes on
EXECUTE by_size('7');
SELECT * FROM sim.changes();
SELECT * FROM sim.refresh();
SELECT attname, removed FROM sim.mine WHERE field = '03';
EXECUTE wide;                                                            -- reads NULL by declaration now
SELECT count(*), count(doomed) FROM crm.deals;
SELECT * FROM sim.requests('SELECT doomed FROM crm.deals WHERE id = 1'); -- and is not asked for
SELECT * FROM sim.changes();                                             -- still tells what can be dropped
SELECT * FROM sim.refresh();                                             -- and does nothing
-- Restored under the same code.
CALL sim.deal_field('add', 3, '{"name": "Doomed", "type": "varchar", "values": {"1": "back"}}');
SELECT * FROM sim.changes();
SELECT * FROM sim.refresh();
SELECT attname, removed FROM sim.mine WHERE field = '03';
EXECUTE wide;
SELECT * FROM sim.changes();
--
-- Dropping: a dependent object stands in the way, is named, and nothing changes.
--
CALL sim.deal_field('remove', 3);
CALL sim.deal_field('add', 9, '{"name": "Ninth", "type": "varchar"}');
SELECT sim.error($$SELECT * FROM pipedrive.refresh_schema('crm', drop_removed => true)$$);
SELECT attname, removed FROM sim.mine WHERE field IN ('03', '09');
SELECT change, column_name FROM sim.changes();
DROP VIEW sim.report;
CREATE MATERIALIZED VIEW sim.frozen AS SELECT id, colour, size FROM crm.deals WHERE id IN (1, 2, 5);
SELECT * FROM sim.refresh(drops => true);
SELECT attname FROM sim.mine WHERE field IN ('03', '09');
SELECT sim.error('EXECUTE wide');
EXECUTE by_size('7');
--
-- Retyped: an error at the first value that shows it; the refresh replaces the column.
--
CALL sim.deal_field('retype', 2, '{"type": "double", "values": {"1": 7, "2": 12, "5": 9}}');
SELECT sim.error('SELECT size FROM crm.deals WHERE id = 1');
SELECT sim.error($$EXECUTE by_size('7')$$);
SELECT sim.error('REFRESH MATERIALIZED VIEW sim.frozen');
SELECT * FROM sim.frozen ORDER BY id;                                    -- as it was
SELECT * FROM sim.changes();
SELECT * FROM sim.refresh();                                             -- nothing that reads it is in the way
SELECT id, size_old FROM crm.deals WHERE id = 1;
SELECT attname FROM pg_attribute WHERE attrelid = 'sim.frozen'::regclass AND attnum > 0;
DROP MATERIALIZED VIEW sim.frozen;
SELECT * FROM sim.refresh();
ALTER FOREIGN TABLE crm.deals DROP COLUMN size_old;
SELECT attname, type, comment FROM sim.mine WHERE field = '02';
SELECT id, size FROM crm.deals WHERE size > 8 ORDER BY id;
SELECT sim.error($$EXECUTE by_size('7')$$);
DEALLOCATE by_size;
-- From one column to two and back.
CALL sim.deal_field('retype', 2, '{"type": "monetary", "values": {"1": {"value": 7, "currency": "EUR"}}}');
SELECT sim.error('SELECT size FROM crm.deals WHERE id = 1');
SELECT * FROM sim.refresh();
SELECT size, size_currency FROM crm.deals WHERE id = 1;
CALL sim.deal_field('retype', 2, '{"type": "varchar", "values": {"1": "seven"}}');
SELECT sim.error('SELECT size_currency FROM crm.deals WHERE id = 1');
SELECT * FROM sim.refresh();
SELECT size FROM crm.deals WHERE id = 1;
--
-- In the middle of a scan: between two pages the field goes. (Where unset fields are left out nothing would show it.)
--
CALL sim.switch('{"custom_null_keys": "null"}');
\c -
SET client_min_messages = warning;
ALTER FOREIGN TABLE crm.deals OPTIONS (ADD page_size '10');
CALL sim.on_request(jsonb_build_object('after_request_matching', '{"path_regex": "deals$", "nth": 2}'::jsonb, 'when', 'after', 'mutations', jsonb_build_array(jsonb_build_object('action', 'remove', 'entity', 'deals', 'code', sim.code(2)))));
SELECT sim.error('SELECT id, size FROM crm.deals');
SELECT sim.call('DELETE', 'on_request');
ALTER FOREIGN TABLE crm.deals OPTIONS (DROP page_size);
--
-- Tables that were imported otherwise: their ways are kept.
--
DROP SCHEMA crm CASCADE;
CREATE SCHEMA crm;
CALL sim.reset();
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO crm OPTIONS (labels 'both');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (organizations) FROM SERVER crm INTO crm OPTIONS (custom_fields 'false');
CREATE FOREIGN TABLE crm.mine (id bigint, deal_title text OPTIONS (field 'title')) SERVER crm OPTIONS (entity 'persons');
CALL sim.deal_field('add', 1, '{"name": "Colour", "type": "enum"}');
CALL sim.field(jsonb_build_object('action', 'add', 'entity', 'organizations', 'name', 'Unwanted', 'type', 'varchar', 'code', sim.code(2)));
SELECT * FROM sim.refresh();
-- Built-in fields that the account did not have.
DROP SCHEMA crm CASCADE;
CREATE SCHEMA crm;
CALL sim.switch('{"plan_fields": "basic"}');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO crm;
CALL sim.switch('{"plan_fields": "all"}');
SELECT * FROM sim.refresh();
SELECT count(acv) > 0 AS has_values FROM crm.deals;
SELECT * FROM sim.refresh();
--
-- Who may: the owner of the tables, with a mapping of his own or the public one.
--
CREATE ROLE regress_refresher;
GRANT USAGE ON SCHEMA crm, sim, pipedrive TO regress_refresher;
GRANT SELECT ON crm.deals TO regress_refresher;
SET ROLE regress_refresher;
SELECT sim.error($$SELECT * FROM pipedrive.field_changes('crm')$$);
RESET ROLE;
DROP OWNED BY regress_refresher;
DROP ROLE regress_refresher;
SELECT sim.error($$SELECT * FROM pipedrive.field_changes('no_such_schema')$$);
SELECT * FROM pipedrive.field_changes('public');
CALL sim.reset();
