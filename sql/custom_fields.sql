\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Custom fields: names, labels, parts, and what happens to them over time.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons, organizations) FROM SERVER crm INTO crm;
CREATE VIEW sim.columns AS
SELECT s.nspname AS schema, c.relname AS entity, a.attnum AS n, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS sql_type, col_description(c.oid, a.attnum) AS comment,
       (SELECT option_value FROM pg_options_to_table(a.attfdwoptions) WHERE option_name = 'field') AS field,
       coalesce((SELECT option_value FROM pg_options_to_table(a.attfdwoptions) WHERE option_name = 'subfield'), '') AS part,
       (SELECT option_value FROM pg_options_to_table(a.attfdwoptions) WHERE option_name = 'type') AS type
  FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace
 WHERE c.relkind = 'f' AND a.attnum > 0 AND NOT a.attisdropped;
-- Names: readable, unique, none longer than 63 bytes, none equal to a standard column.
SELECT entity, name, sql_type, comment FROM sim.columns WHERE type IS NOT NULL ORDER BY entity, n;
SELECT entity, count(*) AS columns, count(DISTINCT name) AS names, max(octet_length(name::text)) AS longest, count(DISTINCT field) AS fields FROM sim.columns WHERE type IS NOT NULL GROUP BY entity ORDER BY entity;
-- Every custom field of the account has a column, under its code.
SELECT f.key, count(*) AS missing FROM jsonb_each(sim.call('GET', 'fields')::jsonb) AS f, jsonb_array_elements(f.value) AS d
 WHERE f.key IN (SELECT entity FROM sim.columns) AND NOT EXISTS (SELECT FROM sim.columns AS c WHERE c.entity = f.key AND c.field = d ->> 'field_code' AND c.type = d ->> 'field_type') GROUP BY 1;
SELECT field FROM sim.columns WHERE type IS NOT NULL AND field !~ '^[0-9a-f]{40}$';
-- They need no quotes unless the letters do.
SELECT name FROM sim.columns WHERE quote_ident(name) <> name AND name !~ '[^[:ascii:]]';
-- Labels of single and multiple options; options deleted in Pipedrive show their id.
SELECT priority, count(*) FROM crm.deals GROUP BY 1 ORDER BY 1;
SELECT id, interests FROM crm.deals WHERE interests IS NOT NULL ORDER BY id LIMIT 8;
SELECT DISTINCT unnest(interests) AS interest FROM crm.deals ORDER BY 1;
SELECT name, seniority, languages FROM crm.persons WHERE seniority IS NOT NULL AND languages IS NOT NULL ORDER BY id LIMIT 5;
SELECT tier, count(*) FROM crm.organizations GROUP BY 1 ORDER BY 1;
SELECT labels, count(*) FROM crm.deals GROUP BY 1 ORDER BY 1;
SELECT is_archived, id, priority, labels FROM crm.deals WHERE id IN (9, 10, 22, 34, 46, 58) ORDER BY id;
-- WHERE on labels is checked here.
SELECT sim.plan('SELECT id FROM crm.deals WHERE priority = ''High'' AND status = ''open''');
SELECT id, priority FROM crm.deals WHERE priority = 'High' AND status = 'open' ORDER BY id;
SELECT count(*) FROM crm.deals WHERE priority = 'high';
SELECT count(*) FROM crm.deals WHERE 'Hosting' = ANY (interests);
SELECT count(*) FROM crm.deals WHERE interests @> ARRAY['Hosting', 'Support'];
SELECT count(*) FROM crm.deals WHERE priority IS NULL;
SELECT id FROM crm.deals WHERE priority = '[1004]' ORDER BY id;
-- Names in other scripts.
SELECT id, источник FROM crm.deals WHERE источник IS NOT NULL ORDER BY id LIMIT 3;
-- Parts of fields.
SELECT id, call_window, call_window_until, call_window_timezone FROM crm.deals WHERE call_window IS NOT NULL ORDER BY id LIMIT 4;
SELECT id, call_at, call_at_timezone FROM crm.deals WHERE call_at IS NOT NULL ORDER BY id LIMIT 3;
SELECT id, delivery_address, delivery_address_address ->> 'country' AS country, delivery_address_address ->> 'postal_code' AS code FROM crm.deals WHERE delivery_address IS NOT NULL ORDER BY id LIMIT 4;
SELECT id, salary, salary_currency FROM crm.persons WHERE salary IS NOT NULL ORDER BY id LIMIT 7;
SELECT id, fiscal_year, fiscal_year_until FROM crm.organizations WHERE fiscal_year IS NOT NULL ORDER BY id LIMIT 3;
SELECT id FROM crm.deals WHERE call_at > '10:00' AND signed_on < '2026-01-01' ORDER BY id;
-- The whole object stays the same whatever else is wanted.
SELECT count(*) FROM (SELECT id, custom_fields FROM crm.deals) AS a JOIN (SELECT id, custom_fields, priority, interests FROM crm.deals) AS b USING (id)
 WHERE a.custom_fields IS DISTINCT FROM b.custom_fields;
