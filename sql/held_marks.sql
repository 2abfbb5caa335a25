\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set VERBOSITY terse
--
-- A row that the brake holds back and an event is about is read by the next sync all the same.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
CREATE FUNCTION sim.event(id bigint, name text, data jsonb, stamp text DEFAULT '2026-06-01T00:00:00.000Z') RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', name, 'entity', 'person', 'entity_id', id::text, 'company_id', '100200300',
        'action', CASE WHEN data IS NULL THEN 'delete' ELSE 'change' END, 'timestamp', stamp), 'data', jsonb_build_object('id', id) || data))
$$;
CREATE PROCEDURE sim.token(token text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token %L)', token);
    UPDATE pipedrive_internal.server_account SET stamp = pipedrive_internal.account_stamp('crm');
END $$;
CALL sim.token('sim-token-limited');
CREATE TABLE sim.hidden AS SELECT m.id, row_number() OVER (ORDER BY m.id) AS n FROM crm_mirror.persons m WHERE m.id NOT IN (SELECT id FROM crm.persons);
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT held_back = (SELECT count(*) FROM sim.hidden) AS held, held_back > 9 AS many FROM pipedrive.mirrors;
-- the rights are back; two change, at a time that sync() does not ask for, one of them with an event that cannot be read, and one is deleted
CALL sim.token('sim-token-admin');
SELECT sim.call('POST', 'mutate', (SELECT jsonb_agg(jsonb_build_object('action', 'change', 'entity', 'persons', 'id', id, 'at', '2020-01-01T00:00:00Z', 'fields', jsonb_build_object('name', 'In the account'))) FROM sim.hidden WHERE n <= 2)::text) IS NOT NULL AS done;
SELECT sim.call('POST', 'mutate', (SELECT jsonb_build_array(jsonb_build_object('action', 'delete', 'entity', 'persons', 'id', id)) FROM sim.hidden WHERE n = 3)::text) IS NOT NULL AS done;
SELECT n, sim.event(id, 'h' || n, CASE WHEN n < 3 THEN '{"name": "By an event"}'::jsonb END, CASE n WHEN 1 THEN 'bad' ELSE '2040-01-01T00:00:00Z' END) FROM sim.hidden WHERE n <= 3 ORDER BY n;
SELECT h.n, r.held, r.reason FROM sim.hidden h JOIN pipedrive_internal.refetch r ON r.id = h.id::text WHERE h.n <= 4 ORDER BY n;
CALL pipedrive.sync('crm_mirror.persons');
SELECT h.n, m.name = 'In the account' AS as_the_account, m._source, r.held FROM sim.hidden h LEFT JOIN crm_mirror.persons m ON m.id = h.id LEFT JOIN pipedrive_internal.refetch r ON r.id = h.id::text WHERE h.n <= 4 ORDER BY n;
-- a mark that an event made is not held by a walk: its row is read first (one that is gone is under the limit)
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT count(*) FROM pipedrive_internal.refetch;
CALL sim.token('sim-token-limited');
SELECT sim.event(id, 'later', '{"name": "Later"}', 'bad') FROM sim.hidden WHERE n = 1;
BEGIN;
SELECT pipedrive_internal.hold_back(m, ARRAY(SELECT id::text FROM sim.hidden WHERE n <= 2), NULL::bigint) FROM pipedrive_internal.mirror m;
SELECT h.n, r.held, r.reason FROM sim.hidden h JOIN pipedrive_internal.refetch r ON r.id = h.id::text ORDER BY n;
ROLLBACK;
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT h.n, r.held, r.reason, m.id IS NOT NULL AS there FROM sim.hidden h LEFT JOIN pipedrive_internal.refetch r ON r.id = h.id::text LEFT JOIN crm_mirror.persons m ON m.id = h.id WHERE h.n <= 2 ORDER BY n;
-- and when the walk sees the row again it is compared, not only let go
CALL sim.token('sim-token-admin');
UPDATE pipedrive_internal.refetch SET reason = 'webhook', held = true WHERE id = (SELECT id::text FROM sim.hidden WHERE n = 2);
UPDATE crm_mirror.persons SET name = 'Stale' WHERE id = (SELECT id FROM sim.hidden WHERE n = 2);
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT name FROM crm_mirror.persons WHERE id = (SELECT id FROM sim.hidden WHERE n = 2);
SELECT count(*) FROM pipedrive_internal.refetch;
