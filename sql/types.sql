\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Every column of every entity, against PostgreSQL's own reading of the simulator's rows as jsonb.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
-- What the imported columns say of themselves.
CREATE VIEW sim.columns AS
SELECT c.relname AS entity, a.attnum AS n, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS sql_type,
       coalesce((SELECT option_value FROM pg_options_to_table(a.attfdwoptions) WHERE option_name = 'field'), a.attname) AS field,
       coalesce((SELECT option_value FROM pg_options_to_table(a.attfdwoptions) WHERE option_name = 'subfield'), '') AS part,
       (SELECT option_value FROM pg_options_to_table(a.attfdwoptions) WHERE option_name = 'type') AS type
  FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace
 WHERE s.nspname = 'crm' AND c.relkind = 'f' AND a.attnum > 0 AND NOT a.attisdropped;
CREATE TABLE sim.labels AS -- of options that exist
SELECT f ->> 'field_code' AS field, o ->> 'id' AS id, o ->> 'label' AS label
  FROM jsonb_each(sim.call('GET', 'fields')::jsonb) AS e, jsonb_array_elements(e.value) AS f,
       jsonb_array_elements(coalesce(nullif(f -> 'options', 'null'), '[]')) AS o
UNION ALL SELECT 'label_ids', (b + i)::text, l FROM unnest(ARRAY[0, 10, 20]) AS b, unnest(ARRAY['Hot', 'Warm', 'Cold', 'Key account']) WITH ORDINALITY AS u (l, i);
CREATE FUNCTION sim.label(of text, option text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT label FROM sim.labels WHERE field = of AND id = option), '[' || option || ']') WHERE option IS NOT NULL
$$;
-- The text a column must have, from the row's JSON.
CREATE FUNCTION sim.want(c sim.columns, row_id bigint, data jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v jsonb := nullif(CASE WHEN length(c.field) = 40 THEN data -> 'custom_fields' -> c.field ELSE data -> c.field END, 'null');
BEGIN
    IF c.entity = 'users' AND c.field = 'is_you' THEN RETURN (row_id = 25455458)::text; END IF; -- whose token we use
    IF c.field = 'custom_fields' THEN RETURN (SELECT jsonb_object_agg(key, value) FROM jsonb_each(v) WHERE value <> 'null')::text; END IF;
    IF v IS NULL THEN RETURN NULL; END IF;
    IF c.part = 'primary' THEN
        RETURN nullif((SELECT e ->> 'value' FROM jsonb_array_elements(v) WITH ORDINALITY AS x (e, i) ORDER BY (e ->> 'primary')::boolean DESC, i LIMIT 1), '');
    ELSIF c.part = 'labels' OR c.type = 'set' THEN
        RETURN ARRAY(SELECT sim.label(c.field, i) FROM jsonb_array_elements_text(v) WITH ORDINALITY AS x (i, n) ORDER BY n)::text;
    ELSIF c.type = 'enum' THEN RETURN sim.label(c.field, v #>> '{}');
    ELSIF c.sql_type = 'jsonb' THEN RETURN v::text;
    ELSIF c.part = 'timezone' THEN RETURN v ->> 'timezone_name';
    ELSIF c.part <> '' THEN v := v -> c.part;
    ELSIF jsonb_typeof(v) = 'object' AND v ? 'formatted_address' THEN v := to_jsonb(coalesce(v ->> 'formatted_address', v ->> 'value'));
    ELSIF jsonb_typeof(v) = 'object' THEN v := v -> 'value';
    ELSIF jsonb_typeof(v) = 'array' THEN RETURN ARRAY(SELECT i::bigint FROM jsonb_array_elements_text(v) WITH ORDINALITY AS x (i, n) ORDER BY n)::text;
    END IF;
    RETURN CASE c.sql_type WHEN 'text' THEN v #>> '{}' WHEN 'bigint' THEN (v #>> '{}')::bigint::text WHEN 'numeric' THEN (v #>> '{}')::numeric::text
        WHEN 'boolean' THEN (v #>> '{}')::boolean::text WHEN 'date' THEN (v #>> '{}')::date::text
        WHEN 'time without time zone' THEN (v #>> '{}')::time::text WHEN 'interval' THEN (v #>> '{}')::interval::text
        WHEN 'timestamp with time zone' THEN (nullif(v #>> '{}', ''))::timestamptz::text WHEN 'uuid' THEN (v #>> '{}')::uuid::text
        ELSE 'no rule for ' || c.sql_type END;
END $$;
-- What every column of every row must be, computed once.
CREATE UNLOGGED TABLE sim.wanted (entity text, id bigint, n int, want text, PRIMARY KEY (entity, id, n));
CREATE PROCEDURE sim.expect(of text) LANGUAGE sql AS $$
    DELETE FROM sim.wanted WHERE entity = of;
    INSERT INTO sim.wanted SELECT of, r.id, c.n, sim.want(c, r.id, r.data) FROM sim.rows(of) AS r, sim.columns AS c WHERE c.entity = of;
$$;
-- Reads a table some columns at a time (that decides what is asked for) and tells every value that is not as it should be.
CREATE FUNCTION sim.wrong_values(of text, at_a_time int) RETURNS TABLE (id bigint, name text, got text, want text) LANGUAGE plpgsql AS $$
DECLARE
    chunk record;
BEGIN
    FOR chunk IN SELECT array_agg(c.n ORDER BY n) AS numbers, array_agg(c.name::text ORDER BY n) AS names,
                        string_agg(CASE WHEN field = 'custom_fields' THEN format('(SELECT jsonb_object_agg(key, value) FROM jsonb_each(%I) WHERE value <> ''null'')::text', c.name)
                                        ELSE format('%I::text', c.name) END, ', ' ORDER BY n) AS list
                   FROM sim.columns AS c WHERE entity = of GROUP BY (n - 1) / at_a_time LOOP
        RETURN QUERY EXECUTE format($q$
            SELECT coalesce(w.id, r.id), $2[coalesce(w.i, r.i)], r.v, w.want
              FROM (SELECT w.*, array_position($1, w.n::int2) AS i FROM sim.wanted AS w WHERE w.entity = %2$L AND w.n = ANY ($1)) AS w
              FULL JOIN (SELECT t.id, u.v, u.i FROM (SELECT id, ARRAY[%1$s] AS vs FROM crm.%2$I) AS t, unnest(t.vs) WITH ORDINALITY AS u (v, i)) AS r
                ON r.id = w.id AND r.i = w.i
             WHERE r.id IS NULL OR w.id IS NULL OR r.v IS DISTINCT FROM w.want$q$, chunk.list, of) USING chunk.numbers, chunk.names;
    END LOOP;
END $$;
CALL sim.expect('deals'); CALL sim.expect('persons'); CALL sim.expect('organizations'); CALL sim.expect('activities');
CALL sim.expect('pipelines'); CALL sim.expect('stages'); CALL sim.expect('users');
SELECT * FROM sim.wrong_values('deals', 1000) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('deals', 9) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('deals', 1) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('persons', 1000) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('persons', 9) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('persons', 1) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('organizations', 1000) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('organizations', 9) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('organizations', 1) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('activities', 1000) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('activities', 3) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('pipelines', 1000) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('stages', 1000) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('users', 1000) ORDER BY 2, 1;
-- The comparison can fail: there are values, and not only NULLs, in these many columns.
SELECT entity, count(DISTINCT n) AS columns, count(DISTINCT n) FILTER (WHERE want IS NOT NULL) AS with_values, count(DISTINCT id) AS rows
  FROM sim.wanted GROUP BY entity ORDER BY entity;
-- Also with contact sync on, and for an account on a smaller plan.
DROP SCHEMA crm CASCADE;
CREATE SCHEMA crm;
CALL sim.switch('{"contact_sync": "on", "plan_fields": "basic"}');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons, organizations, deals) FROM SERVER crm INTO crm;
CALL sim.expect('persons'); CALL sim.expect('organizations');
SELECT name, sql_type, field, part FROM sim.columns WHERE entity = 'persons' AND field IN ('im', 'postal_address', 'notes', 'birthday', 'job_title') ORDER BY n;
SELECT name FROM sim.columns WHERE entity = 'organizations' AND field IN ('website', 'linkedin', 'industry', 'annual_revenue', 'employee_count');
SELECT * FROM sim.wrong_values('persons', 1000) ORDER BY 2, 1;
SELECT * FROM sim.wrong_values('organizations', 1000) ORDER BY 2, 1;
SELECT count(acv), count(arr), count(mrr) FROM crm.deals;
SELECT id, job_title, birthday, notes, im, postal_address, postal_address_parts ->> 'country' AS country FROM crm.persons WHERE id IN (1, 2, 4) ORDER BY id;
CALL sim.switch('{"contact_sync": "off", "plan_fields": "all"}');
DROP SCHEMA crm CASCADE;
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
--
-- Values that the API might send one day: what becomes of them, by type.
--
CREATE FUNCTION sim.with_value(entity text, column_name text, field text, json text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    out text;
BEGIN
    PERFORM sim.call('DELETE', 'faults');
    PERFORM sim.call('POST', 'faults', jsonb_build_object('kind', 'wrong_type', 'field', field, 'id', CASE WHEN entity = 'users' THEN 25455458 ELSE 1 END, 'text', json)::text);
    BEGIN
        EXECUTE format('SELECT %I::text FROM crm.%I ORDER BY id LIMIT 1', column_name, entity) INTO out;
        out := coalesce('= ' || out, 'NULL');
    EXCEPTION WHEN OTHERS THEN
        DECLARE detail text; context text; state text; message text;
        BEGIN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT, state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
            out := state || ' ' || message || coalesce(' / ' || nullif(detail, ''), '') || ' / ' || split_part(context, E'\n', 1);
        END;
    END;
    PERFORM sim.call('DELETE', 'faults');
    RETURN format('%s %s -> %s', column_name, json, regexp_replace(out, 'at byte [0-9]+', 'at byte N'));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT sim.with_value('deals', 'value', 'value', j) FROM unnest(ARRAY['0', '-0', '0.10', '1e3', '1E-7', '12345678901234567890123456789.123456789', '1e200', '"12.50"', '""', '" 7 "', '"x"', '"NaN"', 'true', '[]', '{}', '{"value": 5}', 'null', '1e-20000', '1e310', '1e200000']) AS j;
SELECT sim.with_value('deals', 'person_id', 'person_id', j) FROM unnest(ARRAY['9223372036854775807', '-9223372036854775808', '9223372036854775808', '7.0', '7.5', '1e3', '"8"', '"08"', '""', '"8x"', 'true', 'false', '{"id": 9, "name": "x"}', '{"value": 9, "name": "x"}', '{"name": "x"}', '[9]', 'null']) AS j;
SELECT sim.with_value('deals', 'title', 'title', j) FROM unnest(ARRAY['""', '"null"', '12', '12.50', 'true', '[1]', '{"a": 1}', 'null', '"\ud83d\ude00"', '"\\n\t\"/\/"']) AS j;
SELECT sim.with_value('deals', 'add_time', 'add_time', j) FROM unnest(ARRAY['"2026-03-01T10:00:00Z"', '"2026-03-01T10:00:00.123Z"', '"2026-03-01T10:00:00.123456Z"', '"2026-03-01T10:00:00+02:00"', '"2026-03-01T10:00:00-0530"', '"2026-03-01 10:00:00"', '"2026-03-01"', '"0000-00-00 00:00:00"',
    '""', '"2026-02-29T00:00:00Z"', '"2024-02-29T23:59:59Z"', '"2016-12-31T23:59:60Z"', '"2026-03-01T24:00:00Z"', '"2026-03-01T25:00:00Z"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"', '"soon"', '"infinity"', '1772359200', 'true', 'null', '"2026-03-01T10:00Z"', '"  2026-03-01T10:00:00Z"']) AS j;
SELECT sim.with_value('deals', 'expected_close_date', 'expected_close_date', j) FROM unnest(ARRAY['"2026-03-01"', '"0000-00-00"', '""', '"2026-3-1"', '"2026-13-01"', '"2023-02-29"', '"2026-03-01T00:00:00Z"', '"2026-03-01 00:00:00"', '"01.03.2026"', '20260301', 'null', '"infinity"']) AS j;
SELECT sim.with_value('activities', 'due_time', 'due_time', j) FROM unnest(ARRAY['"09:30"', '"09:30:15"', '"00:00"', '"23:59:59"', '"24:00"', '"24:00:01"', '"9:30"', '""', '"25:00"', '"12:60"', '930', 'null', '{"timezone_id": 1, "value": "10:15"}']) AS j;
SELECT sim.with_value('activities', 'duration', 'duration', j) FROM unnest(ARRAY['"00:30"', '"01:00:00"', '"100:00"', '"00:00"', '""', '"90"', '"x:30"', '90', 'null']) AS j;
SELECT sim.with_value('activities', 'done', 'done', j) FROM unnest(ARRAY['true', 'false', '1', '0', '"1"', '"true"', '"yes"', '2', '""', 'null', '[]']) AS j;
SELECT sim.with_value('activities', 'lead_id', 'lead_id', j) FROM unnest(ARRAY['"9ce77a10-2e16-11f1-91c1-d76c00000003"', '"9CE77A102E1611F191C1D76C00000003"', '""', '"x"', '7', 'null']) AS j;
SELECT sim.with_value('activities', 'participants', 'participants', j) FROM unnest(ARRAY['[]', '{}', '"x"', '1.50', 'true', 'null', '[{"a": [1, {"b": null}], "A": "\u00e9\n"}]', '{"a": 1, "a": 2}', '1e400']) AS j;
SELECT sim.with_value('deals', 'label_ids', 'label_ids', j) FROM unnest(ARRAY['[]', '[1, 2]', '["1", "2"]', '"1,2"', '1', '""', '[null, 3]', '[1.5]', '["x"]', '[{"id": 4, "label": "y"}]', 'null', 'true']) AS j;
SELECT sim.with_value('persons', 'email', 'emails', j) FROM unnest(ARRAY['[]', 'null', '"a@b.c"', '""', '[{"value": "a@b.c", "primary": false}, {"value": "d@e.f", "primary": true}]', '[{"value": "", "primary": true}, {"value": "d@e.f", "primary": false}]',
    '[{"value": null, "primary": true}]', '["x@y.z"]', '[{"label": "work"}]', '7', '[{"value": "a@b.c"}, {"value": "d@e.f"}]']) AS j;
SELECT sim.with_value('organizations', 'address', 'address', j) FROM unnest(ARRAY['null', '"Main St 1"', '{"value": "v", "formatted_address": "f"}', '{"value": "v", "formatted_address": null}', '{"value": "v"}', '{}', '{"value": null}', '7', '[]']) AS j;
SELECT sim.with_value('users', 'last_login', 'last_login', j) FROM unnest(ARRAY['"2026-03-01 10:00:00"', '""', '"0000-00-00 00:00:00"', 'null']) AS j;
\pset tuples_only off
\pset format aligned
--
-- Hand-written tables: other types for the same fields.
--
CREATE TYPE sim.state AS ENUM ('open', 'won', 'lost');
CREATE DOMAIN sim.positive AS bigint CHECK (VALUE > 0);
CREATE DOMAIN sim.short AS varchar(200);
CREATE FOREIGN TABLE crm.other (id int, owner_id numeric, stage_id smallint, visible_to sim.positive, person_id float8, pipeline_id text,
    value float8, probability real, status sim.state, title sim.short, add_time text, is_archived text, is_deleted varchar(5),
    label_ids bigint[], custom_fields json, currency char(5), expected_close_date text, channel varchar) SERVER crm OPTIONS (entity 'deals');
SELECT pg_typeof(id) AS id, pg_typeof(owner_id) AS owner_id, pg_typeof(status) AS status, owner_id, stage_id, visible_to, person_id, pipeline_id, status, add_time, is_archived, is_deleted, '[' || currency || ']' AS currency
  FROM crm.other WHERE id IN (1, 2, 3, 10) ORDER BY id;
SELECT count(*), (SELECT count(*) FROM crm.deals WHERE id < 1000) AS truth FROM crm.other o JOIN crm.deals d ON d.id = o.id
 WHERE o.id = ANY (ARRAY(SELECT generate_series(1, 60)))
   AND (o.owner_id, o.stage_id, o.visible_to, o.pipeline_id, o.status::text, o.title, o.is_archived, o.is_deleted, o.label_ids::text, o.currency)
   IS NOT DISTINCT FROM (d.owner_id, d.stage_id, d.visible_to, d.pipeline_id::text, d.status, d.title::varchar(200), d.is_archived::text, d.is_deleted::text, d.label_ids::text, d.currency::char(5))
   AND o.value IS NOT DISTINCT FROM d.value::float8 AND o.probability IS NOT DISTINCT FROM d.probability::real AND o.person_id IS NOT DISTINCT FROM d.person_id::float8
   AND o.add_time::timestamptz IS NOT DISTINCT FROM d.add_time AND o.expected_close_date IS NOT DISTINCT FROM d.expected_close_date::text AND o.channel IS NOT DISTINCT FROM d.channel::text;
-- An id beyond int4 does not fit: the error says which row.
SELECT sim.error('SELECT id FROM crm.other');
-- Every column that is no array as text: the same text that a cast of the imported column gives; numbers as the API writes them.
DO $$
BEGIN
    EXECUTE (SELECT format('CREATE FOREIGN TABLE crm.texts (%s) SERVER crm OPTIONS (entity ''deals'')',
                           string_agg(format('%I text OPTIONS (field %L, subfield %L%s)', name, field, part, ', type ' || quote_literal(type)), ', ' ORDER BY n))
               FROM sim.columns WHERE entity = 'deals' AND sql_type !~ '\[\]$' AND field <> 'custom_fields');
END $$;
CREATE FUNCTION sim.texts() RETURNS TABLE (name text, rows bigint, different bigint) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE (SELECT 'SELECT n::text, count(*), count(*) FILTER (WHERE a IS DISTINCT FROM b) FROM crm.deals AS d JOIN crm.texts AS t ON t.id = d.id::text, LATERAL (VALUES '
        || string_agg(format('(%1$L, d.%1$I::text, t.%1$I%2$s)', c.name, CASE c.sql_type WHEN 'jsonb' THEN '::jsonb::text' WHEN 'numeric' THEN '::numeric::text' ELSE '' END), ', ') || ') AS v (n, a, b) GROUP BY n'
        FROM sim.columns AS c WHERE entity = 'deals' AND sql_type !~ '\[\]$' AND field <> 'custom_fields');
END $$;
SELECT count(*) AS columns, min(rows), max(rows), sum(different) AS different FROM sim.texts();
SELECT name FROM sim.texts() WHERE different > 0 ORDER BY name;
-- Columns of text show times in ISO form and UTC: another date style and time zone do not matter.
SELECT md5(string_agg(t::text, '' ORDER BY id)) AS plain FROM crm.texts AS t \gset
SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Kolkata'; SET intervalstyle = iso_8601;
SELECT md5(string_agg(t::text, '' ORDER BY id)) = :'plain' AS same FROM crm.texts AS t;
SELECT add_time, expected_close_date FROM crm.deals WHERE id = 2;
SELECT add_time, expected_close_date FROM crm.texts WHERE id = '2'; -- a text comparison: nothing to push
SELECT due_time, duration FROM crm.activities WHERE id = 2;
SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET intervalstyle = postgres;
-- A value that a narrower type does not take.
CREATE FOREIGN TABLE crm.narrow (id bigint, title varchar(3), currency varchar(2), value numeric(6, 1), owner_id int2, status text) SERVER crm OPTIONS (entity 'deals');
SELECT sim.error('SELECT title FROM crm.narrow WHERE id = 1');
SELECT sim.error('SELECT currency FROM crm.narrow WHERE id = 1');
SELECT sim.error('SELECT owner_id FROM crm.narrow WHERE id = 1');
SELECT sim.error('SELECT value FROM crm.narrow');
SELECT status FROM crm.narrow WHERE id = 1;
CREATE DOMAIN sim.won_only AS text CHECK (VALUE = 'won') NOT NULL;
CREATE FOREIGN TABLE crm.domains (id bigint, status sim.won_only) SERVER crm OPTIONS (entity 'deals');
SELECT sim.error('SELECT status FROM crm.domains WHERE id = 1');
SELECT sim.error('SELECT count(status) FROM crm.domains');
-- Types that cannot show a field are refused at the first use of the column, and only then.
CREATE FOREIGN TABLE crm.misfits (id bigint, title int, value bigint, status boolean, add_time timestamp, update_time date, expected_close_date timestamptz, is_deleted int,
    label_ids text, owner_id boolean, custom_fields bytea, person_id date, probability int, lost_reason jsonb, org_id int[]) SERVER crm OPTIONS (entity 'deals');
SELECT count(*) FROM crm.misfits;
SELECT sim.error(format('SELECT %I FROM crm.misfits', attname)) FROM pg_attribute WHERE attrelid = 'crm.misfits'::regclass AND attnum > 1 ORDER BY attnum;