SELECT sum((SELECT count(*) FROM jsonb_each(d.custom_fields) AS c WHERE c.value <> 'null' AND c.value IS DISTINCT FROM r.data -> 'custom_fields' -> c.key)) AS different FROM crm.deals AS d JOIN sim.rows('deals') AS r USING (id);
-- Up to 15 fields are asked for by name, more are all asked for.
CREATE FUNCTION sim.first_columns(n int) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(quote_ident(name), ', ' ORDER BY c.n) FROM (SELECT DISTINCT ON (field) name, n FROM sim.columns WHERE schema = 'crm' AND entity = 'deals' AND type NOT IN ('enum', 'set') AND part = '' ORDER BY field, n) AS c
     WHERE c.n IN (SELECT min(n) FROM sim.columns WHERE schema = 'crm' AND entity = 'deals' AND type NOT IN ('enum', 'set') AND part = '' GROUP BY field ORDER BY 1 LIMIT first_columns.n)
$$;
SELECT n, CASE WHEN r LIKE '%custom_fields=%' THEN array_length(string_to_array(split_part(split_part(r, 'custom_fields=', 2), '&', 1), ','), 1) END AS keys
  FROM unnest(ARRAY[1, 14, 15, 16, 20]) AS n, sim.requests(format('SELECT %s FROM crm.deals WHERE NOT is_archived', sim.first_columns(n))) AS r;
-- Two columns of one field are one key.
SELECT count(*) FROM sim.requests('SELECT call_window, call_window_until, call_window_timezone FROM crm.deals WHERE NOT is_archived') AS r WHERE r ~ 'custom_fields=[0-9a-f]{40}&limit';
-- Archived deals come without labels: those come from the definitions, which a session reads at most once.
CALL sim.mutate('{"action": "archive", "id": 5}');
-- (Where the API leaves unset fields out, every scan asks whether they still exist.)
CALL sim.switch('{"custom_null_keys": "null"}');
\c -
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT regexp_replace(r, '=[0-9a-f]{40}', '=(field)') AS request FROM sim.requests('SELECT interests FROM crm.deals') AS r;
SELECT count(*) <= 1 AS once FROM sim.requests('SELECT id, interests FROM crm.deals', true) AS r WHERE r LIKE '%Fields%';
SELECT count(*) AS again FROM sim.requests('SELECT id, interests FROM crm.deals', true) AS r WHERE r LIKE '%Fields%';
SELECT id, источник, labels, interests FROM crm.deals WHERE is_archived ORDER BY id;
-- The same rows have the same labels, archived or not.
CREATE TEMP TABLE before AS SELECT id, priority, interests, источник, labels FROM crm.deals;
CALL sim.mutate('[{"action": "archive", "id": 1}, {"action": "archive", "id": 2}, {"action": "archive", "id": 3}, {"action": "archive", "id": 4}, {"action": "archive", "id": 5}, {"action": "archive", "id": 6}]');
SELECT count(*) AS different FROM before FULL JOIN crm.deals AS d USING (id) WHERE (before.priority, before.interests, before.источник, before.labels) IS DISTINCT FROM (d.priority, d.interests, d.источник, d.labels);
SELECT count(*) FROM crm.deals WHERE is_archived;
CALL sim.reset();
-- Labels, ids, or both.
CREATE SCHEMA ids;
CREATE SCHEMA both_;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO ids OPTIONS (labels 'id');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO both_ OPTIONS (labels 'both');
SELECT schema, name, sql_type, part FROM sim.columns WHERE entity = 'deals' AND comment LIKE 'Custom field "%(enum)%' OR comment LIKE 'Custom field "Interests"%' AND entity = 'deals' ORDER BY schema, n;
SELECT DISTINCT l.priority, i.priority AS id FROM crm.deals AS l JOIN ids.deals AS i USING (id) WHERE l.priority IS NOT NULL ORDER BY 2;
SELECT count(*) AS different FROM crm.deals AS l JOIN ids.deals AS i USING (id) JOIN both_.deals AS b USING (id)
 WHERE (l.priority, i.priority, l.interests, i.interests) IS DISTINCT FROM (b.priority, b.priority_id, b.interests, b.interests_id);
