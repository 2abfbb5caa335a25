\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Notes: v1's pages by offset, and conditions on whatever a note was written about.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (notes, deals, leads) FROM SERVER crm INTO crm;
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'crm.notes'::regclass AND attnum > 0 ORDER BY attnum;
CREATE TABLE sim.note AS
SELECT (r ->> 'id')::bigint AS id, r ->> 'content' AS content, (r ->> 'user_id')::bigint AS user_id, (r ->> 'deal_id')::bigint AS deal_id,
       (r ->> 'person_id')::bigint AS person_id, (r ->> 'org_id')::bigint AS org_id, (r ->> 'lead_id')::uuid AS lead_id,
       (r ->> 'project_id')::bigint AS project_id, (r ->> 'task_id')::bigint AS task_id, (r ->> 'add_time')::timestamptz AS add_time,
       (r ->> 'update_time')::timestamptz AS update_time, (r ->> 'pinned_to_deal_flag')::boolean AS pinned_to_deal_flag,
       (r ->> 'pinned_to_lead_flag')::boolean AS pinned_to_lead_flag, (r ->> 'last_update_user_id')::bigint AS last_update_user_id
  FROM jsonb_array_elements(sim.call('GET', 'rows/notes')::jsonb) AS r WHERE (r ->> 'active_flag')::boolean;
CREATE VIEW sim.shown AS SELECT id, content, user_id, deal_id, person_id, org_id, lead_id, project_id, task_id, add_time, update_time, pinned_to_deal_flag, pinned_to_lead_flag, last_update_user_id FROM crm.notes;
SELECT count(*) AS differences FROM ((TABLE sim.shown EXCEPT TABLE sim.note) UNION ALL (TABLE sim.note EXCEPT TABLE sim.shown)) AS d;
SELECT min(id) AS one, max(id) AS other, min(user_id) AS writer, min(deal_id) AS deal, min(lead_id::text) AS lead FROM sim.note \gset
CREATE FUNCTION sim.asked(query text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(r, '[0-9a-f]{8}-[0-9a-f-]{27}', 'UUID', 'g') FROM sim.requests(query) AS r $$;
SELECT sim.asked('SELECT content FROM crm.notes');
SELECT sim.asked(format('SELECT content FROM crm.notes WHERE id = %s', :one));
SELECT sim.asked(format('SELECT content FROM crm.notes WHERE deal_id = %s AND user_id = %s', :deal, :writer));
SELECT sim.asked(format('SELECT content FROM crm.notes WHERE lead_id = %L', :'lead'));
SELECT sim.asked('SELECT content FROM crm.notes WHERE pinned_to_deal_flag AND NOT pinned_to_lead_flag');
SELECT sim.asked('SELECT content FROM crm.notes WHERE update_time >= ''2026-03-01''');
SELECT sim.asked('SELECT content FROM crm.notes WHERE add_time >= ''2026-03-01''');
SELECT sim.asked('SELECT content FROM crm.notes WHERE task_id IS NULL');
SELECT sim.plan('SELECT content FROM crm.notes WHERE pinned_to_deal_flag AND lead_id = ''9ce77a10-2e16-11f1-91c1-d76c00000003'' AND content ~ ''offer''');
CREATE FUNCTION sim.same(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    pushed bigint[];
    plain bigint[];
    truth bigint[];
BEGIN
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM crm.notes WHERE %s', condition) INTO pushed;
    SET pipedrive_fdw.enable_pushdown = off;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM crm.notes WHERE %s', condition) INTO plain;
    RESET pipedrive_fdw.enable_pushdown;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM sim.note WHERE %s', condition) INTO truth;
    RETURN CASE WHEN pushed IS DISTINCT FROM plain OR plain IS DISTINCT FROM truth THEN 'different' WHEN plain IS NULL THEN 'none' ELSE 'the same' END;
END $$;
SELECT n, sim.same(c) FROM unnest(ARRAY[format('id = %s', :one), format('id IN (%s, %s, 999999)', :one, :other), 'id = 999999', 'user_id = ' || :writer,
    format('deal_id = %s AND user_id = %s', :deal, :writer), format('lead_id = %L', :'lead'), format('lead_id = %L', gen_random_uuid()), 'project_id = 1',
    'task_id = 1', 'org_id = 1', 'pinned_to_deal_flag', 'NOT pinned_to_deal_flag', 'pinned_to_lead_flag IS FALSE', 'pinned_to_lead_flag IS NOT TRUE',
    'update_time >= ''2026-01-01''', 'update_time < ''2026-01-01''', 'add_time >= ''2026-01-01''', 'add_time > ''2026-01-01'' AND deal_id = ' || :deal,
    'content ~ ''offer'' AND user_id = ' || :writer]) WITH ORDINALITY AS t (c, n);
-- The notes of some deals, and the leads of some notes, by a join.
SELECT count(*) = (SELECT count(*) FROM sim.note n JOIN sim.rows('deals') AS d ON d.id = n.deal_id WHERE d.id <= 10) AS whole FROM crm.deals d JOIN crm.notes n ON n.deal_id = d.id WHERE d.id <= 10;
SELECT count(*) = (SELECT count(*) FROM sim.note WHERE lead_id IS NOT NULL) AS whole FROM crm.notes n JOIN crm.leads l ON l.id = n.lead_id;
