\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Leads: keys that are UUIDs, pages by offset, a second list of archived ones, custom fields of deals flat on the record.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (leads, lead_labels, deals) FROM SERVER crm INTO crm;
SELECT attname, format_type(atttypid, atttypmod) AS type, attfdwoptions AS options
  FROM pg_attribute WHERE attrelid = 'crm.leads'::regclass AND attnum > 0 ORDER BY attnum;
-- Custom fields have the columns that they have in deals.
SELECT d.attname FROM pg_attribute d WHERE d.attrelid = 'crm.deals'::regclass AND d.attfdwoptions::text ~ 'field=[0-9a-f]{40}'
EXCEPT SELECT l.attname FROM pg_attribute l WHERE l.attrelid = 'crm.leads'::regclass;
-- The account as it is, from the simulator's store.
CREATE TABLE sim.lead AS
SELECT (r ->> 'id')::uuid AS id, r ->> 'title' AS title, (r #>> '{value,amount}')::numeric AS value, r #>> '{value,currency}' AS currency,
       (r ->> 'person_id')::bigint AS person_id, (r ->> 'owner_id')::bigint AS owner_id,
       ARRAY(SELECT jsonb_array_elements_text(r -> 'label_ids'))::uuid[] AS label_ids, (r ->> 'is_archived')::boolean AS is_archived,
       (r ->> 'archive_time')::timestamptz AS archive_time, (r ->> 'update_time')::timestamptz AS update_time,
       (r ->> 'visible_to')::bigint AS visible_to, r ->> 'source_name' AS source_name
  FROM jsonb_array_elements(sim.call('GET', 'rows/leads')::jsonb) AS r;
SELECT count(*) AS leads, count(*) FILTER (WHERE is_archived) AS archived FROM sim.lead;
CREATE VIEW sim.shown AS SELECT id, title, value, currency, person_id, owner_id, label_ids, is_archived, archive_time, update_time, visible_to, source_name FROM crm.leads;
SELECT count(*) AS differences FROM ((TABLE sim.shown EXCEPT TABLE sim.lead) UNION ALL (TABLE sim.lead EXCEPT TABLE sim.shown)) AS d;
-- Labels are names by a join.
SELECT b.name, count(*) FROM crm.leads l JOIN crm.lead_labels b ON b.id = ANY (l.label_ids) GROUP BY 1 ORDER BY 2 DESC, b.name COLLATE "C";
-- Custom fields are there for who has them, whatever their type.
SELECT count(custom_fields) AS leads, count(*) FILTER (WHERE custom_fields <> '{}') > 0 AS some_have_fields FROM crm.leads;
-- Where the API does not give an archived lead by its id, the lists are read as well.
CALL sim.switch('{"get_archived": "found"}');
-- Conditions, and the requests that they become.
SELECT min(id::text) FILTER (WHERE NOT is_archived) AS one, min(id::text) FILTER (WHERE is_archived) AS archived, min(owner_id) AS owner, min(person_id) AS person FROM sim.lead \gset
CREATE FUNCTION sim.asked(query text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(r, '[0-9a-f]{8}-[0-9a-f-]{27}', 'UUID', 'g') FROM sim.requests(query) AS r $$;
SELECT sim.asked('SELECT title FROM crm.leads');
SELECT sim.asked(format('SELECT title FROM crm.leads WHERE id = %L', :'one'));
SELECT sim.asked(format('SELECT title FROM crm.leads WHERE id = %L AND NOT is_archived', :'archived'));
SELECT sim.asked(format('SELECT title FROM crm.leads WHERE id IN (%L, %L)', :'one', :'archived'));
SELECT sim.asked(format('SELECT title FROM crm.leads WHERE owner_id = %s AND person_id = %s', :owner, :person));
SELECT sim.asked('SELECT title FROM crm.leads WHERE NOT is_archived');
SELECT sim.asked('SELECT title FROM crm.leads WHERE is_archived');
SELECT sim.asked('SELECT title FROM crm.leads WHERE update_time >= ''2026-03-01 00:00:00.5+00''');
SELECT sim.asked('SELECT title FROM crm.leads WHERE update_time < ''2026-03-01''');
SELECT sim.asked('SELECT title FROM crm.leads WHERE add_time >= ''2026-03-01''');
SELECT sim.plan(format('SELECT title FROM crm.leads WHERE id = %L', '9ce77a10-2e16-11f1-91c1-d76c00000003'));
SELECT sim.plan('SELECT title FROM crm.leads WHERE update_time >= ''2026-03-01'' AND owner_id = 7');
-- With push-down, without it, and by the simulator's own rows: the same.
CREATE FUNCTION sim.same(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    pushed uuid[];
    plain uuid[];
    truth uuid[];
BEGIN
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM crm.leads WHERE %s', condition) INTO pushed;
    SET pipedrive_fdw.enable_pushdown = off;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM crm.leads WHERE %s', condition) INTO plain;
    RESET pipedrive_fdw.enable_pushdown;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM sim.lead WHERE %s', condition) INTO truth;
    RETURN CASE WHEN pushed IS DISTINCT FROM plain OR plain IS DISTINCT FROM truth THEN 'different' WHEN plain IS NULL THEN 'none' ELSE 'the same' END;
END $$;
SELECT n, sim.same(c) FROM unnest(ARRAY[format('id = %L', :'one'), format('id = %L', upper(:'one')), format('id IN (%L, %L, %L)', :'one', :'archived', gen_random_uuid()),
    format('id = ANY (%L)', ARRAY[:'one', NULL, :'archived']), format('id = %L', gen_random_uuid()), format('id = %L AND is_archived', :'one'),
    format('id = %L AND NOT is_archived', :'archived'), 'owner_id = ' || :owner, format('owner_id = %s AND person_id = %s', :owner, :person),
    'is_archived', 'NOT is_archived AND owner_id = ' || :owner, 'update_time >= ''2026-01-01''', 'update_time > ''2026-02-01 12:00:00.037+00''',
    'update_time < ''2026-01-01''', 'is_archived AND update_time >= ''2026-02-01''', 'update_time BETWEEN ''2025-06-01'' AND ''2026-01-01''',
    'update_time >= ''2027-01-01''', 'source_name = ''API''', 'id IS NULL']) WITH ORDINALITY AS t (c, n);
-- Many keys: one by one they would cost more than the lists do, so the lists are read.
SELECT array_agg(id) AS all_ids FROM sim.lead \gset
SELECT count(*) = (SELECT count(*) FROM sim.lead) AS whole FROM crm.leads WHERE id = ANY (:'all_ids');
-- Rows that vanish while pages travel: those that stand are returned, each once.
ALTER FOREIGN TABLE crm.leads OPTIONS (ADD page_size '5');
SELECT jsonb_agg(jsonb_build_object('action', 'delete', 'entity', 'leads', 'id', id)) AS victims FROM (SELECT id FROM sim.lead WHERE NOT is_archived ORDER BY id LIMIT 4) AS v \gset
CALL sim.on_request(jsonb_build_object('after_request_matching', '{"path_regex": "leads$", "nth": 2}'::jsonb, 'mutations', :'victims'::jsonb));
CREATE TABLE sim.found AS SELECT id FROM crm.leads;
SELECT count(*) = count(DISTINCT id) AS each_once FROM sim.found;
SELECT count(*) AS missing FROM sim.lead l WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(:'victims') AS v WHERE v ->> 'id' = l.id::text) AND NOT EXISTS (SELECT FROM sim.found f WHERE f.id = l.id);
CALL sim.reset();
-- What the API may answer and never should.
CREATE FUNCTION sim.answer(body jsonb, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text;
BEGIN
    PERFORM sim.call('POST', 'recorded', jsonb_build_object('path', '/v1/leads', 'body', body)::text);
    told := sim.error(query);
    PERFORM sim.call('DELETE', 'recorded');
    RETURN told;
END $$;
SELECT sim.answer('{"success": true, "data": [{"id": 7}]}', 'SELECT id FROM crm.leads');
SELECT sim.answer('{"success": true, "data": [{"id": "9ce77a10-2e16-11f1-91c1-d76c55e1594b", "value": {"amount": "much"}}], "additional_data": {"more_items_in_collection": false}}', 'SELECT value FROM crm.leads');
SELECT sim.answer('{"success": true, "data": [], "additional_data": {"next_cursor": "x"}}', 'SELECT id FROM crm.leads');
SELECT sim.answer('{"success": true, "data": [], "additional_data": {"more_items_in_collection": true}}', 'SELECT id FROM crm.leads WHERE NOT is_archived');
