\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Queued events about one record that came by different doors: with the server and without, with the company and
-- without, the id spelled in two ways. They run one after the other: the later one counts, and the history is what was.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, users) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) FROM pipedrive.create_mirrors('crm');
INSERT INTO pipedrive_internal.server_company VALUES ('crm', '100200300');
INSERT INTO crm_mirror.deals (id, title, value, update_time) SELECT i, 't0', 1, '2026-03-01' FROM generate_series(1, 9) AS i;
UPDATE pipedrive_internal.mirror_state SET last_sync = now(), loaded = true;
CREATE FUNCTION sim.queue(id bigint, second integer, data jsonb, server name DEFAULT NULL, company text DEFAULT '100200300', spelled text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_strip_nulls(jsonb_build_object('version', '2.0', 'id', second, 'entity', 'deal', 'entity_id', coalesce(spelled, id::text), 'company_id', company,
        'action', CASE WHEN data IS NULL THEN 'delete' ELSE 'change' END, 'timestamp', format('2026-05-01T00:00:0%sZ', second))),
        'data', jsonb_build_object('id', id, 'update_time', format('2026-05-01T00:00:0%sZ', second)) || data), 'queue', server)
$$;
CREATE FUNCTION sim.history() RETURNS TABLE (id bigint, told text) LANGUAGE sql AS $$
    SELECT c.id::bigint, string_agg(format('%s: %s -> %s', c.field, c.old_value, c.new_value), ', ' ORDER BY c.recorded_at, c.field) FROM pipedrive.changes c GROUP BY 1 ORDER BY 1
$$;
-- the server told by the first, by the second, and the later one first in the queue
SELECT sim.queue(1, 1, '{"title": "first", "value": 5}', 'crm'), sim.queue(1, 2, '{"title": "second"}');
SELECT sim.queue(2, 1, '{"title": "first", "value": 5}'), sim.queue(2, 2, '{"title": "second"}', 'crm');
SELECT sim.queue(3, 2, '{"title": "second"}'), sim.queue(3, 1, '{"title": "first", "value": 5}', 'crm');
-- the company
SELECT sim.queue(4, 1, '{"title": "first", "value": 5}', NULL, NULL), sim.queue(4, 2, '{"title": "second"}');
SELECT sim.queue(5, 1, '{"title": "first", "value": 5}'), sim.queue(5, 2, '{"title": "second"}', NULL, NULL);
-- a deletion, after and before; an id with zeros; a row that is new
SELECT sim.queue(6, 1, '{"title": "first", "value": 5}', 'crm'), sim.queue(6, 2, NULL);
SELECT sim.queue(7, 2, '{"title": "back"}', 'crm'), sim.queue(7, 1, NULL);
SELECT sim.queue(8, 1, '{"title": "first"}'), sim.queue(8, 2, NULL, NULL, '100200300', '008');
SELECT sim.queue(10, 1, '{"title": "first", "value": 5}', 'crm'), sim.queue(10, 2, '{"title": "second"}');
CALL pipedrive.apply_inbox();
SELECT id, title, value, update_time FROM crm_mirror.deals ORDER BY id;
SELECT * FROM sim.history();
SELECT entity_id, string_agg(outcome, ', ' ORDER BY event_time) FROM pipedrive.inbox GROUP BY 1 ORDER BY entity_id::bigint;
-- run again they change nothing
SELECT * FROM pipedrive.replay(only_failed => false);
SELECT id, title, value, update_time FROM crm_mirror.deals ORDER BY id;
-- nor what a sync has corrected, by whatever clock that was
UPDATE crm_mirror.deals SET title = 'corrected', update_time = '2026-04-01', _source = 'sync', _synced_at = '2020-01-01' WHERE id = 1;
SELECT * FROM pipedrive.replay(only_failed => false);
SELECT title FROM crm_mirror.deals WHERE id = 1;
-- without a time of the record the later event is known by itself, whichever door it came by
CREATE FUNCTION sim.user_event(second integer, name text, company text, mode text) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_strip_nulls(jsonb_build_object('version', '2.0', 'id', '9001', 'entity', 'user', 'entity_id', '9001', 'company_id', company, 'action', 'change',
        'timestamp', format('2026-05-01T00:00:0%sZ', second))), 'data', jsonb_build_object('id', 9001, 'name', name)), mode)
