\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- A mirror whose key is a UUID, of a table that two lists make: leads. And mirrors of small lists whose keys are UUIDs and texts.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (leads, lead_labels, lead_sources, stages) FROM SERVER crm INTO crm;
SELECT entity, key_column, key_type, mirrored FROM pipedrive.entities WHERE entity IN ('deals', 'leads', 'lead_labels', 'lead_sources') ORDER BY entity;
SELECT pipedrive.create_mirrors('crm'); -- the small ones are for who asks
SELECT pipedrive.create_mirror('crm.lead_labels'), pipedrive.create_mirror('crm.lead_sources');
SELECT conrelid::regclass AS mirror, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'crm_mirror'::regnamespace AND contype = 'p' ORDER BY 1;
SELECT m.target, m.key_column, m.key_type, pipedrive_internal.is_windowed(m.entity) AS windowed FROM pipedrive_internal.mirror m ORDER BY 1;
CREATE TABLE sim.lead AS
SELECT row_number() OVER (PARTITION BY (r ->> 'is_archived')::boolean ORDER BY n) AS n, (r ->> 'id')::uuid AS id, (r ->> 'is_archived')::boolean AS archived
  FROM jsonb_array_elements(sim.call('GET', 'rows/leads')::jsonb) WITH ORDINALITY AS a (r, n);
