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