SELECT regexp_replace(r, '=[0-9a-f]{40}', '=(field)') AS request FROM sim.requests('SELECT priority FROM ids.deals') AS r;
SELECT count(*) FROM ids.deals WHERE priority = 1002;
DROP SCHEMA ids, both_ CASCADE;
-- Fields are found by their code: a renamed one keeps its column.
SELECT id, score FROM crm.deals WHERE score IS NOT NULL ORDER BY id LIMIT 2;
CALL sim.field('{"action": "rename", "entity": "deals", "code": "Score", "name": "Fit"}');
SELECT id, score FROM crm.deals WHERE score IS NOT NULL ORDER BY id LIMIT 2;
CALL sim.reset();
-- A field added later has no column until it is given one; its values are in custom_fields.
CALL sim.field('{"action": "add", "entity": "deals", "name": "Colour", "type": "enum", "options": ["Red", "Blue"], "code": "00000000000000000000000000000000000000c0", "values": {}}');
CREATE TEMP TABLE colour AS SELECT o ->> 'id' AS id, o ->> 'label' AS label FROM jsonb_array_elements(sim.call('GET', 'fields')::jsonb -> 'deals') AS f, jsonb_array_elements(f -> 'options') AS o WHERE f ->> 'field_name' = 'Colour';
DO $$ BEGIN PERFORM sim.call('POST', 'mutate', format('{"action": "change", "entity": "deals", "id": 1, "fields": {"custom_fields": {"Colour": %s}}}', (SELECT id FROM colour WHERE label = 'Blue'))); END $$;
SELECT custom_fields ? '00000000000000000000000000000000000000c0' AS there FROM crm.deals WHERE id = 1;
-- By hand: with the type nothing needs to be looked up, without it the definitions are read at the first use.
\c -
SET client_min_messages = warning;
ALTER FOREIGN TABLE crm.deals ADD COLUMN colour text OPTIONS (field '00000000000000000000000000000000000000c0');
ALTER FOREIGN TABLE crm.deals ADD COLUMN colour_id bigint OPTIONS (field '00000000000000000000000000000000000000c0', subfield 'id');
ALTER FOREIGN TABLE crm.deals ADD COLUMN colour_typed text OPTIONS (field '00000000000000000000000000000000000000c0', type 'enum');
SELECT colour, colour_id - (SELECT min(colour_id) FROM crm.deals) AS offset, colour_typed FROM crm.deals WHERE id = 1;
SELECT sim.plan('SELECT colour FROM crm.deals WHERE id = 1');
CALL sim.reset();
-- Which parts a field has is known from its type.
CREATE FOREIGN TABLE crm.parts (id bigint, a text OPTIONS (field '5ae163e4f030aae7b4ece6eadd8e80d287b19e72', subfield 'currency', type 'double')) SERVER crm OPTIONS (entity 'deals');
SELECT sim.error('SELECT a FROM crm.parts');
-- Accounts without custom fields.
DO $$ BEGIN PERFORM sim.call('POST', 'fields', (SELECT jsonb_agg(jsonb_build_object('action', 'remove', 'entity', 'organizations', 'code', f ->> 'field_code')) FROM jsonb_array_elements(sim.call('GET', 'fields')::jsonb -> 'organizations') AS f)::text); END $$;
CREATE SCHEMA bare;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (organizations) FROM SERVER crm INTO bare;
SELECT count(*) FROM sim.columns WHERE schema = 'bare' AND type IS NOT NULL;
SELECT id, name, coalesce(custom_fields, '{}') AS custom_fields FROM bare.organizations WHERE id = 3;
CALL sim.reset();
DROP SCHEMA bare CASCADE;
-- A field that was deleted in Pipedrive is an error for its column and only there, never a column of NULLs.
CALL sim.switch('{"unknown_custom_key": "ignore"}');
CALL sim.field('{"action": "remove", "entity": "deals", "code": "Score"}');
\c -
SET client_min_messages = warning;
SELECT l FROM regexp_split_to_table(sim.error('SELECT score FROM crm.deals'), '\n') AS l WHERE l !~ 'HINT';
SELECT count(title) FROM crm.deals;
CALL sim.switch('{"unknown_custom_key": "400"}');
SELECT l FROM regexp_split_to_table(sim.error('SELECT score FROM crm.deals'), '\n') AS l WHERE l !~ 'HINT';
CALL sim.reset();
