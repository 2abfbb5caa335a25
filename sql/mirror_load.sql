\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- The first sync reads each page once; under a limit of tokens it goes on where it stopped.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) > 0 AS made FROM pipedrive.create_mirrors('crm');
--
-- The first sync: all rows, each page once.
--
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences();
SELECT count(*), count(*) FILTER (WHERE is_archived) AS archived, count(DISTINCT _source) AS sources, count(_synced_at) AS dated FROM crm_mirror.deals;
-- (definitions of fields, where a setting of the simulator makes them needed, cost 10 more)
SELECT mirror, CASE WHEN entity IN ('persons', 'organizations') THEN least(tokens_today, 10) ELSE tokens_today END AS tokens_today, phase, last_error, to_refetch, lag < '1 minute' AS fresh, watermark IS NOT NULL AS has_watermark FROM pipedrive.mirrors ORDER BY mirror::text;
SELECT * FROM pipedrive.sync_progress;
SELECT * FROM sim.history(); -- begins afterwards
SELECT * FROM pipedrive_internal.tombstone;
--
-- A limit of tokens: stops, keeps what it has, and goes on from there. No page of a load is read twice.
--
ALTER SERVER crm OPTIONS (ADD page_size '10');
SELECT pipedrive.drop_mirror('crm.persons');
SELECT pipedrive.create_mirror('crm.persons');
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons', max_tokens => 20);
SELECT phase, run_rows AS rows, run_pages AS pages, run_tokens IN (20, 30) AS counted, walk_position IS NOT NULL AS position FROM pipedrive_internal.mirror_state JOIN pipedrive_internal.mirror USING (mirror_id) WHERE target = 'crm_mirror.persons'::regclass;
SELECT mirror, phase, rows, pages, eta FROM pipedrive.sync_progress;
SELECT count(*) FROM crm_mirror.persons;
-- too little for a page, and an error: both leave it where it was
SET client_min_messages = notice;
CALL pipedrive.sync('crm_mirror.persons', max_tokens => 9);
SET client_min_messages = warning;
CALL sim.fault('{"kind": "status", "status": 403, "match": {"path_regex": "persons$"}}');
CALL pipedrive.sync('crm_mirror.persons');
CALL sim.no_faults();
SELECT count(*) FROM crm_mirror.persons;
SELECT last_error, phase FROM pipedrive.mirrors WHERE last_error IS NOT NULL;
CALL sim.clear();
-- from the mirror's own setting
UPDATE pipedrive.mirrors SET max_tokens = 10 WHERE mirror = 'crm_mirror.persons'::regclass;
SELECT sim.error('UPDATE pipedrive.mirrors SET rows = 0 WHERE mirror = ''crm_mirror.persons''::regclass');
CALL pipedrive.sync('crm_mirror.persons');
SELECT count(*) FROM crm_mirror.persons;
CALL pipedrive.sync('crm_mirror.persons', max_tokens => 1000);
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences() WHERE mirror = 'crm_mirror.persons'::regclass;
SELECT * FROM pipedrive.sync_progress;
SELECT last_error, phase, max_tokens FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.persons'::regclass;
-- reconcile in parts
CALL pipedrive.reconcile('crm_mirror.persons', max_tokens => 20);
SELECT mirror, phase, rows, pages FROM pipedrive.sync_progress;
CALL pipedrive.reconcile('crm_mirror.persons', max_tokens => 100);
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM pipedrive.sync_progress;
ALTER SERVER crm OPTIONS (DROP page_size);
