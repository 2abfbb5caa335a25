\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- History as intervals: the order of the steps where times are missing, equal or out of order, and a plan that reads the
-- changes once.
--
DROP SCHEMA IF EXISTS crm_mirror, crm_dashboards CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, pipelines, stages) FROM SERVER crm INTO crm;
SELECT * FROM pipedrive.create_mirrors('crm');
SELECT mirror_id FROM pipedrive_internal.mirror WHERE entity = 'deals' \gset
CREATE PROCEDURE sim.step(deal bigint, old jsonb, new jsonb, at timestamptz, told_by text DEFAULT 'sync', what text DEFAULT 'stage_id') LANGUAGE sql AS $$
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
    SELECT mirror_id, 'deals', deal, what, old, new, at, told_by FROM pipedrive_internal.mirror WHERE entity = 'deals'
$$;
INSERT INTO crm_mirror.pipelines (id, name, order_nr) VALUES (1, 'P', 0);
INSERT INTO crm_mirror.stages (id, name, order_nr, pipeline_id) SELECT n, 'Stage ' || n, n, 1 FROM generate_series(1, 4) AS n;
INSERT INTO crm_mirror.deals (id, status, pipeline_id, stage_id, owner_id, add_time) VALUES
    (1, 'open', 1, 2, 11, NULL), (2, 'open', 1, 3, 11, '2026-01-01'), (3, 'open', 1, 4, 11, '2026-01-01'), (4, 'open', 1, 2, 11, '2026-01-01'),
    (5, 'won', 1, 3, 11, NULL), (6, 'open', 1, 1, 11, '2026-01-01'), (7, 'open', 1, 3, 11, '2026-01-01'), (8, 'open', 1, 2, 12, '2026-01-01');
-- No add_time: what it began with is still the first.
CALL sim.step(1, '1', '2', '2026-02-01');
-- Two changes that Pipedrive dates alike, and one that is dated before the deal itself.
CALL sim.step(2, '1', '2', '2026-02-01');
CALL sim.step(2, '2', '3', '2026-02-01');
CALL sim.step(3, '1', '4', '2025-06-01');
-- Pipedrive's log comes later and newest first, with two entries of one second; one change is told by both.
CALL sim.step(5, '2', '3', '2026-03-01');
CALL sim.step(5, '2', '3', '2026-02-28', 'backfill');
CALL sim.step(5, '4', '2', '2026-02-01', 'backfill');
CALL sim.step(5, '1', '4', '2026-02-01', 'backfill');
-- A time without stage is a gap; SQL's NULL and JSON's are the same; what is no number is not known.
CALL sim.step(7, '1', 'null', '2026-02-01');
CALL sim.step(7, NULL, '2', '2026-03-01');
CALL sim.step(7, '2', '"two and a half"', '2026-04-01');
CALL sim.step(7, '"two and a half"', '3', '2026-05-01');
CALL sim.step(8, 'null', '2', '2026-02-01');
CALL sim.step(8, '11', '12', '2026-02-01', 'webhook', 'owner_id');
SELECT deal_id, stage_id, entered, left_at, duration, step FROM crm_mirror.stage_history ORDER BY deal_id, step;
SELECT deal_id, owner_id, entered, left_at, step FROM crm_mirror.owner_history WHERE deal_id IN (1, 8) ORDER BY deal_id, step;
-- One current stage a deal, and it is the one that the deal is in.
SELECT count(*) AS deals, count(*) FILTER (WHERE h.n = 1 AND h.stage_id = d.stage_id) AS right_ones
  FROM crm_mirror.deals d LEFT JOIN (SELECT deal_id, count(*) AS n, max(stage_id) AS stage_id FROM crm_mirror.stage_history WHERE left_at IS NULL GROUP BY deal_id) AS h ON h.deal_id = d.id;
