\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Every type of custom field, in every shape of the API, under every label mode: from the record's JSON to the columns.
-- Shapes: rest (v2 lists), flat (v1 leads: the parts of a value are keys of the record), webhook (v2 events).
--
DROP SCHEMA IF EXISTS shapes_label, shapes_id, shapes_both CASCADE;
CREATE SCHEMA shapes_label; CREATE SCHEMA shapes_id; CREATE SCHEMA shapes_both;
-- One field of each type that users can create; each has its own name and code.
CREATE FUNCTION sim.code(type text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT left(md5('code of ' || type) || md5(type), 40) $$;
CREATE TABLE sim.types (n int GENERATED ALWAYS AS IDENTITY, type text PRIMARY KEY);
INSERT INTO sim.types (type) VALUES ('varchar'), ('varchar_auto'), ('text'), ('phone'), ('double'), ('monetary'), ('date'), ('daterange'),
    ('time'), ('timerange'), ('address'), ('enum'), ('set'), ('user'), ('org'), ('people');
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT type FROM sim.types ORDER BY n LOOP
        CALL sim.field(jsonb_build_object('action', 'add', 'entity', 'deals', 'name', 'X ' || t.type, 'type', t.type, 'code', sim.code(t.type), 'options', '[]'::jsonb));
    END LOOP;
    FOR t IN SELECT code, id, label FROM unnest(ARRAY['enum', 'set']) AS code, (VALUES (91001, 'Red'), (91002, 'Blue, "dark"'), (91003, '')) AS o (id, label) LOOP
        CALL sim.field(jsonb_build_object('action', 'add_option', 'entity', 'deals', 'code', sim.code(t.code), 'option_id', t.id, 'label', t.label));
    END LOOP;
END $$;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO shapes_label;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO shapes_id OPTIONS (labels 'id');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO shapes_both OPTIONS (labels 'both');
-- Types that only built-in fields have, by hand.
CREATE TABLE sim.rare (type text, sql_type text);
INSERT INTO sim.rare VALUES ('int', 'bigint'), ('boolean', 'boolean'), ('deal', 'bigint'), ('project', 'bigint'), ('stage', 'bigint'), ('activity', 'bigint'), ('lead', 'uuid'),
    ('varchar_options', 'text'), ('status', 'text'), ('visible_to', 'bigint'), ('billing_frequency', 'text'), ('projects_board', 'bigint'), ('projects_phase', 'bigint'),
    ('deals', 'jsonb'), ('json', 'jsonb'), ('picture', 'jsonb'), ('price_list', 'jsonb');
INSERT INTO sim.types (type) SELECT type FROM sim.rare;
DO $$
BEGIN
    EXECUTE (SELECT string_agg(format('ALTER FOREIGN TABLE %I.deals ADD COLUMN %I %s OPTIONS (field %L, type %L)', s, 'x_' || type, sql_type, sim.code(type), type), ';')
               FROM sim.rare, unnest(ARRAY['shapes_label', 'shapes_id', 'shapes_both']) AS s);
END $$;
-- The columns of each type.
SELECT t.type, string_agg(c.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY c.attnum) AS columns
  FROM sim.types AS t JOIN pipedrive_internal.table_columns AS c ON c.relation = 'shapes_both.deals'::regclass AND c.field = sim.code(t.type)
  JOIN pg_attribute AS a ON a.attrelid = c.relation AND a.attnum = c.attnum
 GROUP BY t.n, t.type ORDER BY t.n;
SELECT c.relation::regclass, c.attname, format_type(a.atttypid, a.atttypmod) AS type, c.subfield
  FROM pipedrive_internal.table_columns AS c JOIN pg_attribute AS a ON a.attrelid = c.relation AND a.attnum = c.attnum
 WHERE c.field IN (sim.code('enum'), sim.code('set')) AND c.relation::regclass::text LIKE 'shapes%' ORDER BY c.relation::regclass::text COLLATE "C", c.attnum;
-- Every type that the library knows occurs here.
SELECT t.type FROM sim.types AS t WHERE NOT EXISTS (SELECT FROM pipedrive_internal.table_columns AS c WHERE c.relation = 'shapes_both.deals'::regclass AND c.type = t.type AND c.field = sim.code(t.type));

-- The columns of one field, by what follows the field's name in theirs: '' the main one, '_currency', '_id', ...
CREATE FUNCTION sim.shape(mode text, type text, shape text, value jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_variable
DECLARE
    code text := sim.code(type);
    source regclass := format('shapes_%s.deals', mode);
    record jsonb;
    out jsonb;
BEGIN
    IF shape = 'flat' THEN
        record := '{"id": 1}' || coalesce((SELECT jsonb_object_agg(code || key, v) FROM jsonb_each(value) AS e (key, v)), '{}');
    ELSE -- no value: the key is missing
        record := jsonb_build_object('id', 1, 'custom_fields', CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object(code, value) END);
    END IF;
    record := pipedrive.decode_record(source, record, shape);
    SELECT jsonb_object_agg(substr(c.attname, length('x_' || type) + 1), record -> c.attname::text) INTO out
      FROM pipedrive_internal.table_columns AS c WHERE c.relation = source AND c.field = code AND record ? c.attname::text;
    RETURN coalesce(out, '{}');
END $$;
-- Types, shape, the value in that shape, and the columns under labels 'both'. {} = the record says nothing of the field.
CREATE TABLE sim.cases (n int GENERATED ALWAYS AS IDENTITY, types text[], shape text, value jsonb, want jsonb);
INSERT INTO sim.cases (types, shape, value, want) VALUES
-- texts: "x" | "x" | {type, value}
('{varchar,varchar_auto,text,phone,varchar_options,status,billing_frequency}', 'rest', '"x"', '{"": "x"}'),
('{varchar,varchar_auto,text,phone,varchar_options,status,billing_frequency}', 'rest', 'null', '{"": null}'),
('{varchar,varchar_auto,text,phone,varchar_options,status,billing_frequency}', 'rest', NULL, '{}'),
('{varchar,varchar_auto,text,phone}', 'rest', '""', '{"": ""}'),
('{varchar,varchar_auto,text,phone}', 'rest', '"Ünï 🚀\n\"q\" \\ null"', '{"": "Ünï 🚀\n\"q\" \\ null"}'),
('{varchar,text,phone}', 'rest', '4930.50', '{"": "4930.50"}'),
('{varchar,text,phone}', 'rest', 'true', '{"": "true"}'),
('{varchar,varchar_auto,text,phone,varchar_options,status,billing_frequency}', 'flat', '{"": "x"}', '{"": "x"}'),
('{varchar,varchar_auto,text,phone}', 'flat', '{"": 17}', '{"": "17"}'),
('{varchar,varchar_auto,text,phone}', 'flat', '{"": null}', '{"": null}'),
('{varchar,varchar_auto,text,phone}', 'flat', NULL, '{"": null}'),
('{varchar,varchar_auto,text,phone,varchar_options,status,billing_frequency}', 'webhook', '{"type": "varchar", "value": "x"}', '{"": "x"}'),
('{varchar,varchar_auto,text,phone}', 'webhook', '{"type": "varchar", "value": null}', '{"": null}'),
('{varchar,varchar_auto,text,phone}', 'webhook', '{"type": "varchar"}', '{}'),
('{varchar,varchar_auto,text,phone}', 'webhook', 'null', '{"": null}'),
('{varchar,varchar_auto,text,phone}', 'webhook', NULL, '{}'),
-- numbers: 12.5 | 12.5 | {type, value}
('{double}', 'rest', '12.5', '{"": 12.5}'),
('{double}', 'rest', '"12.50"', '{"": 12.50}'),
('{double}', 'rest', '0', '{"": 0}'),
('{double}', 'rest', '-123456789012345678901234567890.123456789', '{"": -123456789012345678901234567890.123456789}'),
('{double}', 'rest', '""', '{"": null}'),
('{double}', 'rest', 'null', '{"": null}'),
('{double}', 'flat', '{"": 12.5}', '{"": 12.5}'),
('{double}', 'flat', '{"": "12.5"}', '{"": 12.5}'),
('{double}', 'flat', NULL, '{"": null}'),
('{double}', 'webhook', '{"type": "double", "value": 12.5}', '{"": 12.5}'),
('{double}', 'webhook', '{"type": "double", "value": "12.5"}', '{"": 12.5}'),
('{double}', 'webhook', 'null', '{"": null}'),
('{int,visible_to}', 'rest', '9007199254740993', '{"": 9007199254740993}'),
('{int,visible_to}', 'rest', '"3"', '{"": 3}'),
('{int,visible_to}', 'flat', '{"": "3"}', '{"": 3}'),
('{int,visible_to}', 'webhook', '{"type": "int", "value": 3}', '{"": 3}'),
('{boolean}', 'rest', 'true', '{"": true}'),
('{boolean}', 'rest', '0', '{"": false}'),
('{boolean}', 'flat', '{"": "1"}', '{"": true}'),
('{boolean}', 'webhook', '{"type": "boolean", "value": false}', '{"": false}'),
-- money: {value, currency} | hash, hash_currency | {type, value, currency}
('{monetary}', 'rest', '{"value": 2300, "currency": "EUR"}', '{"": 2300, "_currency": "EUR"}'),
('{monetary}', 'rest', '{"value": 500, "currency": null}', '{"": 500, "_currency": null}'),
('{monetary}', 'rest', '{"value": 0.10}', '{"": 0.10, "_currency": null}'),
('{monetary}', 'rest', '{"value": null, "currency": "USD"}', '{"": null, "_currency": "USD"}'),
('{monetary}', 'rest', '{"value": "12345678901234567.89", "currency": "KWD"}', '{"": 12345678901234567.89, "_currency": "KWD"}'),
('{monetary}', 'rest', '2300', '{"": 2300, "_currency": null}'),
('{monetary}', 'rest', 'null', '{"": null, "_currency": null}'),
('{monetary}', 'rest', NULL, '{}'),
('{monetary}', 'flat', '{"": 2300, "_currency": "EUR"}', '{"": 2300, "_currency": "EUR"}'),
('{monetary}', 'flat', '{"": "2300.5"}', '{"": 2300.5}'),
('{monetary}', 'flat', NULL, '{"": null, "_currency": null}'),
('{monetary}', 'webhook', '{"type": "monetary", "value": 2300, "currency": "EUR"}', '{"": 2300, "_currency": "EUR"}'),
('{monetary}', 'webhook', 'null', '{"": null, "_currency": null}'),
-- options: 17, {id, label} | "17" | {type, id}
('{enum}', 'rest', '91001', '{"": "Red", "_id": 91001}'),
('{enum}', 'rest', '"91001"', '{"": "Red", "_id": 91001}'),
('{enum}', 'rest', '{"id": 91001, "label": "Red"}', '{"": "Red", "_id": 91001}'),
('{enum}', 'rest', '{"id": 91001, "label": "Newer than the catalogue"}', '{"": "Newer than the catalogue", "_id": 91001}'),
('{enum}', 'rest', '{"id": 91002}', '{"": "Blue, \"dark\"", "_id": 91002}'),
('{enum}', 'rest', '{"id": 91003, "label": ""}', '{"": "", "_id": 91003}'),
('{enum}', 'rest', '{"id": 91009, "label": null}', '{"": "[91009]", "_id": 91009}'),
('{enum}', 'rest', '{"id": 91009}', '{"": "[91009]", "_id": 91009}'),
('{enum}', 'rest', '91009', '{"": "[91009]", "_id": 91009}'),
('{enum}', 'rest', '""', '{"": null, "_id": null}'),
('{enum}', 'rest', 'null', '{"": null, "_id": null}'),
('{enum}', 'rest', NULL, '{}'),
('{enum}', 'flat', '{"": "91001"}', '{"": "Red", "_id": 91001}'),
('{enum}', 'flat', '{"": 91002}', '{"": "Blue, \"dark\"", "_id": 91002}'),
('{enum}', 'flat', '{"": "91009"}', '{"_id": 91009}'),
('{enum}', 'flat', '{"": ""}', '{"": null, "_id": null}'),
('{enum}', 'flat', NULL, '{"": null, "_id": null}'),
('{enum}', 'webhook', '{"type": "enum", "id": 91001}', '{"": "Red", "_id": 91001}'),
('{enum}', 'webhook', '{"type": "enum", "id": "91002"}', '{"": "Blue, \"dark\"", "_id": 91002}'),
('{enum}', 'webhook', '{"type": "enum", "id": 91009}', '{"_id": 91009}'),
('{enum}', 'webhook', '{"type": "enum", "id": null}', '{"": null, "_id": null}'),
('{enum}', 'webhook', 'null', '{"": null, "_id": null}'),
-- several options: [13, 14], [{id, label}] | "13,14" | {type, values: [{id}]}; the order is the API's
('{set}', 'rest', '[91002, 91001]', '{"": ["Blue, \"dark\"", "Red"], "_id": [91002, 91001]}'),
('{set}', 'rest', '["91002", 91001]', '{"": ["Blue, \"dark\"", "Red"], "_id": [91002, 91001]}'),
('{set}', 'rest', '[{"id": 91001, "label": "Red"}, {"id": 91009, "label": null}]', '{"": ["Red", "[91009]"], "_id": [91001, 91009]}'),
('{set}', 'rest', '[91001, 91009]', '{"": ["Red", "[91009]"], "_id": [91001, 91009]}'),
('{set}', 'rest', '[91001, 91001]', '{"": ["Red", "Red"], "_id": [91001, 91001]}'),
('{set}', 'rest', '91001', '{"": ["Red"], "_id": [91001]}'),
('{set}', 'rest', '[]', '{"": null, "_id": null}'),
('{set}', 'rest', 'null', '{"": null, "_id": null}'),
('{set}', 'rest', NULL, '{}'),
('{set}', 'flat', '{"": "91002,91001"}', '{"": ["Blue, \"dark\"", "Red"], "_id": [91002, 91001]}'),
('{set}', 'flat', '{"": "91001"}', '{"": ["Red"], "_id": [91001]}'),
('{set}', 'flat', '{"": 91001}', '{"": ["Red"], "_id": [91001]}'),
('{set}', 'flat', '{"": ""}', '{"": null, "_id": null}'),
('{set}', 'flat', NULL, '{"": null, "_id": null}'),
('{set}', 'webhook', '{"type": "set", "values": [{"id": 91002}, {"id": 91001}]}', '{"": ["Blue, \"dark\"", "Red"], "_id": [91002, 91001]}'),
('{set}', 'webhook', '{"type": "set", "values": [{"id": 91009}]}', '{"_id": [91009]}'),
('{set}', 'webhook', '{"type": "set", "values": []}', '{"": null, "_id": null}'),
('{set}', 'webhook', '{"type": "set", "values": null}', '{"": null, "_id": null}'),
('{set}', 'webhook', 'null', '{"": null, "_id": null}'),
-- references: id | id | {type, id}; older answers embed the object
('{user,org,people,deal,project,stage,activity,projects_board,projects_phase}', 'rest', '26000001', '{"": 26000001}'),
('{user,org,people,deal,project,stage,activity,projects_board,projects_phase}', 'rest', '"26000001"', '{"": 26000001}'),
('{user,org,people,deal,project,stage,activity,projects_board,projects_phase}', 'rest', 'null', '{"": null}'),
('{user,org,people}', 'rest', '{"id": 26000001, "name": "x"}', '{"": 26000001}'),
('{user,org,people,deal,project,stage,activity,projects_board,projects_phase}', 'flat', '{"": 26000001}', '{"": 26000001}'),
('{user,org,people}', 'flat', '{"": {"value": 26000001, "name": "x"}}', '{"": 26000001}'),
('{user,org,people}', 'flat', NULL, '{"": null}'),
('{user,org,people,deal,project,stage,activity,projects_board,projects_phase}', 'webhook', '{"type": "user", "id": 26000001}', '{"": 26000001}'),
('{user,org,people}', 'webhook', '{"type": "user", "id": null}', '{"": null}'),
('{user,org,people}', 'webhook', 'null', '{"": null}'),
('{lead}', 'rest', '"9ce77a10-2e16-11f1-91c1-d76c00000003"', '{"": "9ce77a10-2e16-11f1-91c1-d76c00000003"}'),
('{lead}', 'webhook', '{"type": "lead", "id": "9ce77a10-2e16-11f1-91c1-d76c00000003"}', '{"": "9ce77a10-2e16-11f1-91c1-d76c00000003"}'),
-- dates: "YYYY-MM-DD" | same | {type, value}
('{date}', 'rest', '"2026-02-28"', '{"": "2026-02-28"}'),
('{date}', 'rest', '""', '{"": null}'),
('{date}', 'rest', '"0000-00-00"', '{"": null}'),
('{date}', 'rest', 'null', '{"": null}'),
('{date}', 'flat', '{"": "2026-02-28"}', '{"": "2026-02-28"}'),
('{date}', 'flat', NULL, '{"": null}'),
('{date}', 'webhook', '{"type": "date", "value": "2026-02-28"}', '{"": "2026-02-28"}'),
('{date}', 'webhook', 'null', '{"": null}'),
-- ranges: {value, until} | hash, hash_until | {type, from, until}
('{daterange}', 'rest', '{"value": "2026-01-01", "until": "2026-12-31"}', '{"": "2026-01-01", "_until": "2026-12-31"}'),
('{daterange}', 'rest', '{"value": "2026-01-01", "until": null}', '{"": "2026-01-01", "_until": null}'),
('{daterange}', 'rest', '"2026-01-01"', '{"": "2026-01-01", "_until": null}'),
('{daterange}', 'rest', 'null', '{"": null, "_until": null}'),
('{daterange}', 'flat', '{"": "2026-01-01", "_until": "2026-12-31"}', '{"": "2026-01-01", "_until": "2026-12-31"}'),
('{daterange}', 'flat', '{"": "", "_until": ""}', '{"": null, "_until": null}'),
('{daterange}', 'flat', NULL, '{"": null, "_until": null}'),
('{daterange}', 'webhook', '{"type": "daterange", "from": "2026-01-01", "until": "2026-12-31"}', '{"": "2026-01-01", "_until": "2026-12-31"}'),
('{daterange}', 'webhook', '{"type": "daterange", "value": "2026-01-01", "until": "2026-12-31"}', '{"": "2026-01-01", "_until": "2026-12-31"}'),
('{daterange}', 'webhook', 'null', '{"": null, "_until": null}'),
-- times: {value, timezone_id, timezone_name} | hash, hash_timezone_id | {type, value, timezone_id}; an event names the zone only by its number, so its name has to be fetched
('{time}', 'rest', '{"value": "09:30:00", "timezone_id": 31, "timezone_name": "Europe/Berlin"}', '{"": "09:30:00", "_timezone": "Europe/Berlin"}'),
('{time}', 'rest', '{"value": "09:30", "timezone_id": null, "timezone_name": null}', '{"": "09:30:00", "_timezone": null}'),
('{time}', 'rest', '"09:30:00"', '{"": "09:30:00", "_timezone": null}'),
('{time}', 'rest', '{"value": "", "timezone_id": 31, "timezone_name": "Europe/Berlin"}', '{"": null, "_timezone": "Europe/Berlin"}'),
('{time}', 'rest', 'null', '{"": null, "_timezone": null}'),
('{time}', 'flat', '{"": "09:30:00"}', '{"": "09:30:00"}'),
('{time}', 'flat', '{"": "09:30:00", "_timezone_id": 31}', '{"": "09:30:00"}'), -- v1 names the zone by its id only
('{time}', 'flat', NULL, '{"": null, "_timezone": null}'),
('{time}', 'webhook', '{"type": "time", "value": "09:30:00", "timezone_id": 31}', '{"": "09:30:00"}'),
('{time}', 'webhook', 'null', '{"": null, "_timezone": null}'),
('{timerange}', 'rest', '{"value": "09:30:00", "until": "17:00:00", "timezone_id": 31, "timezone_name": "Europe/Berlin"}', '{"": "09:30:00", "_until": "17:00:00", "_timezone": "Europe/Berlin"}'),
('{timerange}', 'rest', '{"value": "09:30:00", "until": null, "timezone_id": null, "timezone_name": null}', '{"": "09:30:00", "_until": null, "_timezone": null}'),
('{timerange}', 'rest', 'null', '{"": null, "_until": null, "_timezone": null}'),
('{timerange}', 'flat', '{"": "09:30:00", "_until": "17:00:00"}', '{"": "09:30:00", "_until": "17:00:00"}'),
('{timerange}', 'flat', NULL, '{"": null, "_until": null, "_timezone": null}'),
('{timerange}', 'webhook', '{"type": "timerange", "from": "09:30:00", "until": "17:00:00", "timezone_id": 31}', '{"": "09:30:00", "_until": "17:00:00"}'),
('{timerange}', 'webhook', 'null', '{"": null, "_until": null, "_timezone": null}'),
-- addresses: an object | hash, hash_country, ... | the same object with its type
('{address}', 'rest', '{"value": "Main 1", "country": "Germany", "locality": "Berlin", "postal_code": "10115", "formatted_address": "Main 1, 10115 Berlin, Germany"}',
    '{"": "Main 1, 10115 Berlin, Germany", "_address": {"value": "Main 1", "country": "Germany", "locality": "Berlin", "postal_code": "10115", "formatted_address": "Main 1, 10115 Berlin, Germany"}}'),
('{address}', 'rest', '{"value": "Main 1", "formatted_address": null}', '{"": "Main 1", "_address": {"value": "Main 1", "formatted_address": null}}'),
('{address}', 'rest', '{"value": "Main 1", "formatted_address": ""}', '{"": "Main 1", "_address": {"value": "Main 1", "formatted_address": ""}}'),
('{address}', 'rest', 'null', '{"": null, "_address": null}'),
('{address}', 'rest', NULL, '{}'),
('{address}', 'flat', '{"": "Main 1", "_locality": "Berlin", "_formatted_address": "Main 1, Berlin"}',
    '{"": "Main 1, Berlin", "_address": {"value": "Main 1", "country": null, "admin_area_level_1": null, "admin_area_level_2": null, "locality": "Berlin", "sublocality": null, "route": null, "street_number": null, "subpremise": null, "postal_code": null, "formatted_address": "Main 1, Berlin"}}'),
('{address}', 'flat', NULL, '{"": null, "_address": null}'),
('{address}', 'webhook', '{"type": "address", "value": "Main 1", "locality": "Berlin", "formatted_address": "Main 1, Berlin"}', '{"": "Main 1, Berlin", "_address": {"value": "Main 1", "locality": "Berlin", "formatted_address": "Main 1, Berlin"}}'),
('{address}', 'webhook', 'null', '{"": null, "_address": null}'),
-- whatever else
('{deals,json,picture,price_list}', 'rest', '[{"a": 1.50}, null, "x"]', '{"": [{"a": 1.50}, null, "x"]}'),
('{deals,json,picture,price_list}', 'rest', 'null', '{"": null}'),
('{deals,json,picture,price_list}', 'flat', '{"": {"a": {}}}', '{"": {"a": {}}}'),
('{json}', 'webhook', '{"type": "json", "value": 1}', '{"": {"type": "json", "value": 1}}');
-- Under label the ids are not there, under id they stand in the main column; nothing else differs.
CREATE TABLE sim.outcomes AS
SELECT c.n, m.mode, t.type, c.shape, c.value, sim.shape(m.mode, t.type, c.shape, c.value) AS got,
       CASE WHEN m.mode = 'both' OR NOT c.want ? '_id' THEN c.want
            WHEN m.mode = 'label' THEN c.want - '_id' ELSE jsonb_build_object('', c.want -> '_id') END AS want
  FROM sim.cases AS c, unnest(c.types) AS t (type), unnest(ARRAY['label', 'id', 'both']) AS m (mode);
SELECT mode, type, shape, value, got, want FROM sim.outcomes WHERE got IS DISTINCT FROM want ORDER BY n, mode COLLATE "C", type COLLATE "C";
SELECT mode, count(*) AS cases, count(DISTINCT type) AS types FROM sim.outcomes GROUP BY mode ORDER BY mode COLLATE "C";
SELECT t.type, count(*) FILTER (WHERE c.shape = 'rest') AS rest, count(*) FILTER (WHERE c.shape = 'flat') AS flat, count(*) FILTER (WHERE c.shape = 'webhook') AS webhook
  FROM sim.types AS t LEFT JOIN sim.cases AS c ON t.type = ANY (c.types) GROUP BY t.n, t.type ORDER BY t.n;
-- One of each, to read.
SELECT shape, jsonb_pretty(sim.shape('both', type, shape, value)) AS columns FROM sim.cases, unnest(types[1:1]) AS type
 WHERE types[1] IN ('monetary', 'set') AND n IN (SELECT min(n) FROM sim.cases GROUP BY types[1], shape) ORDER BY n;
--
-- Values that no reading fits: the error names column, row and value.
--
\pset format unaligned
\pset tuples_only on
SELECT sim.error(format('SELECT pipedrive.decode_record(''shapes_label.deals'', %L, %L)', CASE WHEN shape = 'flat' THEN (SELECT jsonb_object_agg(sim.code(type) || key, v) FROM jsonb_each(value::jsonb) AS e (key, v)) ELSE jsonb_build_object('custom_fields', jsonb_build_object(sim.code(type), value::jsonb)) END || '{"id": 1}', shape)) FROM (VALUES (1, 'double', 'rest', '"x"'), (2, 'double', 'rest', '[1]'), (3, 'monetary', 'rest', '{"value": "much"}'),
    (4, 'date', 'rest', '"28.02.2026"'), (5, 'date', 'webhook', '{"type": "date", "value": 20260228}'), (6, 'time', 'rest', '{"value": "25:00"}'), (7, 'user', 'rest', '"somebody"'), (8, 'user', 'rest', '7.5'),
    (9, 'enum', 'rest', 'true'), (10, 'set', 'rest', 'true'), (11, 'varchar', 'rest', '["x"]'), (12, 'daterange', 'flat', '{"": "2026-01-01", "_until": "later"}'), (13, 'boolean', 'rest', '"maybe"'), (14, 'double', 'webhook', '{"type": "double", "value": {}}')) AS v (n, type, shape, value) ORDER BY n;
SELECT sim.error($$SELECT pipedrive.decode_record('shapes_label.deals', '{"id": 1}', 'v3')$$);
SELECT sim.error($$SELECT pipedrive.decode_record('shapes_label.deals', '[]', 'rest')$$);
\pset tuples_only off
\pset format aligned
--
-- What the record does not carry is left out, so that a reduced record never looks like one full of NULLs.
--
SELECT pipedrive.decode_record('shapes_label.deals', '{"id": 7, "title": "x"}', 'webhook');
SELECT pipedrive.decode_record('shapes_label.deals', '{"id": 7, "custom_fields": null}', 'rest'), pipedrive.decode_record('shapes_label.deals', '{"id": 7, "custom_fields": {}}', 'rest');
SELECT pipedrive.decode_record('shapes_label.deals', '{}', 'webhook');
-- Fields beside the custom ones, as events and v1 send them.
SELECT pipedrive.decode_record('shapes_label.deals', '{"id": "7", "visible_to": "3", "add_time": "2026-03-01T10:00:00.123Z", "update_time": null, "value": 1200.50, "is_archived": true, "label_ids": [1, 2]}', 'webhook');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (activities, persons, organizations, users) FROM SERVER crm INTO shapes_label;
SELECT pipedrive.decode_record('shapes_label.activities', '{"id": 5, "due_date": "2026-03-01", "due_time": {"timezone_id": 31, "value": "10:15"}, "duration": {"timezone_id": 31, "value": "01:30"}, "location": {"value": "Berlin"}}', 'webhook');
SELECT pipedrive.decode_record('shapes_label.activities', '{"id": 5, "due_time": "", "duration": "", "marked_as_done_time": "", "location": null}', 'flat');
SELECT pipedrive.decode_record('shapes_label.persons', '{"id": 3, "emails": [{"value": "a@x.example", "primary": false}, {"value": "b@x.example", "primary": true}], "phones": [], "last_name": null}', 'webhook');
SELECT pipedrive.decode_record('shapes_label.organizations', '{"id": 4, "address": {"value": "Main 1", "locality": "Berlin", "formatted_address": "Main 1, Berlin"}}', 'webhook');
SELECT pipedrive.decode_record('shapes_label.users', '{"id": "25455458", "last_login": "2026-03-01 10:00:00", "created": "0000-00-00 00:00:00", "active_flag": 1, "access": null}', 'webhook');
--
-- A scan shows of every row what decode_record() makes of the row's own JSON.
--
CREATE FUNCTION sim.scan_differs(mode text) RETURNS TABLE (id bigint, name text, scanned jsonb, decoded jsonb) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH d AS MATERIALIZED (SELECT t.id, to_jsonb(t) AS row FROM %1$s.deals AS t),
             r AS MATERIALIZED (SELECT s.id, pipedrive.decode_record('%1$s.deals', s.data) AS row FROM sim.rows('deals') AS s)
        SELECT d.id, c.attname::text, d.row -> c.attname::text, r.row -> c.attname::text
          FROM d JOIN r ON r.id = d.id
          JOIN pipedrive_internal.table_columns AS c ON c.relation = '%1$s.deals'::regclass AND c.type IS NOT NULL
         WHERE coalesce(d.row -> c.attname::text, 'null') <> coalesce(r.row -> c.attname::text, 'null')$q$, 'shapes_' || mode);
END $$;
DO $$ -- the types that no account has
BEGIN
    EXECUTE (SELECT string_agg(format('ALTER FOREIGN TABLE %I.deals DROP COLUMN %I', s, 'x_' || type), ';') FROM sim.rare, unnest(ARRAY['shapes_label', 'shapes_id', 'shapes_both']) AS s);
END $$;
SELECT count(*) AS rows, (SELECT count(*) FROM pipedrive_internal.table_columns WHERE relation = 'shapes_both.deals'::regclass AND type IS NOT NULL) AS columns FROM shapes_both.deals;
SET client_min_messages = error; -- not the NOTICE of deleted options
SELECT * FROM sim.scan_differs('label') ORDER BY 2, 1;
SELECT * FROM sim.scan_differs('id') ORDER BY 2, 1;
SELECT * FROM sim.scan_differs('both') ORDER BY 2, 1;
SET client_min_messages = warning;
DROP SCHEMA shapes_label, shapes_id, shapes_both CASCADE;
CALL sim.reset();