$$;
SELECT sim.user_event(2, 'later', NULL, 'apply') AS later, sim.user_event(1, 'earlier', '100200300', 'apply') AS earlier;
SELECT name FROM crm_mirror.users;
--
-- Mirrors of one entity that belong to two roles: what was applied to one counts, whichever comes first, and a later
-- event that was applied is known to an earlier one
--
DROP ROLE IF EXISTS regress_pipedrive_owner;
CREATE ROLE regress_pipedrive_owner;
CREATE FUNCTION sim.in_both(id bigint, second integer, name text, mode text, action text DEFAULT 'change') RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', second::text, 'entity', 'stage', 'entity_id', id::text, 'company_id', '100200300', 'action', action,
        'timestamp', format('2026-05-01T00:00:0%sZ', second)), 'data', jsonb_build_object('id', id, 'name', name)), mode)
$$;
DROP SCHEMA IF EXISTS crm_too CASCADE;
CREATE SCHEMA crm_too;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO crm_too OPTIONS (optional_fields 'false');
SELECT pipedrive.create_mirror('crm.stages', 'crm_mirror.stages') AS theirs, pipedrive.create_mirror('crm_too.stages', 'crm_too.stages_here') AS ours;
INSERT INTO crm_mirror.stages (id, name) SELECT i, 'as it was' FROM generate_series(1, 5) AS i;
INSERT INTO crm_too.stages_here (id, name) SELECT i, 'as it was' FROM generate_series(1, 5) AS i;
SELECT mirror_id AS theirs FROM pipedrive_internal.mirror WHERE target = 'crm_mirror.stages'::regclass \gset
-- the mirror of the other role comes first, then last
ALTER TABLE crm_mirror.stages OWNER TO regress_pipedrive_owner;
SELECT sim.in_both(1, 2, 'newer', 'apply') AS newer, sim.in_both(1, 1, 'older', 'apply') AS older;
SELECT sim.in_both(2, 2, 'newer', 'queue') AS newer, sim.in_both(3, 4, 'gone', 'queue', 'delete') AS gone;
CALL pipedrive.apply_inbox();
SELECT sim.in_both(2, 1, 'older', 'queue') AS older, sim.in_both(3, 3, 'older', 'queue') AS older;
CALL pipedrive.apply_inbox();
SELECT id, name FROM crm_too.stages_here WHERE id < 4 ORDER BY id;
SELECT id, name FROM crm_mirror.stages WHERE id < 4 ORDER BY id;
ALTER TABLE crm_mirror.stages OWNER TO CURRENT_USER;
ALTER TABLE crm_too.stages_here OWNER TO regress_pipedrive_owner;
SELECT sim.in_both(4, 6, 'newer', 'apply') AS newer, sim.in_both(4, 5, 'older', 'apply') AS older;
SELECT sim.in_both(5, 6, 'newer', 'queue') AS newer;
CALL pipedrive.apply_inbox();
SELECT sim.in_both(5, 5, 'older', 'queue') AS older;
CALL pipedrive.apply_inbox();
SELECT id, name FROM crm_mirror.stages WHERE id > 3 ORDER BY id;
SELECT entity_id, string_agg(outcome, ', ' ORDER BY event_time) FROM pipedrive.inbox WHERE entity = 'stage' GROUP BY 1 ORDER BY 1;
-- the other role's next sync reads them
SELECT count(DISTINCT id) FROM pipedrive_internal.refetch WHERE mirror_id = :theirs;
-- where no mirror is ours nothing was applied
ALTER TABLE crm_mirror.stages OWNER TO regress_pipedrive_owner;
SELECT sim.in_both(4, 7, 'newest', 'apply');
DROP SCHEMA crm_too CASCADE;
DROP SCHEMA crm_mirror CASCADE;
DROP OWNED BY regress_pipedrive_owner;
DROP ROLE regress_pipedrive_owner;