-- The dashboard counts each open deal once, with the view and with the query in its place.
SELECT * FROM pipedrive.create_dashboards('crm_mirror') AS d WHERE d::text LIKE '%stage_conversion';
SELECT stage, entered, moved_on, won, open FROM crm_dashboards.stage_conversion ORDER BY stage_order;
SELECT pg_get_viewdef('crm_dashboards.stage_conversion'::regclass) LIKE '%stage_history%' AS reads_the_view;
SELECT bucket, stage, deals FROM crm_dashboards.deal_ageing WHERE bucket_order IN (1, 6) ORDER BY bucket_order, stage_order;
CREATE TABLE sim.with_view AS SELECT * FROM crm_dashboards.stage_conversion;
DROP SCHEMA crm_dashboards CASCADE;
ALTER VIEW crm_mirror.stage_history RENAME TO "Stages, once";
SELECT count(*) FROM pipedrive.create_dashboards('crm_mirror');
SELECT pg_get_viewdef('crm_dashboards.stage_conversion'::regclass) LIKE '%"Stages, once"%' AS reads_the_view;
DROP SCHEMA crm_dashboards CASCADE;
DROP VIEW crm_mirror."Stages, once";
CREATE VIEW crm_mirror.stage_history AS SELECT 1 AS deal_id, 'somebody else''s' AS stage_id;
SELECT count(*) FROM pipedrive.create_dashboards('crm_mirror');
SELECT count(*) AS differences FROM (SELECT * FROM crm_dashboards.stage_conversion EXCEPT SELECT * FROM sim.with_view) AS x;
DROP SCHEMA crm_dashboards CASCADE;
-- The changes are read once, and once for the deals that are gone; nothing is done once a row; for one deal they are found by their index.
CREATE FUNCTION sim.shape(query text) RETURNS TABLE (scans_of_changes bigint, subplans bigint, indexed bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan text;
    whole text := '';
BEGIN
    FOR plan IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        whole := whole || plan || E'\n';
    END LOOP;
    RETURN QUERY SELECT (SELECT count(*) FROM regexp_matches(whole, '(Scan[^\n]* on changes_default |Index Scan using \S+ on changes_default)', 'g')),
                        (SELECT count(*) FROM regexp_matches(whole, 'SubPlan|CTE', 'g')),
                        (SELECT count(*) FROM regexp_matches(whole, 'Index Cond: [^\n]*(\mid|END) = ', 'g'));
END $$;
SELECT * FROM sim.shape('SELECT * FROM crm_mirror.owner_history');
SET enable_seqscan = off;
SELECT * FROM sim.shape('SELECT * FROM crm_mirror.owner_history WHERE deal_id = 8');
RESET enable_seqscan;
--
-- What came first is told by the order of recording: here the clock of this machine steps back two hours between the two changes, so that
-- the second is recorded at an earlier time, and in the partition of an earlier month.
--
DROP VIEW crm_mirror.stage_history;
SELECT pipedrive_internal.create_history_view(m, 'stage_id'::text) FROM pipedrive_internal.mirror m WHERE m.mirror_id = :mirror_id;
SELECT pipedrive_internal.create_change_partition('2026-01-01'::date);
INSERT INTO crm_mirror.deals (id, status, pipeline_id, stage_id, owner_id, add_time) VALUES (20, 'open', 1, 3, 11, '2026-01-01');
INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source, recorded_at) VALUES
    (:mirror_id, 'deals', 20, 'stage_id', '1', '2', '2026-02-01 00:50:00', 'sync', '2026-02-01 00:51:00');
INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source, recorded_at) VALUES
    (:mirror_id, 'deals', 20, 'stage_id', '2', '3', '2026-02-01 00:55:00', 'sync', '2026-01-31 22:56:00');
