\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Answers that the documentation does not foresee: told, or read as they are, never as something
-- they are not.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
ALTER SERVER crm OPTIONS (ADD max_retries '0');
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION sim.answered(data jsonb, additional jsonb, query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    out text;
BEGIN
    CALL sim.fault(jsonb_build_object('kind', 'status', 'status', 200, 'body',
        jsonb_build_object('success', true, 'data', data, 'additional_data', additional)));
    out := sim.error(query);
    CALL sim.no_faults();
    RETURN out;
END $$;

-- An end of a list that is none, nor a continuation: rows would be missing without a word.
SELECT sim.answered('[{"id": 1}]', additional, 'SELECT id FROM crm.deals')
  FROM (VALUES ('{"next_cursor": 12345}'::jsonb), ('{"next_cursor": {"after": "x"}}'),
    ('{"next_cursor": true}'), ('{"pagination": {"more_items_in_collection": true}}'),
    ('"more"')) AS v (additional);
SELECT sim.answered('[{"id": 1}]', additional, 'SELECT id FROM crm.users')
  FROM (VALUES ('{"pagination": {"start": 0, "more_items_in_collection": true}}'::jsonb),
    ('{"pagination": {"start": 0, "next_start": 100}}'), ('{"next_cursor": "x"}'),
    ('{"pagination": {"start": 0, "more_items_in_collection": false}}')) AS v (additional);

-- Zero dates are no dates, however they are spelled.
CREATE FUNCTION sim.show(data jsonb, query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    CALL sim.fault(jsonb_build_object('kind', 'status', 'status', 200,
        'match', '{"path_regex": "deals$"}'::jsonb,
        'body', jsonb_build_object('success', true, 'data', data)));
    RETURN QUERY EXECUTE format('SELECT q::text FROM (%s) AS q', query);
    CALL sim.no_faults();
END $$;
SELECT zero, sim.show(jsonb_build_array(
        jsonb_build_object('id', 1, 'won_time', zero, 'expected_close_date', zero)),
    'SELECT id, won_time, expected_close_date FROM crm.deals WHERE NOT is_archived')
  FROM unnest(ARRAY['0000-00-00', '0000-00-00 00:00:00', '0000-00-00T00:00:00Z',
    '0000-00-00T00:00:00.000Z', '-0001-11-30T00:00:00Z', '-0001-11-30T00:00:00+01:00',
    '2026-04-01T00:00:00Z']) AS zero;

-- Text that JSON can say and no text of PostgreSQL can hold: the column that is read, and its row,
-- are named; without the column the rows are there.
CREATE FUNCTION sim.with_body(body text, query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    found text := '';
BEGIN
    CALL sim.fault(jsonb_build_object('kind', 'status', 'status', 200,
        'match', '{"path_regex": "deals$"}'::jsonb, 'body',
        '{"success": true, "data": [{"id": 1, "title": "good"}, {"id": 2, ' || body ||
        '}, {"id": 3, "title": "also good"}]}'));
    found := sim.error(query);
    IF found = 'no error' THEN
        EXECUTE format('SELECT string_agg(q::text, '' '' ORDER BY q) FROM (%s) AS q', query)
           INTO found;
    END IF;
    CALL sim.no_faults();
    RETURN QUERY SELECT found;
END $$;
SELECT column_list, sim.with_body(body,
        'SELECT ' || column_list || ' FROM crm.deals WHERE NOT is_archived')
  FROM (VALUES ('"title": "Bad \u0000 title"'), ('"title": "Cut emoji \ud83d"'),
    ('"title": "\udc4d\ud83d"'), ('"title": "\ud83d\udc4d"')) AS v (body),
    (VALUES ('id'), ('id, title')) AS c (column_list);
ALTER FOREIGN TABLE crm.deals ADD products json OPTIONS (field 'custom_fields');
SELECT column_list, sim.with_body(
        '"custom_fields": {"x": "Cut \ud83d", "y": "\u0000"}, "value": 1e310',
        'SELECT ' || column_list || ' FROM crm.deals WHERE NOT is_archived')
  FROM (VALUES ('id'), ('id, custom_fields'), ('id, products'),
    ('id, trunc(log(value)) AS digits')) AS c (column_list);

-- A type of field that did not exist when this version was made, a code that comes twice, and a
-- type, a label and a name that are null.
CREATE PROCEDURE sim.definitions(fields jsonb) LANGUAGE sql AS $$
    SELECT sim.call('POST', 'recorded', jsonb_build_object('path', '/api/v2/dealFields', 'body',
        jsonb_build_object('success', true, 'data', fields))::text);
$$;
CREATE FUNCTION sim.a_field(digit text, name text, type text, options jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('field_code', repeat(digit, 40), 'field_name', name, 'field_type',
        type, 'options', options, 'subfields', NULL, 'is_custom_field', true,
        'is_optional_response_field', false)
$$;
CALL sim.definitions(jsonb_build_array(sim.a_field('1', 'Old field', 'varchar')));
CREATE SCHEMA odd;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO odd;
CALL sim.definitions(jsonb_build_array(sim.a_field('1', 'Old field', 'varchar'),
    sim.a_field('2', 'New kind', 'formula'), sim.a_field('3', 'No kind', NULL),
    sim.a_field('4', 'Twice', 'double'), sim.a_field('4', 'Twice again', 'double'),
    sim.a_field('5', NULL, 'enum', '[{"id": 7, "label": null}, {"id": 8, "label": "Eight"}]')));
SELECT column_name, change, statement FROM pipedrive.refresh_schema('odd');
SELECT column_name, change, statement FROM pipedrive.refresh_schema('odd');
CREATE SCHEMA odd_new;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO odd_new;
SELECT attname, atttypid::regtype, attfdwoptions FROM pg_attribute
 WHERE attrelid = 'odd_new.deals'::regclass AND attfdwoptions::text ~ 'field=(.)\1{39}'
 ORDER BY attnum;
SET client_min_messages = notice;
SELECT q FROM sim.show(jsonb_build_array(
        jsonb_build_object('id', 1, 'custom_fields', jsonb_build_object(repeat('1', 40), 'x',
            repeat('2', 40), '{"result": 5}'::jsonb, repeat('3', 40), '[1]'::jsonb,
            repeat('4', 40), 4.50, repeat('5', 40), 7)),
        jsonb_build_object('id', 2, 'custom_fields', jsonb_build_object(repeat('1', 40), NULL,
            repeat('2', 40), 'x', repeat('3', 40), NULL,
            repeat('4', 40), NULL, repeat('5', 40), 8))),
    'SELECT id, old_field, new_kind, no_kind, twice_again, field_55555555 FROM odd_new.deals
      WHERE NOT is_archived') AS q;
SET client_min_messages = warning;
SELECT sim.call('DELETE', 'recorded');
DROP SCHEMA odd, odd_new CASCADE;

-- A list that does not come in the order that was asked for is read to its end. An upper bound on
-- update_time is no better window than a lower one on add_time.
CREATE FUNCTION sim.two_pages(one jsonb, two jsonb, query text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    faults jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('kind', 'status', 'status', 200,
               'match', jsonb_build_object('path_regex', 'deals$', 'nth', n), 'body',
               jsonb_build_object('success', true, 'data', data, 'additional_data',
                   jsonb_build_object('next_cursor', cursor))))
      INTO faults FROM (VALUES (1, one, 'x'), (2, two, NULL)) AS v (n, data, cursor);
    CALL sim.fault(faults);
    RETURN QUERY EXECUTE format('SELECT q::text FROM (%s) AS q', query);
    RETURN QUERY SELECT sim.journal();
    CALL sim.no_faults();
END $$;
\set newest 'SELECT id FROM crm.deals WHERE add_time >= $x$2026-02-01$x$ AND NOT is_archived'
SELECT sim.two_pages(
    '[{"id": 1, "add_time": "2026-01-01T00:00:00Z"}, {"id": 2, "add_time": "2026-02-01T00:00:00Z"}]',
    '[{"id": 3, "add_time": "2026-03-01T00:00:00Z"}]', :'newest');
SELECT sim.two_pages(
    '[{"id": 3, "add_time": "2026-03-01T00:00:00Z"}, {"id": 2, "add_time": "2026-01-01T00:00:00Z"}]',
    '[]', :'newest');
SELECT sim.plan('SELECT id FROM crm.persons WHERE add_time >= $$2026-02-01$$
    AND update_time < $$2026-03-01$$');
SELECT sim.plan('SELECT id FROM crm.persons WHERE add_time >= $$2026-02-01$$
    AND update_time > $$2026-03-01$$');
