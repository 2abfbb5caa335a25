\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set SHOW_CONTEXT never
--
-- Two roles that keep mirrors of their own in one database.
--
CREATE ROLE regress_pipedrive_one;
CREATE ROLE regress_pipedrive_two;
GRANT USAGE ON SCHEMA sim TO regress_pipedrive_one, regress_pipedrive_two;
GRANT USAGE ON FOREIGN SERVER crm TO regress_pipedrive_one, regress_pipedrive_two;
SELECT pipedrive.grant_mirrors('regress_pipedrive_one'), pipedrive.grant_mirrors('regress_pipedrive_two', webhooks => true);
CREATE SCHEMA one AUTHORIZATION regress_pipedrive_one;
CREATE SCHEMA two AUTHORIZATION regress_pipedrive_two;
SET ROLE regress_pipedrive_one;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO one;
SELECT pipedrive.create_mirror('one.deals', 'one.deals_mirror'), pipedrive.create_mirror('one.stages', 'one.stages_mirror');
CALL pipedrive.sync();
CREATE MATERIALIZED VIEW one.counts AS SELECT count(*) AS n FROM one.stages_mirror;
SELECT pipedrive.track_view('one.counts');
CALL pipedrive.refresh_views();
RESET ROLE;
SET ROLE regress_pipedrive_two;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO two;
SELECT pipedrive.create_mirror('two.deals', 'two.deals_mirror');
SET client_min_messages = error;
CALL pipedrive.sync();
RESET client_min_messages;
RESET ROLE;
-- Something of each in every table.
SELECT min(m.mirror_id) FILTER (WHERE m.target = 'one.deals_mirror'::regclass) AS one,
       min(m.mirror_id) FILTER (WHERE m.target = 'two.deals_mirror'::regclass) AS two FROM pipedrive_internal.mirror m \gset
INSERT INTO pipedrive_internal.tombstone (mirror_id, id, told_by) VALUES (:one, -1, 'sync'), (:two, -1, 'sync');
INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) VALUES (:one, -1, 'x'), (:two, -1, 'x');
INSERT INTO pipedrive_internal.bad_row (mirror_id, id, reason) VALUES (:one, -1, 'x'), (:two, -1, 'x');
INSERT INTO pipedrive_internal.late_mark (mirror_id, id) VALUES (:one, -1), (:two, -1);
INSERT INTO pipedrive.changes (mirror_id, entity, id, field, changed_at, change_source) VALUES (:one, 'deals', -1, 'x', now(), 'sync'), (:two, 'deals', -1, 'x', now(), 'sync');
INSERT INTO pipedrive_internal.reconcile_seen VALUES (:one, -1), (:two, -1);
INSERT INTO pipedrive_internal.backfilled VALUES (:one, -1), (:two, -1);
INSERT INTO pipedrive_internal.event_company VALUES (:one, 'x'), (:two, 'x');
INSERT INTO pipedrive_internal.mirror_event VALUES (:one, 1000, 1), (:two, 1000, 1);
-- Every table that a keeper may write, and what comes of writing all of its rows: its own can be, the other's not.
CREATE FUNCTION sim.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = CASE WHEN n > 0 THEN 'allowed' ELSE 'nothing there' END; -- and undone
EXCEPTION WHEN insufficient_privilege OR raise_exception THEN
    RETURN SQLERRM;