CREATE FUNCTION sim.lead(wanted bigint, of_archived boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
    SELECT l.id::text FROM sim.lead l WHERE l.n = wanted AND l.archived = of_archived $$;
-- the number of a lead instead of its key, which no one can read
CREATE FUNCTION sim.number(key text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce((SELECT CASE WHEN l.archived THEN 'archived ' ELSE 'open ' END || l.n FROM sim.lead l WHERE l.id::text = key), key) $$;
CREATE FUNCTION sim.asked_for_leads() RETURNS TABLE (requests bigint, request text) LANGUAGE sql AS $$
    SELECT sum(a.requests)::bigint, u FROM sim.asked_and_forgotten() AS a, regexp_replace(a.request, '[0-9a-f]{8}-[0-9a-f-]{27}', 'UUID', 'g') AS u GROUP BY u ORDER BY u COLLATE "C" $$;
CREATE FUNCTION sim.leads_history() RETURNS TABLE (entity text, lead text, field text, old_value jsonb, new_value jsonb, change_source text) LANGUAGE sql AS $$
    SELECT c.entity, sim.number(c.id), c.field, c.old_value, c.new_value, c.change_source FROM pipedrive.changes c
     ORDER BY c.entity, sim.number(c.id), c.arrival, c.field $$;
--
-- The first sync, and one of nothing.
--
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.asked_for_leads();
SELECT * FROM sim.differences();
SELECT bool_and(is_archived = l.archived) AS each_in_its_list, count(*) FILTER (WHERE m.is_archived) > 0 AS archived_too FROM crm_mirror.leads m JOIN sim.lead l USING (id);
CALL sim.keep_versions();
CALL pipedrive.sync('crm_mirror.leads');
SELECT * FROM sim.asked_for_leads();
CALL pipedrive.sync();
SELECT count(*) AS written FROM sim.new_versions();
SELECT count(*) AS told FROM pipedrive.changes;
--
-- What changes between two syncs: another title, a custom field, archived, back from there, new ones.
--
CALL sim.mutate(jsonb_build_array(
    jsonb_build_object('action', 'change', 'entity', 'leads', 'id', sim.lead(1), 'at', '2026-04-01T09:00:00Z', 'fields', '{"title": "Changed", "value": {"amount": 12.5, "currency": "EUR"}}'::jsonb),
    jsonb_build_object('action', 'change', 'entity', 'leads', 'id', sim.lead(2), 'at', '2026-04-01T09:00:01Z', 'fields', '{"custom_fields": {"Score": 9}}'::jsonb),
    jsonb_build_object('action', 'archive', 'entity', 'leads', 'id', sim.lead(3), 'at', '2026-04-01T09:00:02Z'),
    jsonb_build_object('action', 'unarchive', 'entity', 'leads', 'id', sim.lead(1, true), 'at', '2026-04-01T09:00:03Z'),
    jsonb_build_object('action', 'create', 'entity', 'leads', 'id', 'ffffffff-0000-4000-8000-000000000001', 'at', '2026-04-01T09:00:04Z', 'fields', '{"title": "High key"}'::jsonb),
    jsonb_build_object('action', 'create', 'entity', 'leads', 'id', '00000000-0000-4000-8000-000000000002', 'at', '2026-04-01T09:00:05Z', 'fields', '{"title": "Low key"}'::jsonb)));
CALL sim.keep_versions();
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.leads');
SELECT * FROM sim.asked_for_leads();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT v.mirror, cardinality(v.ids) FROM sim.new_versions() AS v;
SELECT * FROM sim.leads_history() WHERE field NOT IN ('archive_time');
-- a new one that no window shows is found by its time
CALL sim.mutate('[{"action": "create", "entity": "leads", "id": "77777777-0000-4000-8000-000000000003", "at": "2026-04-01T09:30:00Z", "fields": {"title": "Never changed", "update_time": null}}]');
CALL pipedrive.sync('crm_mirror.leads');
SELECT title, update_time FROM crm_mirror.leads WHERE id = '77777777-0000-4000-8000-000000000003';
-- the last second is in the view
CALL sim.mutate(jsonb_build_object('action', 'archive', 'entity', 'leads', 'id', sim.lead(4), 'at', '2026-04-01T09:40:00Z'));
SELECT (SELECT is_archived FROM crm_mirror.leads WHERE id = sim.lead(4)::uuid) AS kept, is_archived AS live FROM crm_mirror.leads_live WHERE id = sim.lead(4)::uuid;
SELECT count(*) = (SELECT count(*) FROM crm_mirror.leads) AS same_number FROM crm_mirror.leads_live;
CALL pipedrive.sync('crm_mirror.leads');
--
-- No list tells of deleted leads, nor of those that became deals: reconcile does, and takes no archived one for deleted.
--
CALL sim.mutate(jsonb_build_array(
    jsonb_build_object('action', 'delete', 'entity', 'leads', 'id', sim.lead(5), 'at', '2026-04-01T10:00:00Z'),
    jsonb_build_object('action', 'delete', 'entity', 'leads', 'id', sim.lead(2, true), 'at', '2026-04-01T10:00:01Z'),
    jsonb_build_object('action', 'archive', 'entity', 'leads', 'id', sim.lead(6), 'touch', false)));
CALL pipedrive.sync('crm_mirror.leads');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
CALL pipedrive.reconcile('crm_mirror.leads');
SELECT * FROM sim.asked_for_leads();
SELECT sim.number(id) AS gone, told_by FROM pipedrive_internal.tombstone ORDER BY 1;
SELECT count(*) AS marks FROM pipedrive_internal.refetch;
-- one that was archived without a trace is found by reading all
CALL pipedrive.sync('crm_mirror.leads', mode => 'full');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT * FROM sim.leads_history() WHERE field IN ('is_archived', 'is_deleted') AND lead <> 'open 3';
-- a mark reads by key
INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) SELECT m.mirror_id, k, 'test' FROM pipedrive_internal.mirror m, unnest(ARRAY[sim.lead(7), sim.lead(3), sim.lead(1, true), '12345678-0000-4000-8000-000000000000']) AS k WHERE m.entity = 'leads';
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.leads');
SELECT * FROM sim.asked_for_leads() WHERE request ~ 'UUID';
SELECT sim.number(id) AS gone FROM pipedrive_internal.tombstone ORDER BY 1;
SELECT * FROM sim.differences() WHERE missing + extra > 0;
--
-- A part at a time, and reconcile too.
--
ALTER SERVER crm OPTIONS (ADD page_size '5');
SELECT pipedrive.drop_mirror('crm.leads');
SELECT pipedrive.create_mirror('crm.leads');
CALL pipedrive.sync('crm_mirror.leads', max_tokens => 60);
SELECT phase, run_pages > 0 AS began, walk_position IS NOT NULL AS position FROM pipedrive_internal.mirror_state JOIN pipedrive_internal.mirror USING (mirror_id) WHERE entity = 'leads';
CALL pipedrive.sync('crm_mirror.leads', max_tokens => 5000);
CALL pipedrive.reconcile('crm_mirror.leads', max_tokens => 80);
SELECT phase FROM pipedrive.sync_progress;
CALL pipedrive.reconcile('crm_mirror.leads', max_tokens => 5000);
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT count(*) FROM pipedrive.sync_progress;
ALTER SERVER crm OPTIONS (DROP page_size);
--
-- A lead that cannot be stored costs that lead.
--
SELECT sim.call('POST', 'mutate', format('{"action": "change", "entity": "leads", "id": "%s", "fields": {"title": "Bad \u0000 title"}}', sim.lead(8))) IS NOT NULL AS done;
CALL sim.mutate(jsonb_build_object('action', 'change', 'entity', 'leads', 'id', sim.lead(9), 'fields', '{"title": "Beside it"}'::jsonb));
\set VERBOSITY terse
SET client_min_messages = error;
CALL pipedrive.sync('crm_mirror.leads');
SELECT mirror, entity, sim.number(id) AS lead, column_name, reason FROM pipedrive.bad_rows;
SELECT replace(last_error, sim.lead(8), 'UUID') AS last_error FROM pipedrive.mirrors WHERE entity = 'leads';
SELECT title FROM crm_mirror.leads WHERE id = sim.lead(9)::uuid;
ALTER TABLE crm_mirror.leads ADD CONSTRAINT no_zero CHECK (title <> 'zero');
CALL sim.mutate(jsonb_build_array(jsonb_build_object('action', 'change', 'entity', 'leads', 'id', sim.lead(8), 'fields', '{"title": "fine"}'::jsonb),
    jsonb_build_object('action', 'change', 'entity', 'leads', 'id', sim.lead(9), 'fields', '{"title": "zero"}'::jsonb)));
CALL pipedrive.sync('crm_mirror.leads');
SELECT sim.number(id) AS lead, reason FROM pipedrive.bad_rows;
SELECT sim.number(id::text) AS lead, title FROM crm_mirror.leads WHERE id IN (sim.lead(8)::uuid, sim.lead(9)::uuid) ORDER BY 1;
ALTER TABLE crm_mirror.leads DROP CONSTRAINT no_zero;
CALL pipedrive.sync('crm_mirror.leads', mode => 'full');
SELECT count(*) FROM pipedrive.bad_rows;
RESET client_min_messages;
SET client_min_messages = warning;
\set VERBOSITY default
--
-- The small lists: read whole, each by its key.
--
CALL sim.mutate('[{"action": "create", "entity": "lead_labels", "id": "11111111-0000-4000-8000-000000000001", "at": "2026-04-01T11:00:00Z", "fields": {"name": "Fresh"}},
                  {"action": "change", "entity": "lead_labels", "id": "f08b42a1-4e75-11ea-9643-03698ef1cfd6", "at": "2026-04-01T11:00:00Z", "fields": {"name": "Icy"}},
                  {"action": "delete", "entity": "lead_labels", "id": "f08b42a0-4e75-11ea-9643-03698ef1cfd6"},
                  {"action": "create", "entity": "lead_sources", "id": "Fair"},
                  {"action": "delete", "entity": "lead_sources", "id": "Live chat"}]');
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.lead_labels');
CALL pipedrive.sync('crm_mirror.lead_sources');
SELECT * FROM sim.asked_for_leads();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT entity, id, field, old_value, new_value FROM pipedrive.changes WHERE entity <> 'leads' ORDER BY entity, id, field;
SELECT m.entity, t.id FROM pipedrive_internal.tombstone t JOIN pipedrive_internal.mirror m USING (mirror_id) WHERE m.entity <> 'leads' ORDER BY 1;
CALL sim.mutate('[{"action": "create", "entity": "lead_sources", "id": "Live chat"}, {"action": "delete", "entity": "lead_sources", "id": "Fair"}]');
CALL pipedrive.reconcile('crm_mirror.lead_sources');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT id, new_value FROM pipedrive.changes WHERE entity = 'lead_sources' ORDER BY arrival;
--
-- Dropped and attached, with its history; and what lacks its key is no mirror.
--
SELECT count(*) AS told FROM pipedrive.changes WHERE entity = 'lead_labels' \gset
CREATE TABLE sim.copy AS SELECT * FROM pipedrive.changes WHERE entity = 'lead_labels';
SELECT pipedrive.drop_mirror('crm.leads', drop_table => false), pipedrive.drop_mirror('crm.lead_labels', drop_table => false);
DELETE FROM pipedrive.changes WHERE entity = 'lead_labels';
SELECT pipedrive.attach_mirror('crm.leads', 'crm_mirror.leads'), pipedrive.attach_mirror('crm.lead_labels', 'crm_mirror.lead_labels', 'sim.copy');
SELECT count(*) = :told AS history_is_back FROM pipedrive.changes WHERE entity = 'lead_labels';
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
CREATE TABLE sim.wrong AS SELECT * FROM crm.lead_labels;
CREATE TABLE sim.other (id bigint PRIMARY KEY, name text);
SELECT pipedrive.drop_mirror('crm.lead_labels');
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.lead_labels'', ''sim.wrong'')');
SELECT sim.error('SELECT pipedrive.attach_mirror(''crm.lead_labels'', ''sim.other'')');
CREATE FOREIGN TABLE crm.half (id uuid, title text, update_time timestamptz) SERVER crm OPTIONS (entity 'leads');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.half'')');
ALTER TABLE crm_mirror.lead_sources DROP CONSTRAINT lead_sources_pkey;
SELECT sim.error('SELECT pipedrive_internal.require_own(source, target) FROM pipedrive_internal.mirror WHERE entity = ''lead_sources''');
SELECT pipedrive.drop_mirror('crm.lead_sources'), pipedrive.drop_mirror('crm.leads');
SELECT count(*) FROM pg_class WHERE relnamespace = 'crm_mirror'::regnamespace AND relname LIKE 'lead%';
