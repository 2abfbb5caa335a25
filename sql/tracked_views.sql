\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Materialized views over mirrors: what they depend on, which are refreshed, and in what order; the ready-made ones; retention.
-- Two sessions, NOTIFY and pg_cron are in test/t/030_schedule.pl.
--
\set SHOW_CONTEXT never
DROP ROLE IF EXISTS regress_viewer;
DROP SCHEMA IF EXISTS t, crm_mirror, crm_dashboards, crm_dashboards_2, dash CASCADE;
-- no mirror anywhere
SELECT sim.error('SELECT pipedrive.create_dashboards(''public'')');
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, pipelines, stages, users, organizations) FROM SERVER crm INTO crm;
SELECT * FROM pipedrive.create_mirrors('crm');
CREATE SCHEMA t;
-- What sync() does, as far as it matters here: rows, and the number that grows.
CREATE PROCEDURE t.load() LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT * FROM pipedrive_internal.mirror LOOP
        EXECUTE format('TRUNCATE %s', m.target);
        EXECUTE format('INSERT INTO %s SELECT s.*, now(), ''sync'' FROM %s s', m.target, m.source);
        PERFORM pipedrive_internal.record_change_count(m.mirror_id, 1);
    END LOOP;
END $$;
CREATE PROCEDURE t.touch(entity text) LANGUAGE sql AS $$
    SELECT pipedrive_internal.record_change_count(m.mirror_id, 1) FROM pipedrive_internal.mirror m WHERE m.entity = $1
$$;
CREATE PROCEDURE t.show_log() LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    FOR l IN DELETE FROM pipedrive.refresh_log RETURNING * LOOP
        RAISE NOTICE '% rows %, %', l.view, l.rows, coalesce(l.error, CASE WHEN l.concurrent THEN 'concurrently' ELSE 'plainly' END);
    END LOOP;
