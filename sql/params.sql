\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Values that are known only when a scan starts: parameters, stable expressions, time zones, outer rows.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons, organizations, activities, stages) FROM SERVER crm INTO crm;
-- A local copy tells the right answers.
CREATE SCHEMA copy;
CREATE TABLE copy.deals AS SELECT * FROM crm.deals;
CREATE TABLE copy.activities AS SELECT * FROM crm.activities;
-- Prepared statements: custom plans, then one generic plan for all values.
SET plan_cache_mode = force_generic_plan;
PREPARE by_status(text) AS SELECT count(*) FROM crm.deals WHERE status = $1;
PREPARE by_id(bigint) AS SELECT id, status FROM crm.deals WHERE id = $1;
PREPARE by_int(int) AS SELECT id FROM crm.deals WHERE id = $1;
PREPARE by_ids(bigint[]) AS SELECT id FROM crm.deals WHERE id = ANY ($1) ORDER BY id;
PREPARE by_words(text[]) AS SELECT status, count(*) FROM crm.deals WHERE status = ANY ($1) GROUP BY 1 ORDER BY 1;
PREPARE by_time(timestamptz, timestamptz) AS SELECT count(*) FROM crm.deals WHERE update_time >= $1 AND update_time < $2;
PREPARE by_flag(boolean) AS SELECT count(*) FROM crm.deals WHERE is_archived = $1;
PREPARE by_owner(bigint, boolean) AS SELECT count(*) FROM crm.activities WHERE owner_id = $1 AND done = $2;
CALL sim.clear();
EXECUTE by_status('open');
EXECUTE by_status('won');
EXECUTE by_status('deleted');
EXECUTE by_status('nonsense');
EXECUTE by_status(NULL);
SELECT * FROM sim.journal();
CALL sim.clear();
EXECUTE by_id(7);
EXECUTE by_id(10);
EXECUTE by_id(0);
EXECUTE by_id(-1);
EXECUTE by_id(NULL);
EXECUTE by_id(3000000000);
EXECUTE by_int(7);
SELECT * FROM sim.journal();
CALL sim.clear();
EXECUTE by_ids(ARRAY[3, 1, 2]);
EXECUTE by_ids('{}');
EXECUTE by_ids(NULL);
EXECUTE by_ids(ARRAY[NULL, 4, NULL, 4, -4]::bigint[]);
SELECT * FROM sim.journal();
CALL sim.clear();
EXECUTE by_words(ARRAY['won', 'lost']);
EXECUTE by_words(ARRAY['won', NULL, 'deleted']);
EXECUTE by_words(ARRAY['deleted']);
EXECUTE by_words(ARRAY['won', 'strange']);
EXECUTE by_words('{}');
SELECT * FROM sim.journal();
CALL sim.clear();
EXECUTE by_time('2026-03-01', '2026-03-02');
EXECUTE by_time('2026-03-01 00:00:00.5', '2026-03-02 00:00:00.5');
EXECUTE by_time('2026-03-02', '2026-03-01');
EXECUTE by_time('-infinity', '2026-03-01');
EXECUTE by_time('2026-03-01', 'infinity');
EXECUTE by_time(NULL, '2026-03-01');
SELECT * FROM sim.journal();
CALL sim.clear();
EXECUTE by_flag(true);
EXECUTE by_flag(false);
EXECUTE by_flag(NULL);
EXECUTE by_owner(25455458, true);
EXECUTE by_owner(25455458, false);
EXECUTE by_owner(0, false);
SELECT * FROM sim.journal();
SELECT count(*) FILTER (WHERE done) AS done, count(*) FILTER (WHERE NOT done) AS open FROM copy.activities WHERE owner_id = 25455458;
SELECT count(*) FILTER (WHERE is_archived) AS archived, count(*) FILTER (WHERE NOT is_archived) AS other,
       count(*) FILTER (WHERE update_time >= '2026-03-01' AND update_time < '2026-03-02') AS day FROM copy.deals;
