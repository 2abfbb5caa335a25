\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- EXPLAIN: our lines, in text and JSON, without a request; with ANALYZE what it was in fact.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
CREATE FUNCTION sim.json_plan(query text, options text DEFAULT 'COSTS OFF') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE format('EXPLAIN (%s, FORMAT JSON) %s', options, query) INTO plan;
    SELECT p INTO plan FROM jsonb_path_query(plan, 'strict $.**?(@."Node Type" == "Foreign Scan")') AS p LIMIT 1;
    RETURN (SELECT jsonb_object_agg(key, CASE key WHEN 'Bytes Received' THEN to_jsonb(value::int > 0) ELSE value END) FROM jsonb_each(plan)
             WHERE key ~ '^(Pipedrive Request|Pushed Exactly|Pushed as Superset|Checked Locally|Estimated |Requests|Tokens|Rows Fetched|Bytes Received|Retries)');
END $$;
CALL sim.clear();
SELECT sim.plan('SELECT * FROM crm.stages');
SELECT sim.plan('SELECT id FROM crm.deals');
SELECT sim.plan('SELECT id FROM crm.deals WHERE status = ''open'' AND update_time > ''2026-03-01'' AND title LIKE ''A%'' AND pipeline_id = 1 AND value > 5 AND NOT is_archived');
SELECT sim.plan('SELECT title, score, priority, labels, files_count FROM crm.deals WHERE id IN (3, 4)');
SELECT sim.plan('SELECT id FROM crm.deals WHERE id = 3 AND id = ANY (''{4,5}'')');
SELECT sim.plan('SELECT id FROM crm.deals WHERE id = ANY (''{}'')');
SELECT sim.plan('SELECT id FROM crm.users WHERE active_flag');
SELECT sim.plan('SELECT id FROM crm.activities WHERE NOT done AND deal_id = 7');
SELECT sim.plan('SELECT id FROM crm.deals WHERE status = ''nonsense''');
SELECT sim.plan('SELECT id FROM crm.deals WHERE status = ''deleted''');
SELECT regexp_replace(l, '^(.{150}).*( \(and .*)?$', '\1...\2') FROM sim.plan('SELECT id FROM crm.activities WHERE id = ANY (''{' || (SELECT string_agg(i::text, ',') FROM generate_series(1, 250) AS i) || '}'')') AS l;
-- What only the execution will know is shown by its expression.
SELECT sim.plan('SELECT d.id FROM crm.deals AS d WHERE d.id = (SELECT 7::bigint OFFSET 0)');
SELECT sim.plan('SELECT s.id, (SELECT count(*) FROM crm.deals AS d WHERE d.stage_id = s.id AND NOT d.is_archived) FROM crm.stages AS s');
SELECT regexp_replace(l, '20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ', '(time)') FROM sim.plan('SELECT id FROM crm.deals WHERE update_time >= now() - interval ''1 day'' AND NOT is_archived') AS l;
-- JSON.
SELECT jsonb_pretty(sim.json_plan('SELECT id FROM crm.deals WHERE status IN (''open'', ''won'') AND update_time > ''2026-03-01'' AND title LIKE ''A%'''));
SELECT jsonb_pretty(sim.json_plan('SELECT id FROM crm.stages'));
SELECT jsonb_pretty(sim.json_plan('SELECT id FROM crm.deals WHERE id = 0'));
-- Other formats do not fail.
EXPLAIN (COSTS OFF, FORMAT YAML) SELECT id FROM crm.pipelines;
-- None of this, nor planning, has asked for anything.
PREPARE p AS SELECT id FROM crm.deals;
SELECT count(*) FROM sim.journal(true);
-- ANALYZE. Pages, tokens, rows before the recheck; what LIMIT saved; retries.
SELECT sim.plan('SELECT id FROM crm.stages', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
SELECT sim.plan('SELECT id FROM crm.deals WHERE title LIKE ''A%''', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
SELECT sim.plan('SELECT id FROM crm.deals WHERE id = 0', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
SELECT sim.plan('SELECT id FROM crm.deals WHERE id IN (1, 2, 3, 999999)', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
ALTER FOREIGN TABLE crm.stages OPTIONS (ADD page_size '7');
SELECT sim.plan('SELECT id FROM crm.stages', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
SELECT sim.plan('SELECT id FROM crm.stages LIMIT 1', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
CALL sim.fault('{"kind": "status", "status": 503, "match": {"nth": 2}}');
SELECT sim.plan('SELECT id FROM crm.stages', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
CALL sim.no_faults();
SELECT jsonb_pretty(sim.json_plan('SELECT id FROM crm.stages WHERE pipeline_id = 3', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF'));
-- A part of a plan that never ran asked for nothing.
SELECT sim.plan('SELECT id FROM crm.stages WHERE (SELECT false)', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
-- Rescans add up.
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off;
SELECT sim.plan('SELECT v.i, s.n FROM (VALUES (1), (2), (3)) AS v (i), LATERAL (SELECT count(*) AS n FROM crm.stages WHERE pipeline_id = v.i) AS s', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF');
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material; RESET enable_memoize;
-- Push-down off.
SET pipedrive_fdw.enable_pushdown = off;
SELECT sim.plan('SELECT id FROM crm.deals WHERE id = 7 AND status = ''open''');
RESET pipedrive_fdw.enable_pushdown;
-- A page size makes the estimate.
ALTER SERVER crm OPTIONS (ADD page_size '100');
SELECT sim.plan('SELECT id FROM crm.persons');
ALTER SERVER crm OPTIONS (DROP page_size);
-- EXPLAIN needs neither a user mapping nor the API.
DROP USER MAPPING FOR CURRENT_USER SERVER crm;
SELECT sim.plan('SELECT id FROM crm.pipelines');