END $$;
CALL t.load();
SET client_min_messages = notice;
-- What cannot be tracked.
CREATE VIEW t.open_deals AS SELECT id, stage_id, value FROM crm_mirror.deals WHERE status = 'open';
CREATE MATERIALIZED VIEW t.of_nothing AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW t.of_foreign AS SELECT id FROM crm.pipelines;
SELECT sim.error('SELECT pipedrive.track_view(''t.open_deals'')');
SELECT sim.error('SELECT pipedrive.track_view(''crm_mirror.deals'')');
SELECT sim.error('SELECT pipedrive.track_view(''t.of_nothing'')');
SELECT sim.error('SELECT pipedrive.track_view(''t.of_foreign'')');
SELECT sim.error('SELECT pipedrive.track_view(''t.of_nothing'', ''-1 hour'')');
-- Through views, functions, and other materialized views.
CREATE MATERIALIZED VIEW t.by_stage AS SELECT stage_id, count(*) AS deals, sum(value) AS value FROM t.open_deals GROUP BY 1;
CREATE MATERIALIZED VIEW t.busiest AS SELECT s.id, b.deals FROM t.by_stage b JOIN crm_mirror.stages s ON s.id = b.stage_id;
CREATE UNIQUE INDEX ON t.busiest (id);
CREATE MATERIALIZED VIEW t.in_stages AS SELECT id, name FROM crm_mirror.stages WITH NO DATA;
CREATE UNIQUE INDEX ON t.in_stages (id) WHERE id > 0;
CREATE UNIQUE INDEX ON t.in_stages ((id + 1));
CREATE UNIQUE INDEX in_stages_plain ON t.in_stages (id);
CREATE TABLE t.divisor AS SELECT 1 AS n;
CREATE MATERIALIZED VIEW t.fragile AS SELECT id, id / (SELECT n FROM t.divisor) AS quotient FROM t.open_deals;
CREATE UNIQUE INDEX ON t.fragile (id);
CREATE FUNCTION t.user_count() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM crm_mirror.users; END;
CREATE MATERIALIZED VIEW t.of_function AS SELECT t.user_count() AS users;
CREATE UNIQUE INDEX ON t.of_function (users);
CREATE MATERIALIZED VIEW t.of_changes AS SELECT mirror_id, count(*) FROM pipedrive.changes GROUP BY 1;
CREATE UNIQUE INDEX ON t.of_changes (mirror_id);
SELECT pipedrive.track_view('t.busiest'); -- before the one that it reads
SELECT pipedrive.track_view('t.by_stage');
SELECT pipedrive.track_view('t.busiest');
SELECT pipedrive.track_view('t.in_stages');
SELECT pipedrive.track_view('t.fragile');
SELECT pipedrive.track_view('t.of_function', '1 hour');
SELECT pipedrive.track_view('t.of_changes');
SELECT view, mirrors, views, max_age, lag, due, waits_for FROM pipedrive.tracked_views ORDER BY view::text;
-- All for the first time: what others read before them; the hint once.
CALL pipedrive.refresh_views();
CALL t.show_log();
SELECT view, rows, due, regexp_replace(waits_for, '\d{4}.*', 'TIME') AS waits_for FROM pipedrive.tracked_views ORDER BY view::text;
-- Nothing has changed: nothing happens.
CALL pipedrive.refresh_views();
CALL t.show_log();
-- Only what reads the changed mirror.
CALL t.touch('stages');
SELECT view, lag > '0' AS behind, waits_for FROM pipedrive.tracked_views WHERE due ORDER BY view::text;
CALL pipedrive.refresh_views();
CALL t.show_log();
CALL t.touch('deals');
CALL pipedrive.refresh_views();
CALL t.show_log();
CALL t.touch('users');
CALL pipedrive.refresh_views();
CALL t.show_log();
-- One that fails does not stop the others, and tries again.
CALL t.touch('deals');
UPDATE t.divisor SET n = 0;
CALL pipedrive.refresh_views();
CALL t.show_log();
SELECT view, error, error_at IS NOT NULL AS at, due, waits_for FROM pipedrive.tracked_views WHERE error IS NOT NULL;
CALL pipedrive.refresh_views();
UPDATE t.divisor SET n = 1;
CALL pipedrive.refresh_views();
CALL t.show_log();
SELECT view, error, error_at FROM pipedrive.tracked_views WHERE error IS NOT NULL;
-- Age.
UPDATE pipedrive_internal.tracked_view SET last_refresh = last_refresh - interval '61 minutes';
SELECT view, lag > '1 hour' AS behind, waits_for FROM pipedrive.tracked_views WHERE due;
CALL pipedrive.refresh_views();
CALL t.show_log();
-- One; by force; one that was emptied; not tracked; in a transaction.
CALL t.touch('deals');
CALL pipedrive.refresh_views('t.by_stage');
CALL t.show_log();
CALL pipedrive.refresh_views('t.in_stages');
CALL pipedrive.refresh_views('t.in_stages', true);
CALL t.show_log();
CALL pipedrive.refresh_views(force => true);
CALL t.show_log();
REFRESH MATERIALIZED VIEW t.in_stages WITH NO DATA;
CALL pipedrive.refresh_views();
CALL t.show_log();
CALL pipedrive.refresh_views('t.of_nothing');
BEGIN;
CALL pipedrive.refresh_views(force => true);
ROLLBACK;
CALL t.show_log();
-- The hint again, when the index is gone.
DROP INDEX t.in_stages_plain;
CALL t.touch('stages');
CALL pipedrive.refresh_views('t.in_stages');
CALL t.touch('stages');
CALL pipedrive.refresh_views('t.in_stages');
-- Dropped, renamed, untracked.
DROP MATERIALIZED VIEW t.in_stages;
ALTER MATERIALIZED VIEW t.fragile RENAME TO "Fragile ""one""";
CALL t.touch('stages');
CALL t.touch('deals');
CALL pipedrive.refresh_views();
SELECT pipedrive.untrack_view('t.of_changes'), pipedrive.untrack_view('t.of_changes');
SELECT view FROM pipedrive.tracked_views ORDER BY view::text;
SELECT count(*) FROM pipedrive_internal.tracked_view;
SELECT pipedrive.track_view('t.by_stage', '2 days');
SELECT count(*), count(max_age) FROM pipedrive_internal.tracked_view;
TRUNCATE pipedrive.refresh_log;
-- What a view calls is found in pg_catalog, whatever the caller's search_path.
CREATE FUNCTION t.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'hijacked' $$;
CREATE FUNCTION t.calls_lower(x text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN lower(x); END $$;
CREATE MATERIALIZED VIEW t.careful AS SELECT DISTINCT t.calls_lower('A') AS a FROM crm_mirror.deals WITH NO DATA;
SELECT pipedrive.track_view('t.careful');
SET search_path = t, pg_catalog;
CALL pipedrive.refresh_views('t.careful');
RESET search_path;
SELECT * FROM t.careful;
-- Who is not the owner may look, not more.
CREATE ROLE regress_viewer;
GRANT USAGE ON SCHEMA pipedrive TO regress_viewer;
SET ROLE regress_viewer;
SELECT due FROM pipedrive.tracked_views WHERE due IS NULL;
CALL pipedrive.refresh_views();
SELECT pipedrive.untrack_view(0);
RESET ROLE;
DROP OWNED BY regress_viewer;
DROP ROLE regress_viewer;
SET client_min_messages = warning;
DROP SCHEMA t CASCADE;
SET client_min_messages = notice;
-- Dashboards: without a mirror of activities two of them are left out.
SELECT sim.error('SELECT pipedrive.create_dashboards(''public'')');
SELECT sim.error('SELECT pipedrive.create_dashboards(''crm_mirror'', time_zone => ''Mars/Olympus'')');
SELECT * FROM pipedrive.create_dashboards('crm_mirror');
SET client_min_messages = warning;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (activities) FROM SERVER crm INTO crm;
SELECT * FROM pipedrive.create_mirrors('crm');
INSERT INTO crm_mirror.activities SELECT a.*, now(), 'sync' FROM crm.activities a;
SET client_min_messages = notice;
SELECT * FROM pipedrive.create_dashboards('crm_mirror');
SELECT view, max_age, due, error FROM pipedrive.tracked_views ORDER BY view::text;
SELECT c.relname, obj_description(c.oid) IS NOT NULL AS comment, pg_get_indexdef(i.indexrelid) AS index
  FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid WHERE c.relnamespace = 'crm_dashboards'::regnamespace ORDER BY 1;
-- A pipeline of which all is known.
INSERT INTO crm_mirror.pipelines (id, name, order_nr) VALUES (9001, 'Known', 900);
INSERT INTO crm_mirror.stages (id, name, order_nr, pipeline_id, deal_probability, is_deal_rot_enabled, days_to_rotten)
VALUES (9001, 'First', 1, 9001, 20, true, 9), (9002, 'Second', 2, 9001, NULL, true, 30), (9003, 'Third', 3, 9001, 80, false, NULL), (9004, 'Empty', 4, 9001, 90, NULL, NULL);
INSERT INTO crm_mirror.users (id, name, active_flag) VALUES (9001, 'Ann', true), (9002, 'Bob', true), (9003, 'Gone', false);
INSERT INTO crm_mirror.organizations (id, name) VALUES (9001, 'Big'), (9002, 'Small'), (9003, 'None');
INSERT INTO crm_mirror.deals (id, status, pipeline_id, stage_id, org_id, value, currency, probability, add_time, stage_change_time, won_time, lost_time, is_archived)
VALUES (9001, 'open', 9001, 9001, 9001, 100, 'XTS', NULL, now() - interval '30 days', now() - interval '5 days', NULL, NULL, false),
       (9002, 'open', 9001, 9001, 9002, 200.50, 'XTS', 50, now() - interval '10 days', NULL, NULL, NULL, NULL),
       (9003, 'open', 9001, 9001, 9001, 10, 'XXX', NULL, now() - interval '40 days', now() - interval '40 days', NULL, NULL, false),
       (9004, 'open', 9001, 9002, 9001, 1000, 'XTS', NULL, now() - interval '300 days', now() - interval '100 days', NULL, NULL, false),
       (9005, 'open', 9001, 9002, NULL, 7777, 'XTS', NULL, now() - interval '300 days', NULL, NULL, NULL, true), -- archived
       (9006, 'won', 9001, 9003, 9001, 5000, 'XTS', NULL, '2001-01-01', NULL, '2001-01-31 23:30+00', NULL, false),
       (9007, 'lost', 9001, 9001, 9002, 1, 'XTS', NULL, '2001-01-01', NULL, NULL, '2001-01-31 22:00+00', false),
       (9008, 'lost', 9001, 9001, 9002, 2, 'XTS', NULL, '2001-01-01', NULL, NULL, '2001-02-03', true),
       (9009, 'open', 9001, 9999, NULL, NULL, 'XTS', NULL, now(), now(), NULL, NULL, false), -- a stage that nobody knows
       (9010, 'open', 9001, 9002, 9002, NULL, 'XTS', NULL, now() - interval '8 days', now() - interval '8 days', NULL, NULL, false);
INSERT INTO crm_mirror.activities (id, owner_id, org_id, done, due_date, due_time, marked_as_done_time)
VALUES (9001, 9001, 9001, false, (now() AT TIME ZONE 'UTC')::date - 1, NULL, NULL), (9002, 9001, NULL, false, (now() AT TIME ZONE 'UTC')::date, NULL, NULL),
       (9003, 9001, NULL, false, (now() AT TIME ZONE 'UTC')::date + 1, '00:00', NULL), (9004, 9001, NULL, false, NULL, NULL, NULL),
       (9005, 9001, 9001, true, (now() AT TIME ZONE 'UTC')::date - 20, '10:00', now() - interval '3 days'), (9006, 9001, 9001, true, NULL, NULL, now() - interval '20 days'),
       (9007, 9001, 9002, true, NULL, NULL, '2001-02-03 04:05:06+00'), (9008, 9099, NULL, false, (now() AT TIME ZONE 'UTC')::date - 1, '23:59', NULL);
-- 9006 went First, Second, First, Second, Third, won there; 9004 went First, Second
INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
SELECT m.mirror_id, 'deals', c.id, 'stage_id', c.old, c.new, c.at, 'sync'
  FROM pipedrive_internal.mirror m, (VALUES (9006, '9001'::jsonb, '9002'::jsonb, '2001-01-03'::timestamptz), (9006, '9002', '9001', '2001-01-04'), (9006, '9001', '9002', '2001-01-10'),
       (9006, '9002', '9003', '2001-01-20'), (9004, '9001', '9002', now() - interval '100 days')) AS c (id, old, new, at)
 WHERE m.entity = 'deals';
SELECT pipedrive_internal.record_change_count(mirror_id, 1) FROM pipedrive_internal.mirror \g /dev/null
CALL pipedrive.refresh_views();
SELECT pipeline, stage, currency, deals, value, weighted_value FROM crm_dashboards.pipeline_by_stage WHERE pipeline_id = 9001 ORDER BY stage_order, currency;
SELECT month, currency, won, won_value, lost, lost_value, won_rate FROM crm_dashboards.won_lost_by_month WHERE pipeline_id = 9001 ORDER BY month;
SELECT * FROM crm_dashboards.activities_by_owner WHERE owner_id BETWEEN 9001 AND 9099 ORDER BY owner_id;
SELECT stage, entered, moved_on, won, lost, open, conversion_rate, median_time FROM crm_dashboards.stage_conversion WHERE pipeline_id = 9001 ORDER BY stage_order;
SELECT stage_id, bucket, currency, deals, value, rotten FROM crm_dashboards.deal_ageing WHERE pipeline_id = 9001 ORDER BY stage_id, bucket_order, currency;
SELECT currency, rank, organization, deals, open_deals, open_value, won_deals, won_value, lost_deals, last_activity = (SELECT max(marked_as_done_time) FROM crm_mirror.activities a WHERE a.org_id = t.org_id) AS last_activity
  FROM crm_dashboards.top_organizations t WHERE org_id BETWEEN 9001 AND 9003 ORDER BY currency, rank;
-- Months and days of another place.
SELECT * FROM pipedrive.create_dashboards('crm_mirror', 'dash', 'Europe/Tallinn');
SELECT month, currency, won, won_value, lost, lost_value, won_rate FROM dash.won_lost_by_month WHERE pipeline_id = 9001 ORDER BY month;
SELECT obj_description('dash.won_lost_by_month'::regclass);
-- The whole account against the mirrors, counted another way.
SELECT (SELECT sum(deals) FROM crm_dashboards.pipeline_by_stage) = count(*) AS deals,
       (SELECT sum(value) FROM crm_dashboards.pipeline_by_stage) = sum(value) AS value,
       (SELECT sum(deals) FROM crm_dashboards.deal_ageing) = count(*) AS ageing,
       (SELECT sum(rotten) FROM crm_dashboards.deal_ageing) = count(*) FILTER (WHERE EXISTS (
           SELECT FROM crm_mirror.stages s WHERE s.id = d.stage_id AND s.is_deal_rot_enabled AND coalesce(d.stage_change_time, d.add_time) < now() - s.days_to_rotten * interval '1 day')) AS rotten
  FROM crm_mirror.deals d WHERE status = 'open' AND is_archived IS DISTINCT FROM true;
SELECT s.id FROM crm_mirror.stages s LEFT JOIN crm_dashboards.pipeline_by_stage p ON p.stage_id = s.id
 WHERE p.stage_id IS NULL OR p.weighted_value IS DISTINCT FROM (
       SELECT coalesce(sum(d.value * coalesce(d.probability, s.deal_probability, 100) / 100), 0) FROM crm_mirror.deals d
        WHERE d.stage_id = s.id AND d.status = 'open' AND d.is_archived IS DISTINCT FROM true AND d.currency IS NOT DISTINCT FROM p.currency);
SELECT sum(won) = (SELECT count(*) FROM crm_mirror.deals WHERE status = 'won') AS won, sum(lost) = (SELECT count(*) FROM crm_mirror.deals WHERE status = 'lost') AS lost,
       sum(won_value) = (SELECT sum(value) FROM crm_mirror.deals WHERE status = 'won') AS won_value, count(*) FILTER (WHERE month IS NULL) AS undated
  FROM crm_dashboards.won_lost_by_month;
SELECT sum(overdue + due_today + upcoming + undated) = (SELECT count(*) FROM crm_mirror.activities WHERE NOT done) AS not_done,
       sum(done_last_30_days) = (SELECT count(*) FROM crm_mirror.activities WHERE done AND coalesce(marked_as_done_time, update_time, add_time) > now() - interval '30 days') AS done
  FROM crm_dashboards.activities_by_owner;
SELECT sum(won) = (SELECT count(*) FROM crm_mirror.deals WHERE status = 'won') AS won, sum(open) = (SELECT count(*) FROM crm_mirror.deals d WHERE status = 'open' AND stage_id <> 9999) AS open,
       count(*) = (SELECT count(*) FROM crm_mirror.stages) AS stages
  FROM crm_dashboards.stage_conversion;
SELECT count(*) = (SELECT count(DISTINCT (org_id, currency)) FROM crm_mirror.deals WHERE org_id IS NOT NULL) AS organizations,
       sum(won_value) = (SELECT sum(value) FROM crm_mirror.deals WHERE status = 'won' AND org_id IS NOT NULL) AS won_value FROM crm_dashboards.top_organizations;
-- A change of one mirror refreshes the dashboards that read it; unchanged rows stay as they are.
CREATE TABLE before AS SELECT stage_id, currency, ctid AS place FROM crm_dashboards.pipeline_by_stage;
UPDATE crm_mirror.deals SET value = value + 1 WHERE id = 9001;
SELECT pipedrive_internal.record_change_count(mirror_id, 1) FROM pipedrive_internal.mirror WHERE entity = 'deals' \g /dev/null
TRUNCATE pipedrive.refresh_log;
CALL pipedrive.refresh_views();
SELECT view, concurrent FROM pipedrive.refresh_log WHERE view::text LIKE 'crm%' ORDER BY view::text;
SELECT p.stage_id, p.currency, p.value FROM crm_dashboards.pipeline_by_stage p LEFT JOIN before b ON b.stage_id = p.stage_id AND b.currency IS NOT DISTINCT FROM p.currency WHERE b.place IS DISTINCT FROM p.ctid AND p.currency IS NOT NULL;
DROP TABLE before;
SET client_min_messages = warning;
DROP SCHEMA dash CASCADE;
SET client_min_messages = notice;
-- A table written by hand without what a dashboard needs.
CREATE FOREIGN TABLE crm.few (id bigint, status text, stage_id bigint, pipeline_id bigint, add_time timestamptz, update_time timestamptz) SERVER crm OPTIONS (entity 'deals');
CREATE FOREIGN TABLE crm.other_pipelines (id bigint, name text) SERVER crm OPTIONS (entity 'pipelines');
SELECT * FROM pipedrive.create_mirrors('crm', 'dash');
SELECT * FROM pipedrive.create_dashboards('dash', 'crm_dashboards_2');
SET client_min_messages = warning;
DROP SCHEMA dash, crm_dashboards, crm_dashboards_2 CASCADE;
SET client_min_messages = notice;
-- Without pg_cron: what to run elsewhere.
SELECT job, schedule, command, scheduled FROM pipedrive.schedule(apply_every => NULL);
SELECT statement FROM pipedrive.schedule() LIMIT 1;
SELECT * FROM pipedrive.unschedule() LIMIT 1;
-- Partitions of the history: rows move out of the default one; old months go.
SELECT count(*) > 0 AS in_default FROM pipedrive.changes_default;
CREATE TABLE kept AS SELECT * FROM pipedrive.changes;
CALL pipedrive.apply_retention();
SELECT count(*) AS in_default FROM pipedrive.changes_default;
TABLE kept EXCEPT ALL TABLE pipedrive.changes;
SELECT count(*) - 1 AS months, bool_and(obj_description(inhrelid) IS NOT NULL) AS comments FROM pg_inherits WHERE inhparent = 'pipedrive.changes'::regclass;
SELECT to_regclass('pipedrive.changes_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')) IS NOT NULL AS this_month;
INSERT INTO pipedrive.changes SELECT mirror_id, entity, id, field, old_value, new_value, changed_at, change_source, '2020-05-31 23:59:59.999999+00' FROM kept LIMIT 2;
SELECT pipedrive_internal.create_change_partition('2020-05-01'), pipedrive_internal.create_change_partition('2020-05-01'), pipedrive_internal.create_change_partition('2020-07-01');
INSERT INTO pipedrive.changes SELECT mirror_id, entity, id, field, old_value, new_value, changed_at, change_source, at FROM kept, unnest(ARRAY['2020-06-01', '2020-07-01']::timestamptz[]) AS at LIMIT 2;
SELECT tableoid::regclass, count(*) FROM pipedrive.changes WHERE recorded_at < '2021-01-01' GROUP BY tableoid ORDER BY tableoid::regclass::text;
INSERT INTO pipedrive.refresh_log VALUES ('pg_class', now() - interval '31 days', '0'), ('pg_class', now() - interval '29 days', '0');
CALL pipedrive.apply_retention();
SELECT count(*) FROM pipedrive.changes WHERE recorded_at < '2021-01-01'; -- kept forever unless told otherwise
SELECT count(*) FROM pipedrive.refresh_log WHERE view = 'pg_class'::regclass;
INSERT INTO pipedrive.settings VALUES ('changes_retention', '2 years'), ('refresh_log_retention', '1 day');
CALL pipedrive.apply_retention();
SELECT count(*) FROM pipedrive.changes WHERE recorded_at < '2021-01-01';
SELECT to_regclass('pipedrive.changes_202005'), to_regclass('pipedrive.changes_202007');
SELECT count(*) FROM pipedrive.refresh_log WHERE view = 'pg_class'::regclass;
TABLE kept EXCEPT ALL TABLE pipedrive.changes;
DROP TABLE kept;
SET client_min_messages = warning;
DROP SCHEMA crm_mirror CASCADE;