-- The plan of a parameter tells what is not yet known.
SELECT sim.plan('EXECUTE by_id(7)');
SELECT sim.plan('EXECUTE by_ids(ARRAY[1, 2])');
SELECT sim.plan('EXECUTE by_time(''2026-03-01'', ''2026-03-02'')');
SET plan_cache_mode = force_custom_plan;
SELECT sim.plan('EXECUTE by_id(7)');
CALL sim.clear();
EXECUTE by_id(7);
EXECUTE by_id(NULL);
SELECT * FROM sim.journal();
RESET plan_cache_mode;
DEALLOCATE ALL;
-- More than one request takes: batches of 100 ids, each asked for once; then the rest of the deals among the archived.
SELECT n, left(split_part(r, 'ids=', 2), 20) AS ids, array_length(string_to_array(split_part(split_part(r, 'ids=', 2), '&', 1), ','), 1) AS how_many, split_part(r, '?', 1) AS list
  FROM sim.requests('SELECT id FROM crm.activities WHERE id = ANY (ARRAY(SELECT generate_series(1, 250)))') WITH ORDINALITY AS x (r, n);
SELECT n, left(split_part(r, 'ids=', 2), 20) AS ids, array_length(string_to_array(split_part(split_part(r, 'ids=', 2), '&', 1), ','), 1) AS how_many, split_part(r, '?', 1) AS list
  FROM sim.requests('SELECT id FROM crm.deals WHERE id = ANY (ARRAY(SELECT generate_series(1, 250)))') WITH ORDINALITY AS x (r, n);
SELECT sim.ids('SELECT id FROM crm.activities WHERE id = ANY (ARRAY(SELECT generate_series(1, 250)))') = sim.ids('SELECT id FROM copy.activities WHERE id <= 250') AS activities,
       sim.ids('SELECT id FROM crm.deals WHERE id = ANY (ARRAY(SELECT generate_series(1, 250)))') = sim.ids('SELECT id FROM copy.deals WHERE id <= 250') AS deals;
SELECT count(*) FROM sim.requests('SELECT id FROM crm.activities WHERE id = ANY (ARRAY(SELECT generate_series(1, 100)))');
SELECT count(*) FROM sim.requests('SELECT id FROM crm.activities WHERE id = ANY (ARRAY(SELECT generate_series(1, 101)))');
SELECT count(*) FROM sim.requests('SELECT id FROM crm.activities WHERE id = ANY (ARRAY(SELECT generate_series(-300, 0)))');
-- Stable expressions are computed once a scan, when it starts; volatile ones are not pushed.
SELECT regexp_replace(r, '=20[0-9-]+T[0-9:]+Z', '=(time)') FROM sim.requests('SELECT id FROM crm.deals WHERE update_time >= now() - interval ''1 day''') AS r;
SELECT regexp_replace(r, '=20[0-9-]+T[0-9:]+Z', '=(time)') FROM sim.requests('SELECT id FROM crm.deals WHERE update_time < clock_timestamp()') AS r;
SELECT regexp_replace(r, '=20[0-9-]+T[0-9:]+Z', '=(time)') FROM sim.requests('SELECT id FROM crm.deals WHERE update_time >= current_date') AS r;
SELECT count(*) = (SELECT count(*) FROM copy.deals WHERE update_time < now() - interval '1 day') AS same FROM crm.deals WHERE update_time < now() - interval '1 day';
SELECT substring(r FROM 'since=(.*)Z&limit')::timestamp = date_trunc('second', (now() AT TIME ZONE 'UTC') - interval '1 day') AS floored
  FROM sim.requests('SELECT id FROM crm.deals WHERE update_time >= now() - interval ''1 day'' AND NOT is_archived') AS r;
