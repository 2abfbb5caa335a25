\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Mirrors: what create_mirror() makes, what sync() and reconcile() ask and write, and that in the end the rows are the
-- account's. Webhooks are in webhooks.sql, views in tracked_views.sql; disorder and crashes in test/convergence.
--
-- A merge that moves links without a trace is the harder case.
CALL sim.switch('{"merged_links": "silent"}');
DROP SCHEMA IF EXISTS crm_mirror, other, hand, own, own_mirror CASCADE;
-- Without the fields that Pipedrive computes from other rows: they change while their row does not.
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
-- Rows of one side only.
CREATE FUNCTION sim.differences() RETURNS TABLE (mirror regclass, missing bigint, extra bigint) LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT x.source, x.target, pipedrive_internal.column_list(x.target) AS columns FROM pipedrive_internal.mirror x ORDER BY x.target::text LOOP
        mirror := m.target;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %2$s EXCEPT SELECT %1$s FROM %3$s) AS d', m.columns, m.source, m.target) INTO missing;
        EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %3$s EXCEPT SELECT %1$s FROM %2$s) AS d', m.columns, m.source, m.target) INTO extra;
        RETURN NEXT;
    END LOOP;
    PERFORM sim.call('DELETE', 'journal');
END $$;
-- What was asked, without the times and the columns: paths with what chooses the rows.
CREATE FUNCTION sim.asked() RETURNS TABLE (requests bigint, request text) LANGUAGE sql AS $$
    SELECT count(*), r FROM (
        SELECT regexp_replace(regexp_replace(regexp_replace(j, '(updated_since=)[0-9TZ:-]+', '\1TIME'), '(include_fields|include_option_labels|include_labels|custom_fields|limit)=[^&]*&?', '', 'g'), '[?&]$', '') AS r
          FROM sim.journal() AS j) AS a
     GROUP BY r ORDER BY r COLLATE "C"
