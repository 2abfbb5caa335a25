\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- The edges of sync(): deletions, clocks that are wrong, times that clients chose, and events that meet a run.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
CREATE FUNCTION sim.differences() RETURNS TABLE (mirror regclass, missing bigint, extra bigint) LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT x.source, x.target, pipedrive._column_list(x.target) AS columns FROM pipedrive.mirror x ORDER BY x.target::text LOOP
        mirror := m.target;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %2$s EXCEPT SELECT %1$s FROM %3$s) AS d', m.columns, m.source, m.target) INTO missing;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %3$s EXCEPT SELECT %1$s FROM %2$s) AS d', m.columns, m.source, m.target) INTO extra;
        IF missing + extra > 0 THEN RETURN NEXT; END IF;
    END LOOP;
END $$;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
SELECT * FROM sim.differences();
--
-- Deletions. Whatever kind of run moves the watermark beyond a deletion has asked for it.
--
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 4, "at": "2026-04-01T09:00:00Z"},
                  {"action": "change", "entity": "deals", "id": 1, "at": "2026-04-01T15:00:00Z", "fields": {"title": "Later"}}]');
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
-- the reload after a new column is such a run
CALL sim.field('{"action": "add", "entity": "deals", "code": "f00000000000000000000000000000000000000f", "name": "Fresh", "type": "varchar", "values": {"1": "a", "2": "b"}}');
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 5, "at": "2026-04-02T09:00:00Z"},
                  {"action": "change", "entity": "deals", "id": 1, "at": "2026-04-02T15:00:00Z", "fields": {"title": "Later still"}}]');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
CALL pipedrive.sync('crm_mirror.deals');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
-- deleted while archived: another list of deleted ones
CALL sim.mutate('[{"action": "archive", "id": 6, "at": "2026-04-03T09:00:00Z"}, {"action": "archive", "id": 7, "at": "2026-04-03T09:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT id, is_archived FROM crm_mirror.deals WHERE id IN (6, 7) ORDER BY id;
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 6, "at": "2026-04-03T10:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences();
CALL sim.mutate('[{"action": "delete", "entity": "deals", "id": 7, "at": "2026-04-03T11:00:00Z"},
                  {"action": "change", "entity": "deals", "id": 1, "at": "2026-04-03T15:00:00Z", "fields": {"title": "Last"}}]');
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
SELECT * FROM sim.differences();
SELECT pipedrive.drop_mirror(target) FROM pipedrive.mirror;
DROP SCHEMA crm_mirror;