SET regress.status = 'won';
SELECT * FROM sim.requests('SELECT id FROM crm.deals WHERE status = current_setting(''regress.status'')');
-- Dates and times without zone mean the session's time zone, at execution and not at planning.
SET plan_cache_mode = force_generic_plan;
PREPARE since_date AS SELECT count(*) FROM crm.deals WHERE update_time >= DATE '2026-03-01' AND NOT is_archived;
PREPARE since_time AS SELECT count(*) FROM crm.deals WHERE update_time >= TIMESTAMP '2026-03-01 00:00:00' AND NOT is_archived;
PREPARE since_param(date) AS SELECT count(*) FROM crm.deals WHERE update_time >= $1 AND NOT is_archived;
PREPARE since_literal AS SELECT count(*) FROM crm.deals WHERE update_time >= '2026-03-01 00:00:00' AND NOT is_archived;
CREATE FUNCTION sim.zones() RETURNS TABLE (zone text, what text, rows bigint, truth bigint, request text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH zone IN ARRAY ARRAY['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Kiritimati'] LOOP
        PERFORM set_config('timezone', zone, true);
        FOREACH what IN ARRAY ARRAY['since_date', 'since_time', 'since_param(''2026-03-01'')'] LOOP
            PERFORM sim.call('DELETE', 'journal');
            EXECUTE 'EXECUTE ' || what INTO rows;
            truth := (SELECT count(*) FROM copy.deals WHERE update_time >= TIMESTAMP '2026-03-01' AND NOT is_archived);
            FOR request IN SELECT * FROM sim.journal() LOOP RETURN NEXT; END LOOP;
        END LOOP;
    END LOOP;
END $$;
SELECT * FROM sim.zones();
RESET timezone;
SET timezone = 'America/New_York';
CALL sim.clear();
EXECUTE since_literal; -- planned first in this zone: a literal is read when the statement is parsed, in UTC
SELECT * FROM sim.journal();
SET timezone = 'UTC';
RESET plan_cache_mode;
DEALLOCATE ALL;
-- A day that daylight saving makes 23 hours long.
SET timezone = 'America/New_York';
SELECT * FROM sim.requests('SELECT id FROM crm.deals WHERE update_time >= DATE ''2026-03-08'' AND update_time < DATE ''2026-03-09'' AND NOT is_archived');
SET timezone = 'UTC';
-- plpgsql: variables become parameters; a function called often enough gets a generic plan.
CREATE FUNCTION sim.count_deals(wanted text, since timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    SELECT count(*) INTO n FROM crm.deals WHERE status = wanted AND update_time >= since;
    RETURN n;
END $$;
SELECT i, sim.count_deals(s, '2026-03-01') = (SELECT count(*) FROM copy.deals WHERE status = s AND update_time >= '2026-03-01') AS same
  FROM (VALUES (1, 'open'), (2, 'won'), (3, 'lost'), (4, 'open'), (5, 'won'), (6, 'lost'), (7, 'open'), (8, 'won'), (9, NULL), (10, 'x')) AS v (i, s) ORDER BY i;
CREATE FUNCTION sim.titles(ids bigint[]) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$ SELECT id FROM crm.deals WHERE id = ANY (ids) $$;
SELECT * FROM sim.requests('SELECT sim.titles(ARRAY[1, 2, 3])');
SELECT * FROM sim.requests('SELECT sim.titles(NULL)');
-- A cursor FOR loop and dynamic SQL with parameters.
DO $$
DECLARE
    r record; n int := 0; open_owner bigint := 25455458;
BEGIN
    FOR r IN SELECT id FROM crm.deals WHERE owner_id = open_owner LOOP n := n + 1; END LOOP;
    ASSERT n = (SELECT count(*) FROM copy.deals WHERE owner_id = open_owner);
    EXECUTE 'SELECT count(*) FROM crm.deals WHERE owner_id = $1' INTO n USING open_owner + 1;
    ASSERT n = (SELECT count(*) FROM copy.deals WHERE owner_id = open_owner + 1);
END $$;
-- Values of initplans, and nothing asked where the subquery finds nothing.
SELECT * FROM sim.requests('SELECT id FROM crm.deals WHERE id = (SELECT max(id) FROM copy.deals WHERE id < 9)');
SELECT * FROM sim.requests('SELECT id FROM crm.deals WHERE id = (SELECT id FROM copy.deals WHERE id = 999999)');
SELECT * FROM sim.requests('SELECT id FROM crm.deals WHERE update_time >= (SELECT max(update_time) - interval ''1 hour'' FROM copy.deals) AND NOT is_archived');
SELECT * FROM sim.requests('SELECT id FROM crm.deals WHERE status = (SELECT ''won'') AND is_archived = (SELECT false)');
SELECT sim.plan('SELECT id FROM crm.deals WHERE id = (SELECT max(id) FROM copy.deals WHERE id < 9)');
-- Rescans: one lookup for each outer row, or one walk for all of them.
CREATE TABLE copy.some (n int, deal bigint, state text);
INSERT INTO copy.some VALUES (1, 1, 'open'), (2, 2, 'won'), (3, 10, NULL), (4, NULL, 'lost'), (5, 999999, 'strange'), (6, 1, 'open');
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
DO $$ BEGIN PERFORM set_config('enable_memoize', 'off', false); END $$;
SELECT s.n, s.deal, d.id FROM copy.some s LEFT JOIN LATERAL (SELECT id FROM crm.deals WHERE id = s.deal OFFSET 0) d ON true ORDER BY s.n;
SELECT * FROM sim.request_counts('SELECT s.n, d.id FROM copy.some s LEFT JOIN LATERAL (SELECT id FROM crm.deals WHERE id = s.deal OFFSET 0) d ON true');
SELECT s.n, s.state, (SELECT count(*) FROM crm.deals WHERE status = s.state AND is_archived) AS remote, (SELECT count(*) FROM copy.deals WHERE status = s.state AND is_archived) AS local FROM copy.some s ORDER BY s.n;
SELECT * FROM sim.request_counts('SELECT (SELECT count(*) FROM crm.deals WHERE status = s.state AND is_archived) FROM copy.some s');
SELECT s.n, (SELECT array_agg(id ORDER BY id) FROM crm.deals WHERE id = ANY (ARRAY[s.deal, s.n])) FROM copy.some s ORDER BY s.n;
-- EXISTS and IN over another table.
SELECT count(*) FROM crm.deals d WHERE EXISTS (SELECT FROM copy.some s WHERE s.deal = d.id);
SELECT count(*) FROM crm.deals WHERE id IN (SELECT deal FROM copy.some);
SELECT count(*) FROM crm.deals WHERE id NOT IN (SELECT deal FROM copy.some WHERE deal IS NOT NULL);
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material; RESET enable_memoize;
-- Values change between executions of one plan, also under push-down off (a plan made before keeps its requests).
PREPARE p(bigint) AS SELECT id FROM crm.deals WHERE id = $1;
EXECUTE p(1);
SET pipedrive_fdw.enable_pushdown = off;
EXECUTE p(2);
SELECT * FROM sim.requests('SELECT id FROM crm.deals WHERE id = 1');
RESET pipedrive_fdw.enable_pushdown;
DEALLOCATE p;
-- Contradictions send nothing, whatever says so.
PREPARE twice(bigint, bigint) AS SELECT id FROM crm.deals WHERE id = $1 AND id = $2;
SET plan_cache_mode = force_generic_plan;
CALL sim.clear();
EXECUTE twice(1, 2);
EXECUTE twice(1, NULL);
SELECT count(*) AS requests FROM sim.journal();
EXECUTE twice(1, 1);
SELECT * FROM sim.journal();
PREPARE words(text, text[]) AS SELECT count(*) FROM crm.deals WHERE status = $1 AND status = ANY ($2);
CALL sim.clear();
EXECUTE words('open', ARRAY['won', 'lost']);
EXECUTE words('open', NULL);
SELECT count(*) AS requests FROM sim.journal();
EXECUTE words('open', ARRAY['won', 'open']);
SELECT * FROM sim.journal();
