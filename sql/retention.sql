\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- What is kept for how long: what waits too, a setting that is no time span deletes nothing, and one
-- that is bad does not stop the others.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO crm;
SELECT pipedrive.create_mirror('crm.deals');
INSERT INTO pipedrive_internal.server_company VALUES ('crm', '100200300');
CREATE FUNCTION sim.send(id bigint, mode text DEFAULT 'apply', action text DEFAULT 'change') RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', mode || id, 'entity', 'deal', 'entity_id', id::text, 'action', action, 'company_id', '100200300',
        'timestamp', '2026-05-01T00:00:00Z'), 'data', CASE action WHEN 'delete' THEN 'null'::jsonb ELSE jsonb_build_object('id', id, 'title', 'x', 'update_time', '2026-05-01T00:00:00Z') END), mode)
$$;
CREATE PROCEDURE sim.again() LANGUAGE sql AS $$
    TRUNCATE pipedrive.inbox, pipedrive_internal.refetch, pipedrive_internal.tombstone, pipedrive.changes, pipedrive.refresh_log, crm_mirror.deals;
    SELECT sim.send(9001), sim.send(9002, 'queue'), sim.send(9003, 'apply', 'delete'), sim.send(9004, 'apply', 'delete');
    UPDATE pipedrive.inbox SET received_at = now() - interval '20 days';
    UPDATE pipedrive_internal.tombstone SET recorded_at = now() - interval '100 days';
    INSERT INTO pipedrive.refresh_log VALUES ('pg_class', now() - interval '31 days', '0');
    INSERT INTO pipedrive.changes SELECT mirror_id, 'deals', 9001, 'title', '"a"', '"b"', '2020-01-01', 'sync', '2020-01-01' FROM pipedrive_internal.mirror;
    DELETE FROM pipedrive.inbox WHERE entity_id = '9004';
    TRUNCATE pipedrive_internal.refetch;
$$;
CREATE FUNCTION sim.left() RETURNS TABLE (what text, n bigint) LANGUAGE sql AS $$
    SELECT 'settled events', count(*) FROM pipedrive.inbox WHERE status <> 'queued' UNION ALL SELECT 'queued events', count(*) FROM pipedrive.inbox WHERE status = 'queued'
    UNION ALL SELECT 'tombstones', count(*) FROM pipedrive_internal.tombstone UNION ALL SELECT 'refresh log', count(*) FROM pipedrive.refresh_log WHERE view = 'pg_class'::regclass
    UNION ALL SELECT 'changes', count(*) FROM pipedrive.changes WHERE recorded_at < '2021-01-01' UNION ALL SELECT 'marks', count(*) FROM pipedrive_internal.refetch
$$;
-- The defaults: what waits is kept longer; a deletion is kept while an event of its record is
CALL sim.again();
SELECT * FROM sim.left();
SELECT pipedrive.purge_inbox();
SELECT * FROM sim.left();
CALL sim.again();
UPDATE pipedrive.inbox SET received_at = now() - interval '6 days' WHERE entity_id = '9003';
CALL pipedrive.apply_retention();
SELECT * FROM sim.left();
-- A number without a unit would be seconds; a partition with a name like ours that is none of ours stays
INSERT INTO pipedrive.settings VALUES ('inbox_retention', '30');
CREATE TABLE pipedrive.changes_202613 PARTITION OF pipedrive.changes FOR VALUES FROM ('2001-01-01') TO ('2001-02-01');
CALL pipedrive.apply_retention();
DELETE FROM pipedrive.settings WHERE name = 'inbox_retention';
CALL pipedrive.apply_retention();
DROP TABLE pipedrive.changes_202613;
SELECT * FROM sim.left();
-- What has waited for too long goes, and its record is read instead
UPDATE pipedrive.inbox SET received_at = now() - interval '31 days';
SELECT pipedrive.purge_inbox();
SELECT id, reason FROM pipedrive_internal.refetch;
SELECT * FROM sim.left();
CALL sim.again();
INSERT INTO pipedrive.settings VALUES ('queue_retention', '19 days'), ('tombstone_retention', 'forever'), ('inbox_retention', '21 days');
CALL pipedrive.apply_retention();
SELECT * FROM sim.left();
DELETE FROM pipedrive.settings;
-- No time span
SELECT v, pipedrive_internal.retention_cutoff('x'::text, v) < now() AS past FROM unnest(ARRAY['1 day', '1 second', 'forever', '1 year -1 day']) AS v;
SELECT v, sim.error(format('SELECT pipedrive_internal.retention_cutoff(''x''::text, %L::text)', v)) AS error FROM unnest(ARRAY['-2 years', '0', '', 'soon', '1 day -2 days', '300000 years', 'infinity years']) AS v;
-- One that is bad deletes nothing, and stops nothing else
CALL sim.again();
INSERT INTO pipedrive.settings VALUES ('changes_retention', '-2 years'), ('inbox_retention', 'soon');
\set VERBOSITY default
CALL pipedrive.apply_retention();
SELECT * FROM sim.left();
SELECT sim.error('SELECT pipedrive.purge_inbox()');
DELETE FROM pipedrive.settings;
INSERT INTO pipedrive.settings VALUES ('queue_retention', '-1 day'), ('refresh_log_retention', '0'), ('tombstone_retention', 'x');
CALL sim.again();
CALL pipedrive.apply_retention();
SELECT * FROM sim.left();
DELETE FROM pipedrive.settings;
-- One that fails for another reason does not stop the others either
CALL sim.again();
SELECT pipedrive_internal.create_change_partition('2020-01-01');
CREATE VIEW crm_mirror.of_january AS SELECT * FROM pipedrive.changes_202001;
INSERT INTO pipedrive.settings VALUES ('changes_retention', '2 years');
CALL pipedrive.apply_retention();
SELECT * FROM sim.left();
DROP VIEW crm_mirror.of_january;
CALL pipedrive.apply_retention();
SELECT to_regclass('pipedrive.changes_202001');
DELETE FROM pipedrive.settings;
-- What changed when, in every partition
SELECT i.inhrelid::regclass::text ~ 'changes_default' AS default_one, string_agg(regexp_replace(pg_get_indexdef(x.indexrelid), '^.* USING ', ''), '; ' ORDER BY x.indexrelid) AS indexes
  FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid WHERE i.inhparent = 'pipedrive.changes'::regclass GROUP BY i.inhrelid ORDER BY i.inhrelid::regclass::text LIMIT 2;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM pipedrive.changes_default WHERE recorded_at > '2026-01-01' ORDER BY recorded_at DESC LIMIT 10;
RESET enable_seqscan;
