\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- History as intervals: the order of the steps where times are missing, equal or out of order, and a plan that reads the
-- changes once.
--
DROP SCHEMA IF EXISTS crm_mirror, crm_dashboards CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, pipelines, stages) FROM SERVER crm INTO crm;
SELECT * FROM pipedrive.create_mirrors('crm');
SELECT mirror_id FROM pipedrive.mirror WHERE entity = 'deals' \gset
CREATE PROCEDURE sim.step(deal bigint, old jsonb, new jsonb, at timestamptz, told_by text DEFAULT 'sync', what text DEFAULT 'stage_id') LANGUAGE sql AS $$
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
    SELECT mirror_id, 'deals', deal, what, old, new, at, told_by FROM pipedrive.mirror WHERE entity = 'deals'
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
-- The changes are read once and nothing is done once a row; for one deal they are found by their index.
CREATE FUNCTION sim.shape(query text) RETURNS TABLE (scans_of_changes bigint, subplans bigint, indexed bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan text;
    whole text := '';
BEGIN
    FOR plan IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        whole := whole || plan || E'\n';
    END LOOP;
    RETURN QUERY SELECT (SELECT count(*) FROM regexp_matches(whole, '(Scan[^\n]* on changes_default |Index Scan using \S+ on changes_default)', 'g')),
                        (SELECT count(*) FROM regexp_matches(whole, 'SubPlan|Nested Loop|CTE', 'g')),
                        (SELECT count(*) FROM regexp_matches(whole, 'Index Cond: [^\n]*\mid = ', 'g'));
END $$;
SELECT * FROM sim.shape('SELECT * FROM crm_mirror.owner_history');
SET enable_seqscan = off;
SELECT * FROM sim.shape('SELECT * FROM crm_mirror.owner_history WHERE deal_id = 8');
RESET enable_seqscan;
DROP SCHEMA crm_mirror CASCADE;