SELECT stage_id, entered, left_at, duration, step FROM crm_mirror.stage_history WHERE deal_id = 20 ORDER BY step;
SELECT tableoid::regclass, old_value, new_value FROM pipedrive.changes WHERE id = '20' ORDER BY arrival;
-- The rows that move into a new partition keep their place.
SELECT pipedrive_internal.create_change_partition('2026-02-01'::date);
SELECT tableoid::regclass, old_value, new_value FROM pipedrive.changes WHERE id = '20' ORDER BY arrival;
SELECT stage_id, step FROM crm_mirror.stage_history WHERE deal_id = 20 ORDER BY step;
--
-- Deals that are deleted keep what they went through; what they had last ends with them.
--
INSERT INTO crm_mirror.deals (id, status, pipeline_id, stage_id, owner_id, add_time) SELECT n, 'open', 1, 1, 11, '2026-01-01' FROM generate_series(30, 39) AS n;
-- 30 moved, 31 did not; 32 moved before the mirror, as Pipedrive's log tells; 33 comes back, and moves; 34 comes back in another stage; 35 is
-- deleted again; 36 was removed by hand, which nobody recorded; 37 is there although its deletion is the last that was told.
CALL sim.step(30, '2', '1', '2026-02-01');
CALL sim.step(32, '3', '2', '2026-01-15', 'backfill');
CALL sim.step(32, '2', '1', '2026-01-20', 'backfill');
CALL sim.step(33, '2', '1', '2026-02-01');
CALL sim.step(34, '2', '1', '2026-02-01');
CALL sim.step(35, '2', '1', '2026-02-01');
CALL sim.step(36, '2', '1', '2026-02-01');
CALL sim.step(37, '2', '1', '2026-02-01');
SELECT pipedrive_internal.delete_rows(:mirror_id, '{30,31,32,33,34,35}'::text[], '2026-03-01 00:00:00Z'::timestamptz, 'sync'::text, NULL::bigint);
DELETE FROM crm_mirror.deals WHERE id = 36;
CALL sim.step(37, 'false', 'true', '2026-03-01', 'webhook', 'is_deleted');
INSERT INTO crm_mirror.deals (id, status, pipeline_id, stage_id, owner_id, add_time) VALUES (33, 'open', 1, 4, 11, '2026-01-01'), (34, 'open', 1, 3, 11, '2026-01-01');
CALL sim.step(33, 'true', 'false', '2026-03-05', 'sync', 'is_deleted');
CALL sim.step(33, '1', '4', '2026-03-08');
CALL sim.step(34, 'true', 'false', '2026-03-05', 'sync', 'is_deleted');
CALL sim.step(35, 'true', 'false', '2026-03-05', 'sync', 'is_deleted');
CALL sim.step(35, '1', '4', '2026-03-08');
CALL sim.step(35, 'false', 'true', '2026-03-09', 'sync', 'is_deleted');
-- Pipedrive's log has a field of that name too, which is none of ours
CALL sim.step(38, 'false', 'true', '2026-01-15', 'backfill', 'is_deleted');
SELECT deal_id, stage_id, entered, left_at, step FROM crm_mirror.stage_history WHERE deal_id BETWEEN 30 AND 39 ORDER BY deal_id, step;
SELECT deal_id, owner_id, left_at FROM crm_mirror.owner_history WHERE deal_id BETWEEN 30 AND 39 ORDER BY deal_id, step;
-- What is not over is where the deals are.
SELECT (SELECT array_agg((deal_id, stage_id) ORDER BY deal_id) FROM crm_mirror.stage_history WHERE left_at IS NULL)
     = (SELECT array_agg((id, stage_id::bigint) ORDER BY id) FROM crm_mirror.deals) AS as_in_the_mirror;
--
-- A copy of the history is taken over in its order; an older one that does not tell it, by the times.
--
CREATE TABLE sim.copy AS TABLE pipedrive.changes;
DELETE FROM pipedrive.changes;
SELECT pipedrive_internal.adopt_history(m, 'sim.copy'::regclass) = (SELECT count(*) FROM sim.copy) AS all_of_it FROM pipedrive_internal.mirror m WHERE m.mirror_id = :mirror_id;
SELECT stage_id, step FROM crm_mirror.stage_history WHERE deal_id = 20 ORDER BY step;
SELECT min(c.arrival) > (SELECT max(o.arrival) FROM sim.copy o) AS numbered_anew FROM pipedrive.changes c;
DELETE FROM pipedrive.changes;
ALTER TABLE sim.copy DROP COLUMN arrival;
SELECT pipedrive_internal.adopt_history(m, 'sim.copy'::regclass) = (SELECT count(*) FROM sim.copy) AS all_of_it FROM pipedrive_internal.mirror m WHERE m.mirror_id = :mirror_id;
SELECT (SELECT array_agg(new_value ORDER BY arrival) FROM pipedrive.changes WHERE id = '20') = (SELECT array_agg(new_value ORDER BY recorded_at) FROM sim.copy WHERE id = '20') AS by_the_times;
DROP SCHEMA crm_mirror CASCADE;
