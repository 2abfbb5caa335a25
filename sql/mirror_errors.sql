\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set mirrors `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirrors.psql"`
\i :mirrors
--
-- One mirror at a time, and an error in one does not stop the others.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) > 0 AS made FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
\setenv MIRROR_DB :DBNAME
BEGIN;
SELECT pg_advisory_xact_lock(1885958756, mirror_id) IS NULL AS never FROM pipedrive_internal.mirror WHERE target = 'crm_mirror.stages'::regclass;
\! psql -X -q -d "$MIRROR_DB" -c "CALL pipedrive.sync('crm_mirror.stages')" 2>&1 | sed 's/mirror [0-9][0-9]* /mirror N /'
COMMIT;
CALL sim.fault('{"kind": "status", "status": 403, "match": {"path_regex": "organizations$"}}');
CALL sim.mutate('[{"action": "change", "entity": "organizations", "id": 1, "at": "2026-04-04T09:00:00Z", "fields": {"name": "Org"}},
                  {"action": "change", "entity": "activities", "id": 1, "at": "2026-04-04T09:00:00Z", "fields": {"subject": "Act"}},
                  {"action": "change", "entity": "persons", "id": 1, "at": "2026-04-04T09:00:00Z", "fields": {"name": "Per"}}]');
CALL pipedrive.sync();
CALL sim.no_faults();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT mirror, last_error, last_error_at IS NOT NULL AS dated FROM pipedrive.mirrors WHERE last_error IS NOT NULL;
CALL pipedrive.sync();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT mirror FROM pipedrive.mirrors WHERE last_error IS NOT NULL;
-- A server that cannot be reached is not asked for its account by every mirror in turn.
DELETE FROM pipedrive_internal.server_company;
DELETE FROM pipedrive_internal.server_account;
ALTER SERVER crm OPTIONS (ADD max_retries '0');
CALL sim.fault('{"kind": "status", "status": 503}');
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.journal(true);
CALL sim.no_faults();
ALTER SERVER crm OPTIONS (DROP max_retries);
CALL pipedrive.sync();
SELECT mirror FROM pipedrive.mirrors WHERE last_error IS NOT NULL;
-- It commits, so it needs to be a statement of its own.
BEGIN;
CALL pipedrive.sync('crm_mirror.stages');
ROLLBACK;
DO $$ BEGIN CALL pipedrive.sync('crm_mirror.stages'); END $$; -- that is one, too