$$;
CREATE FUNCTION sim.asked_and_forgotten() RETURNS TABLE (requests bigint, request text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT * FROM sim.asked();
    PERFORM sim.call('DELETE', 'journal');
END $$;
-- Every version of every row.
CREATE TABLE sim.version (mirror regclass, id bigint, place text);
CREATE PROCEDURE sim.keep_versions() LANGUAGE plpgsql AS $$
DECLARE
    m regclass;
BEGIN
    DELETE FROM sim.version;
    FOR m IN SELECT x.target FROM pipedrive_internal.mirror x LOOP
        EXECUTE format('INSERT INTO sim.version SELECT %L, id, format(''%%s %%s'', ctid, xmin) FROM %s', m, m);
    END LOOP;
END $$;
CREATE FUNCTION sim.new_versions() RETURNS TABLE (mirror regclass, ids bigint[]) LANGUAGE plpgsql AS $$
BEGIN
    FOR mirror IN SELECT x.target FROM pipedrive_internal.mirror x ORDER BY x.target::text LOOP
        EXECUTE format('SELECT array_agg(t.id ORDER BY t.id) FROM %s t WHERE NOT EXISTS (SELECT FROM sim.version v WHERE v.mirror = $1 AND v.id = t.id AND v.place = format(''%%s %%s'', t.ctid, t.xmin))', mirror)
           INTO ids USING mirror;
        IF ids IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION sim.history() RETURNS TABLE (entity text, id bigint, field text, old_value jsonb, new_value jsonb, changed_at text, change_source text) LANGUAGE sql AS $$
    SELECT c.entity, c.id, c.field, c.old_value, c.new_value, CASE WHEN c.changed_at < '2026-05-01' THEN c.changed_at::text ELSE 'now' END, c.change_source
      FROM pipedrive.changes c ORDER BY c.entity, c.id, c.field, c.changed_at, c.old_value::text
$$;
--
-- Made: tables, indexes, comments, views.
--
SELECT * FROM pipedrive.create_mirrors('crm');
SELECT * FROM pipedrive.create_mirrors('crm'); -- all have one
SELECT c.relname, c.relkind, left(obj_description(c.oid), 90) AS comment FROM pg_class c WHERE c.relnamespace = 'crm_mirror'::regnamespace AND c.relkind <> 'i' ORDER BY c.relname COLLATE "C";
SELECT indexdef FROM pg_indexes WHERE schemaname = 'crm_mirror' AND tablename IN ('deals', 'activities', 'users') ORDER BY 1;
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required, col_description(a.attrelid, a.attnum) AS comment
  FROM pg_attribute a WHERE a.attrelid = 'crm_mirror.stages'::regclass AND a.attnum > 0 ORDER BY a.attnum;
SELECT s.attname FROM pg_attribute s FULL JOIN pg_attribute t ON t.attrelid = 'crm_mirror.deals'::regclass AND t.attname = s.attname AND t.atttypid = s.atttypid
                  AND col_description(s.attrelid, s.attnum) IS NOT DISTINCT FROM col_description(t.attrelid, t.attnum)
 WHERE s.attrelid = 'crm.deals'::regclass AND s.attnum > 0 AND t.attname IS NULL;
SELECT mirror, source, entity, watermark, lag, last_sync, phase, last_error, tokens_today, max_tokens, to_refetch FROM pipedrive.mirrors ORDER BY mirror::text;
-- Refused.
CREATE TABLE sim.plain (id bigint);
SELECT sim.error('SELECT pipedrive.create_mirror(''sim.plain'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm_mirror.deals'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm_mirror.deals_live'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.deals'', ''crm_mirror.deals'')');
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.deals'', ''sim.second'')') <> 'no error' AS refused;
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.deals'', ''nowhere.deals'')') <> 'no error' AS refused;
SELECT sim.error('SELECT pipedrive.create_mirror(''crm.nothing'')');
SELECT sim.error('SELECT pipedrive.drop_mirror(''sim.plain'')');
\set SHOW_CONTEXT never
CALL pipedrive.sync('sim.plain');
CALL pipedrive.reconcile('sim.plain');
CALL pipedrive.sync(mode => 'quick');
SELECT count(*) FROM pipedrive_internal.mirror;
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
-- Nothing happened: two requests for a mirror, and no row is written.
CALL sim.keep_versions();
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.asked_and_forgotten();
CALL pipedrive.sync('crm.deals'); -- by its foreign table
SELECT * FROM sim.asked_and_forgotten();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.new_versions();
SELECT * FROM sim.history();
--
-- What changes between two syncs.
--
SELECT min(id) AS user_id FROM crm.users \gset
-- changed, a custom field too; created with update_time null; archived and back; deleted
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-01T09:00:00Z", "fields": {"title": "Changed", "value": 77.5}},
                  {"action": "change", "entity": "deals", "id": 2, "at": "2026-04-01T09:00:01Z", "fields": {"custom_fields": {"Score": 9}}},
                  {"action": "create", "entity": "deals", "id": 9001, "at": "2026-04-01T09:00:02Z", "fields": {"title": "New deal", "value": 10}},
                  {"action": "create", "entity": "persons", "id": 9002, "at": "2026-04-01T09:00:03Z", "fields": {"name": "New person"}},
                  {"action": "archive", "id": 3, "at": "2026-04-01T09:00:04Z"},
                  {"action": "delete", "entity": "deals", "id": 4, "at": "2026-04-01T09:00:05Z"}]');
