\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set VERBOSITY terse
--
-- Lists that the API refuses, for once or for good: no deletion is lost, and the rest of a run is done.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT count(*) FROM pipedrive.create_mirrors('crm');
INSERT INTO pipedrive.settings VALUES ('max_deleted_percent', '90');
CALL pipedrive.sync();
CREATE FUNCTION sim.differences() RETURNS TABLE (mirror regclass, missing bigint, extra bigint) LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT x.source, x.target, pipedrive_internal.column_list(x.target) AS columns FROM pipedrive_internal.mirror x ORDER BY x.target::text LOOP
        mirror := m.target;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %2$s EXCEPT SELECT %1$s FROM %3$s) AS d', m.columns, m.source, m.target) INTO missing;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %3$s EXCEPT SELECT %1$s FROM %2$s) AS d', m.columns, m.source, m.target) INTO extra;
        IF missing + extra > 0 THEN RETURN NEXT; END IF;
    END LOOP;
END $$;
-- deals that are deleted below, every other one of them archived before
CREATE TABLE sim.chosen AS
    SELECT id, n, n % 2 = 0 AS archived
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM crm_mirror.deals WHERE NOT is_archived) AS d WHERE n <= 36;
SELECT sim.call('POST', 'mutate', (SELECT jsonb_agg(jsonb_build_object('action', 'archive', 'id', id, 'at', '2026-04-01T09:00:00Z') ORDER BY id) FROM sim.chosen WHERE archived)::text) <> '' AS done;
CALL pipedrive.sync();
SELECT * FROM sim.differences();
CREATE FUNCTION sim.utc(at timestamptz) RETURNS text LANGUAGE sql AS $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;
-- deletes some of them; a later change of another deal moves the watermark beyond that
CREATE PROCEDURE sim.delete_deals(first bigint, last bigint, at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    changes jsonb := (SELECT jsonb_agg(jsonb_build_object('action', 'delete', 'entity', 'deals', 'id', id, 'at', sim.utc(at)) ORDER BY id) FROM sim.chosen WHERE n BETWEEN first AND last);
    other bigint := (SELECT max(id) FROM crm_mirror.deals);
BEGIN
    CALL sim.mutate(changes || jsonb_build_object('action', 'change', 'entity', 'deals', 'id', other, 'at', sim.utc(at + interval '1 day'), 'fields', jsonb_build_object('title', 'After ' || sim.utc(at))));
END $$;
CREATE TABLE sim.calls (tokens bigint, phase text);
-- calls with a limit, until one ends within a phase, or the run has ended
CREATE PROCEDURE sim.sync_until(phase text, max_tokens bigint) LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    now record;
BEGIN
    DELETE FROM sim.calls;
    LOOP
        SELECT m.tokens_today INTO before FROM pipedrive.mirrors m WHERE m.entity = 'deals';
        CALL pipedrive.sync('crm_mirror.deals', max_tokens => max_tokens);
        SELECT s.phase, s.walk_position, s.tokens_today INTO now FROM pipedrive_internal.mirror_state s JOIN pipedrive_internal.mirror m USING (mirror_id) WHERE m.entity = 'deals';
        INSERT INTO sim.calls VALUES (now.tokens_today - before, now.phase);
        COMMIT;
        EXIT WHEN now.phase IS NULL OR now.phase = sync_until.phase AND now.walk_position IS NOT NULL;
    END LOOP;
END $$;
CREATE VIEW sim.deals_now AS
    SELECT s.phase, s.walk_position IS NOT NULL AS within, s.last_error IS NOT NULL AS failed, (SELECT string_agg(k, ', ') FROM jsonb_object_keys(s.passed_over) AS k) AS passed_over
      FROM pipedrive_internal.mirror_state s JOIN pipedrive_internal.mirror m USING (mirror_id) WHERE m.entity = 'deals';
-- A run that finds nothing asks each list once.
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.deals');
SELECT regexp_replace(request, 'updated_since=[^&]*', 'updated_since=...') AS request FROM sim.journal() AS request WHERE request LIKE '%status=deleted%';
--
-- A cursor that has grown too old, in either list: the list is read again from its first page.
--
ALTER SERVER crm OPTIONS (ADD page_size '2');
CALL sim.delete_deals(1, 12, '2026-04-03T09:00:00Z');
CALL sim.sync_until('deleted', 20);
SELECT * FROM sim.deals_now;
CALL sim.fault('{"kind": "status", "status": 400, "match": {"query_regex": "status=deleted", "cursor_only": true, "times": 1}}');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
CALL sim.no_faults();
CALL sim.sync_until('deleted archived', 20);
SELECT * FROM sim.deals_now;
CALL sim.fault('{"kind": "status", "status": 400, "match": {"query_regex": "status=deleted", "cursor_only": true, "times": 1}}');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
CALL sim.no_faults();
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
SELECT * FROM sim.differences();
-- The second page of a run without a limit. A right that is lost there: the list is passed over by the next run, which begins it anew.
CALL sim.delete_deals(13, 18, '2026-04-06T09:00:00Z');
CALL sim.fault('{"kind": "status", "status": 400, "match": {"path_regex": "deals/archived$", "query_regex": "status=deleted", "cursor_only": true, "times": 1}}');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
CALL sim.no_faults();
CALL sim.fault('[{"kind": "status", "status": 403, "match": {"path_regex": "deals/archived$", "query_regex": "status=deleted", "cursor_only": true}}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
CALL sim.fault('[{"kind": "status", "status": 403, "match": {"path_regex": "deals/archived$", "query_regex": "status=deleted"}}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
CALL sim.no_faults();
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
SELECT * FROM sim.differences();
--
-- Refused for good: within the limit, the other list and all else arrive. What was deleted meanwhile is found when the list can be read again.
--
CALL sim.delete_deals(19, 24, '2026-04-09T09:00:00Z');
CALL sim.fault('{"kind": "status", "status": 403, "match": {"path_regex": "deals/archived$", "query_regex": "status=deleted"}}');
SET client_min_messages = error;
CALL sim.sync_until('none', 20);
SET client_min_messages = warning;
SELECT max(tokens) <= 20 AS within_limit FROM sim.calls;
SELECT * FROM sim.deals_now;
SELECT * FROM sim.differences();
CALL sim.no_faults();
CALL sim.fault('{"kind": "status", "status": 400, "match": {"query_regex": "status=deleted"}}');
CALL sim.delete_deals(25, 30, '2026-04-12T09:00:00Z');
\set VERBOSITY default
CALL pipedrive.sync('crm_mirror.deals');
\set VERBOSITY terse
SELECT max(id) AS other FROM crm_mirror.deals \gset
CALL sim.mutate(format('[{"action": "change", "entity": "deals", "id": %s, "at": "2026-04-14T09:00:00Z", "fields": {"title": "All else arrives"}}]', :other)::jsonb);
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.deals_now;
SELECT * FROM sim.differences();
CALL sim.no_faults();
-- in a run that reads all again, too
CALL sim.fault('{"kind": "status", "status": 404, "match": {"query_regex": "status=deleted"}}');
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
SELECT * FROM sim.deals_now;
CALL sim.no_faults();
CALL sim.sync_until('none', 20);
SELECT max(tokens) <= 20 AS within_limit FROM sim.calls;
SELECT * FROM sim.deals_now;
SELECT * FROM sim.differences();
ALTER SERVER crm OPTIONS (DROP page_size);
--
-- Marked rows that cannot be read by id: an error each time, and all else arrives.
--
SELECT mirror_id AS persons FROM pipedrive_internal.mirror WHERE entity = 'persons' \gset
INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) VALUES (:persons, 3, 'test');
CALL sim.fault('{"kind": "status", "status": 400, "match": {"path_regex": "persons$", "query_regex": "ids=3"}}');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-15T09:00:00Z", "fields": {"name": "First"}}]');
CALL pipedrive.sync('crm_mirror.persons');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 2, "at": "2026-04-16T09:00:00Z", "fields": {"name": "Second"}}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
SELECT s.phase, s.last_error IS NOT NULL AS failed, s.as_of < s.run_started AS older FROM pipedrive_internal.mirror_state s WHERE s.mirror_id = :persons;
SELECT id, reason FROM pipedrive_internal.refetch WHERE mirror_id = :persons;
-- a reconcile walks again
CALL pipedrive.reconcile('crm_mirror.persons');
SELECT s.reconcile_phase, s.last_reconcile FROM pipedrive_internal.mirror_state s WHERE s.mirror_id = :persons;
CALL sim.no_faults();
CALL pipedrive.sync('crm_mirror.persons');
SELECT s.phase, s.last_error, s.as_of = s.run_started AS complete FROM pipedrive_internal.mirror_state s WHERE s.mirror_id = :persons;
SELECT count(*) FROM pipedrive_internal.refetch;
-- a first load, whose history begins all the same
SELECT pipedrive.drop_mirror('crm.persons');
SELECT pipedrive.create_mirror('crm.persons');
SELECT mirror_id AS persons FROM pipedrive_internal.mirror WHERE entity = 'persons' \gset
INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) VALUES (:persons, 3, 'test');
CALL sim.fault('{"kind": "status", "status": 403, "match": {"path_regex": "persons$", "query_regex": "ids=3"}}');
CALL pipedrive.sync('crm_mirror.persons');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 2, "at": "2026-04-17T09:00:00Z", "fields": {"name": "Third"}}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT s.strategy, s.phase FROM pipedrive_internal.mirror_state s WHERE s.mirror_id = :persons;
SELECT id, field, old_value, new_value FROM pipedrive.changes WHERE mirror_id = :persons;
CALL sim.no_faults();
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
-- New rows that cannot be looked for: what changed is read each time.
CALL sim.fault('{"kind": "status", "status": 400, "match": {"path_regex": "persons$", "query_regex": "sort_by=id"}}');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-18T09:00:00Z", "fields": {"name": "Fourth"}}]');
CALL pipedrive.sync('crm_mirror.persons');
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 2, "at": "2026-04-19T09:00:00Z", "fields": {"name": "Fifth"}}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences();
CALL sim.no_faults();
CALL pipedrive.sync('crm_mirror.persons');
SELECT phase, last_error FROM pipedrive.mirrors WHERE entity = 'persons';
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
DROP SCHEMA crm_mirror CASCADE;