END
$$;
GRANT EXECUTE ON FUNCTION sim.attempt TO regress_pipedrive_one, regress_pipedrive_two;
SELECT c.relname, c.oid::regclass AS relation, a.attname AS key,
       CASE a.attname WHEN 'mirror_id' THEN format('mirror_id = %s', :one) WHEN 'view' THEN format('view = %s', 'one.counts'::regclass::oid) END AS others,
       CASE a.attname WHEN 'mirror_id' THEN format('mirror_id = %s', :two) END AS own
  INTO sim.written
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace IN ('pipedrive'::regnamespace, 'pipedrive_internal'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND has_table_privilege('regress_pipedrive_two', c.oid, 'INSERT') AND a.attname = (
       SELECT k.attname FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attname IN ('mirror_id', 'view', 'server', 'key') ORDER BY k.attname = 'server', k.attname LIMIT 1);
GRANT SELECT ON sim.written TO regress_pipedrive_two;
SET ROLE regress_pipedrive_two;
SELECT w.relname, w.key, c.command, sim.attempt(format(c.statement, w.relation, w.others, w.key)) AS others, sim.attempt(format(c.statement, w.relation, coalesce(w.own, 'false'), w.key)) AS own
  FROM sim.written w
 CROSS JOIN (VALUES ('delete', 'DELETE FROM %s WHERE %s'), ('update', 'UPDATE %1$s SET %3$I = %3$I WHERE %2$s')) AS c (command, statement)
 WHERE w.others IS NOT NULL ORDER BY c.command, w.relname COLLATE "C";
-- Nor is a row moved to another's, or made for it.
SELECT sim.attempt(format('UPDATE pipedrive.changes SET mirror_id = %s WHERE mirror_id = %s', :one, :two));
SELECT sim.attempt(format('INSERT INTO pipedrive_internal.tombstone (mirror_id, id, told_by) VALUES (%s, -2, ''sync'')', :one));
SELECT sim.attempt('INSERT INTO pipedrive_internal.mirror (source, target, entity) SELECT ''two.deals''::regclass, oid, ''deals'' FROM pg_class WHERE relname = ''counts''');
SELECT sim.attempt('INSERT INTO pipedrive_internal.tracked_view (view) SELECT oid FROM pg_class WHERE relname = ''stages_mirror''');
SELECT sim.attempt('UPDATE pipedrive_internal.mirror SET target = (SELECT oid FROM pg_class WHERE relname = ''counts'') WHERE mirror_id = ' || :two);
SELECT mirror, sim.attempt(format('UPDATE pipedrive.mirrors SET max_tokens = 1, overlap = ''1 hour'' WHERE mirror = %L::regclass', mirror)) AS set_by_two FROM pipedrive.mirrors WHERE entity = 'deals' ORDER BY mirror::text;
-- Nor are all guards lifted by the number of another's mirror, nor is another's mirror led astray by marks, counts or objects.
SELECT sim.attempt(format('INSERT INTO pipedrive_internal.detached_mirror (target, mirror_id, entity, columns) VALUES (''two.deals_mirror'', %s, ''deals'', ''{}'')', :one));
SELECT sim.attempt(format('UPDATE pipedrive_internal.mirror SET mirror_id = 1000000 WHERE mirror_id = %s', :two));
SELECT sim.attempt(format('INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) VALUES (%s, -5, ''event'')', :one)) AS with_webhooks;
SELECT sim.attempt(format('INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason, arrival) VALUES (%s, -6, ''x'', 9223372036854775807)', :one)) AS for_ever;
SELECT sim.attempt(format('UPDATE pipedrive_internal.refetch SET mirror_id = %s WHERE mirror_id = %s AND id = ''-1''', :two, :one));
SELECT sim.error(format('INSERT INTO pipedrive_internal.mirror_event VALUES (%s, 7, 9223372036854775807)', :one));
SELECT sim.attempt(format('UPDATE pipedrive_internal.mirror SET deleted_source = (SELECT deleted_source FROM pipedrive_internal.mirror WHERE mirror_id = %s) WHERE mirror_id = %s', :one, :two));
SELECT sim.attempt(format('UPDATE pipedrive_internal.mirror SET source = (SELECT source FROM pipedrive_internal.mirror WHERE entity = ''stages'') WHERE mirror_id = %s', :two));
SELECT sim.attempt(format('UPDATE pipedrive_internal.mirror_view SET view = (SELECT oid FROM pg_class WHERE relname = ''counts'') WHERE mirror_id = %s AND kind = ''live''', :two));
SELECT sim.attempt('UPDATE pipedrive_internal.server_company SET company_id = ''1''') AS others_mirrors;
RESET ROLE;
SET ROLE regress_pipedrive_one;
SELECT sim.attempt(format('INSERT INTO pipedrive_internal.%I (mirror_id%s) VALUES (%s%s)', t.relation, t.columns, :two, t.values)) AS without_webhooks
  FROM (VALUES ('refetch', ', id, reason', ', -5, ''x'''), ('late_mark', ', id', ', -5'), ('mirror_event', ', slot, changes', ', 7, 1'), ('event_company', ', company_id', ', ''x''')) AS t (relation, columns, values);
RESET ROLE;
SET ROLE regress_pipedrive_two;
SELECT sim.attempt('TRUNCATE pipedrive.changes');
SELECT sim.attempt('INSERT INTO pipedrive.changes_default SELECT * FROM pipedrive.changes');
-- What is not written by mirror or view, with and without webhooks.
RESET ROLE;
SELECT relname, key, has_table_privilege('regress_pipedrive_one', relation, 'SELECT') AS one_reads,
       has_table_privilege('regress_pipedrive_one', relation, 'DELETE') AS one_writes
  FROM sim.written WHERE others IS NULL ORDER BY relname COLLATE "C";
SELECT p.oid::regprocedure AS with_its_owners_rights FROM pg_proc p
 WHERE p.pronamespace IN ('pipedrive'::regnamespace, 'pipedrive_internal'::regnamespace) AND p.prosecdef AND has_function_privilege('regress_pipedrive_one', p.oid, 'EXECUTE') ORDER BY 1;
-- A server that may not be used any more.
REVOKE USAGE ON FOREIGN SERVER crm FROM regress_pipedrive_two;
SET ROLE regress_pipedrive_two;
SELECT sim.attempt('UPDATE pipedrive_internal.server_company SET company_id = ''1''');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER crm TO regress_pipedrive_two;
-- The trigger that keeps what a mirror was runs for pipedrive_internal.mirror only.
GRANT EXECUTE ON FUNCTION pipedrive_internal.detach_mirror() TO regress_pipedrive_two;
SET ROLE regress_pipedrive_two;
CREATE TABLE two.trap AS SELECT * FROM pipedrive_internal.mirror;
CREATE TRIGGER trap BEFORE DELETE ON two.trap FOR EACH ROW EXECUTE FUNCTION pipedrive_internal.detach_mirror();
SELECT sim.attempt('DELETE FROM two.trap');
-- Each goes on with its own, and ends it.
DELETE FROM pipedrive_internal.refetch WHERE id = '-1' AND mirror_id = :two;
DELETE FROM pipedrive_internal.bad_row WHERE mirror_id = :two;
CALL pipedrive.reconcile('two.deals_mirror');
SELECT count(*) = (SELECT count(*) FROM two.deals) AS whole FROM two.deals_mirror;
SELECT pipedrive.drop_mirror('two.deals', drop_table => false);
SELECT pipedrive.attach_mirror('two.deals', 'two.deals_mirror');
SELECT pipedrive.drop_mirror('two.deals');
SELECT sim.error('SELECT pipedrive.drop_mirror(''one.deals'')');
RESET ROLE;
SELECT target, entity FROM pipedrive_internal.mirror ORDER BY target::text;
SET client_min_messages = error;
DROP MATERIALIZED VIEW one.counts;
SELECT pipedrive.drop_mirror('one.deals'), pipedrive.drop_mirror('one.stages');
DROP SCHEMA one, two CASCADE;
DROP USER MAPPING FOR regress_pipedrive_one SERVER crm;
DROP USER MAPPING FOR regress_pipedrive_two SERVER crm;
DROP OWNED BY regress_pipedrive_one, regress_pipedrive_two;
DROP ROLE regress_pipedrive_one, regress_pipedrive_two;
DROP FUNCTION sim.attempt;
DROP TABLE sim.written;