CALL sim.mutate(format('{"action": "change", "entity": "users", "id": %s, "fields": {"name": "Renamed user"}}', :user_id)::jsonb);
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT update_time IS NULL AS never_changed FROM crm.deals WHERE id = 9001;
CALL sim.keep_versions();
CALL sim.clear();
CALL pipedrive.sync();
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT * FROM sim.new_versions();
SELECT * FROM sim.history();
SELECT id FROM crm_mirror.deals WHERE id IN (1, 3, 4, 9001) ORDER BY id;
SELECT m.entity, t.id FROM pipedrive_internal.tombstone t JOIN pipedrive_internal.mirror m USING (mirror_id);
-- restored: the list shows it again, and so does the mirror
CALL sim.mutate('[{"action": "restore", "entity": "deals", "id": 4, "at": "2026-04-01T09:10:00Z"},
                  {"action": "unarchive", "id": 3, "at": "2026-04-01T09:10:01Z"}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
SELECT count(*) FROM pipedrive_internal.tombstone;
-- no list tells of deleted persons and activities, nor of what a merge took away: reconcile finds them
CALL sim.mutate('[{"action": "delete", "entity": "persons", "id": 9002, "at": "2026-04-01T09:20:00Z"},
                  {"action": "delete", "entity": "activities", "id": 5, "at": "2026-04-01T09:20:01Z"},
                  {"action": "merge", "entity": "organizations", "id": 3, "into": 2, "at": "2026-04-01T09:20:02Z"},
                  {"action": "delete", "entity": "stages", "id": 1, "at": "2026-04-01T09:20:03Z"}]');
CALL pipedrive.sync();
SELECT mirror, extra FROM sim.differences() WHERE extra > 0 AND mirror::text NOT LIKE '%deals';
CALL sim.clear();
CALL pipedrive.reconcile();
SELECT * FROM sim.asked_and_forgotten();
SELECT mirror, extra FROM sim.differences() WHERE extra > 0 AND mirror::text NOT LIKE '%deals';
SELECT c.entity, c.id, c.change_source FROM pipedrive.changes c WHERE c.field = 'is_deleted' ORDER BY c.entity, c.id;
SELECT mirror FROM pipedrive.mirrors WHERE last_reconcile IS NULL OR phase IS NOT NULL OR to_refetch > 0;
-- mode full reads everything again, and still writes only what differs (rows of a merge that nobody touched)
CALL pipedrive.sync(mode => 'full');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
CALL sim.keep_versions();
CALL sim.clear();
CALL pipedrive.sync(mode => 'full');
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.new_versions();
--
-- History.
--
DELETE FROM pipedrive.changes;
SELECT id, owner_id, stage_id FROM crm_mirror.deals WHERE id = 9001 \gset before_
SELECT min(id) AS stage_a, max(id) AS stage_b FROM crm_mirror.stages WHERE id <> :before_stage_id \gset
CALL sim.mutate(format('{"action": "change", "entity": "deals", "id": 9001, "at": "2026-04-02T09:00:00Z", "fields": {"stage_id": %s}}', :stage_a)::jsonb);
CALL pipedrive.sync('crm_mirror.deals');
CALL sim.mutate(format('{"action": "change", "entity": "deals", "id": 9001, "at": "2026-04-03T10:00:00Z", "fields": {"stage_id": %s, "owner_id": 26000002}}', :stage_b)::jsonb);
CALL pipedrive.sync('crm_mirror.deals');
SELECT field, old_value = to_jsonb(:before_stage_id::bigint) AS first, new_value = to_jsonb(:stage_b::bigint) AS last, changed_at, change_source
  FROM pipedrive.changes WHERE id = 9001 AND field = 'stage_id' ORDER BY changed_at;
SELECT stage_id = :before_stage_id AS first, stage_id = :stage_b AS last, entered, left_at, duration FROM crm_mirror.stage_history WHERE deal_id = 9001 ORDER BY entered;
SELECT owner_id = :before_owner_id AS first, owner_id = 26000002 AS last, entered, left_at, duration FROM crm_mirror.owner_history WHERE deal_id = 9001 ORDER BY entered;
SELECT count(*) = (SELECT count(*) FROM crm_mirror.deals) + 2 AS one_stage_for_the_others FROM crm_mirror.stage_history;
--
-- The last second: what changed after the sync is in the view, not in the table.
--
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 1, "at": "2026-04-03T11:00:00Z", "fields": {"name": "Just now"}}]');
CALL sim.clear();
SELECT name = 'Just now' AS kept FROM crm_mirror.persons WHERE id = 1;
SELECT count(*), count(*) FILTER (WHERE name = 'Just now') AS live FROM crm_mirror.persons_live WHERE id IN (1, 2);
SELECT * FROM sim.asked_and_forgotten();
SELECT count(*) = (SELECT count(*) FROM crm_mirror.persons) AS same_number FROM crm_mirror.persons_live;
--
-- Marks: read by id at the next sync whatever their update_time, and gone if the API has them no more.
--
CALL pipedrive.sync();
CALL sim.mutate('[{"action": "change", "entity": "persons", "id": 2, "touch": false, "fields": {"name": "Untouched"}},
                  {"action": "delete", "entity": "persons", "id": 3, "at": "2026-04-03T12:00:00Z"}]');
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.differences() WHERE mirror = 'crm_mirror.persons'::regclass;
INSERT INTO pipedrive_internal.refetch (mirror_id, id, reason) SELECT mirror_id, i, 'test' FROM pipedrive_internal.mirror, unnest(ARRAY[2, 3, 999999]) AS i WHERE target = 'crm_mirror.persons'::regclass;
SELECT to_refetch FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.persons'::regclass;
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.asked_and_forgotten();
SELECT * FROM sim.differences() WHERE mirror = 'crm_mirror.persons'::regclass;
SELECT to_refetch FROM pipedrive.mirrors WHERE mirror = 'crm_mirror.persons'::regclass;
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
--
-- One mirror at a time, and an error in one does not stop the others.
--
\setenv MIRROR_DB :DBNAME
BEGIN;
SELECT pg_advisory_xact_lock(1885958756, mirror_id) IS NULL AS never FROM pipedrive_internal.mirror WHERE target = 'crm_mirror.stages'::regclass;
\! psql -X -q -d "$MIRROR_DB" -c "CALL pipedrive.sync('crm_mirror.stages')" 2>&1 | sed 's/mirror [0-9][0-9]* /mirror N /'
COMMIT;
UPDATE pipedrive.mirrors SET max_tokens = NULL;
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
--
-- Fields that change: the mirror's columns follow refresh_schema(), and the next sync fills them.
--
CALL sim.field('{"action": "add", "entity": "persons", "name": "Shoe size", "type": "double", "code": "dddddddddddddddddddddddddddddddddddddd01", "options": [], "values": {"1": 42, "2": 38.5}}');
CALL sim.field('{"action": "add", "entity": "persons", "name": "Hat", "type": "varchar", "code": "dddddddddddddddddddddddddddddddddddddd02", "options": [], "values": {"1": "bowler"}}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm');
SELECT id, shoe_size, hat FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
CALL pipedrive.sync('crm_mirror.persons');
SELECT id, shoe_size, hat FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
SELECT id, shoe_size, hat FROM crm_mirror.persons_live WHERE id IN (1, 2) ORDER BY id;
SELECT col_description('crm_mirror.persons'::regclass, attnum) = col_description('crm.persons'::regclass, (SELECT attnum FROM pg_attribute WHERE attrelid = 'crm.persons'::regclass AND attname = 'hat')) AS same_comment
  FROM pg_attribute WHERE attrelid = 'crm_mirror.persons'::regclass AND attname = 'hat';
CALL sim.field('{"action": "rename", "entity": "persons", "code": "dddddddddddddddddddddddddddddddddddddd01", "name": "Foot size"}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', rename_columns => true);
SELECT id, foot_size FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
CALL sim.clear();
CALL pipedrive.sync('crm_mirror.persons');
SELECT * FROM sim.asked_and_forgotten(); -- a renamed column is the same column
CALL sim.field('{"action": "retype", "entity": "persons", "code": "dddddddddddddddddddddddddddddddddddddd01", "type": "varchar", "values": {"1": "large"}}');
CALL sim.field('{"action": "remove", "entity": "persons", "code": "dddddddddddddddddddddddddddddddddddddd02"}');
SELECT column_name, change FROM pipedrive.refresh_schema('crm', drop_removed => true);
CALL pipedrive.sync('crm_mirror.persons');
SELECT id, foot_size FROM crm_mirror.persons WHERE id IN (1, 2) ORDER BY id;
SELECT sim.error('SELECT hat FROM crm_mirror.persons');
SELECT * FROM sim.differences() WHERE missing + extra > 0;
--
-- Who may: the bookkeeping is for those whom the extension's owner gives it.
--
CREATE ROLE regress_mirror_operator;
CREATE ROLE regress_mirror_reader;
GRANT USAGE ON FOREIGN SERVER crm TO regress_mirror_operator;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_mirror_operator', current_database()); END $$;
GRANT USAGE ON SCHEMA sim TO regress_mirror_operator, regress_mirror_reader;
SET ROLE regress_mirror_operator;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA own;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO own;
SELECT split_part(sim.error('SELECT pipedrive.create_mirrors(''own'')'), E'\n', 1) AS error;
SELECT sim.error('SELECT * FROM pipedrive.mirrors');
RESET ROLE;
SELECT pipedrive.grant_mirrors('regress_mirror_operator');
SET ROLE regress_mirror_operator;
SELECT pipedrive.create_mirrors('own');
CALL pipedrive.sync('own.stages');
CALL pipedrive.reconcile('own.stages');
SELECT count(*) FROM own_mirror.stages;
SELECT * FROM pipedrive.refresh_schema('own');
GRANT USAGE ON SCHEMA own_mirror TO regress_mirror_reader;
GRANT SELECT ON own_mirror.stages TO regress_mirror_reader;
RESET ROLE;
GRANT SELECT ON pipedrive.mirrors TO regress_mirror_reader;
SET ROLE regress_mirror_reader;
SELECT count(*) FROM own_mirror.stages;
SELECT mirror, last_error FROM pipedrive.mirrors WHERE mirror::text LIKE '%stages' ORDER BY mirror::text;
SELECT sim.error('SELECT * FROM own.stages');
SELECT sim.error('SELECT * FROM pipedrive.changes');
RESET ROLE;
SELECT pipedrive.drop_mirror('own.stages');
DROP SCHEMA own, own_mirror CASCADE;
DROP OWNED BY regress_mirror_operator, regress_mirror_reader;
DROP ROLE regress_mirror_operator, regress_mirror_reader;
--
-- Tables by hand, other schemas, and the end of mirrors.
--
CREATE SCHEMA hand;
CREATE FOREIGN TABLE hand.few (id bigint, title text, status text, add_time timestamptz, update_time timestamptz) SERVER crm OPTIONS (entity 'deals');
CREATE FOREIGN TABLE hand.no_id (title text) SERVER crm OPTIONS (entity 'deals');
SELECT sim.error('SELECT pipedrive.create_mirror(''hand.no_id'')') <> 'no error' AS refused;
CREATE SCHEMA other;
SELECT pipedrive.create_mirror('hand.few', 'other."Few deals"');
CALL pipedrive.sync('hand.few');
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 1, "at": "2026-04-05T09:00:00Z", "fields": {"title": "By hand"}}]');
CALL pipedrive.sync('other."Few deals"');
SELECT title, _source FROM other."Few deals" WHERE id = 1;
SELECT * FROM sim.differences() WHERE mirror::text LIKE 'other%';
SELECT pipedrive.drop_mirror('other."Few deals"', drop_table => false);
SELECT count(*) > 0 AS kept FROM other."Few deals";
SELECT sim.error('CALL pipedrive.sync(''other."Few deals"'')');
SELECT pipedrive.drop_mirror('crm_mirror.deals');
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'crm_mirror'::regnamespace AND c.relkind <> 'i' ORDER BY c.relname COLLATE "C";
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
SELECT count(*) FROM pipedrive_internal.mirror_state;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'crm_mirror'::regnamespace;
DROP SCHEMA crm_mirror, other, hand CASCADE;
