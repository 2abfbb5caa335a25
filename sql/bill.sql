\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- The bill: what EXPLAIN ANALYZE tells is what the API charged, and a LIMIT that one page can
-- satisfy is one request.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO crm;
ALTER FOREIGN TABLE crm.deals OPTIONS (ADD page_size '20');
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION sim.sum_of(plan jsonb, key text) RETURNS bigint LANGUAGE sql AS $$
    SELECT coalesce(sum(v::bigint), 0)
      FROM jsonb_path_query(plan, ('strict $.**."' || key || '"')::jsonpath) AS v
$$;
CREATE FUNCTION sim.bill(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    plan jsonb;
BEGIN
    before := sim.call('GET', 'limits')::jsonb -> 'used';
    EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
    RETURN format('%s: %s request(s), told %s, charged %s', query, sim.sum_of(plan, 'Requests'),
        sim.sum_of(plan, 'Tokens'), (sim.call('GET', 'limits')::jsonb -> 'used')::bigint - before);
END $$;
SELECT sim.bill(format('SELECT title FROM crm.deals LIMIT %s', n))
  FROM unnest(ARRAY[1, 5, 6, 19, 20, 21, 40, 41]) AS n;
SELECT sim.bill('SELECT title FROM crm.deals OFFSET 9 LIMIT 10');
SELECT sim.bill('SELECT title FROM crm.deals WHERE title <> '''' LIMIT 3');
SELECT sim.bill('SELECT * FROM (SELECT id FROM crm.deals LIMIT 15) AS d, generate_series(1, 2)');
-- The LIMIT of a prepared statement, and one that the planner cannot know.
SET plan_cache_mode = force_generic_plan;
PREPARE page(int, bigint) AS SELECT title FROM crm.deals LIMIT $1 OFFSET $2;
SELECT sim.bill('EXECUTE page(13, 0)');
SELECT sim.bill('EXECUTE page(13, 7)');
SELECT sim.bill('EXECUTE page(13, 8)');
SELECT sim.bill('EXECUTE page(NULL, NULL)');
SELECT sim.bill('SELECT title FROM crm.deals LIMIT (SELECT 12)');
SELECT sim.error('EXECUTE page(-1, 0)');
RESET plan_cache_mode;
-- A hint, never a stop.
SELECT sim.bill('SELECT title FROM crm.deals ORDER BY title LIMIT 3');
SELECT sim.bill('SELECT count(*) FROM crm.deals LIMIT 1');
SELECT sim.bill('SELECT DISTINCT title FROM crm.deals LIMIT 1');
SELECT count(*) FROM (SELECT id FROM crm.deals WHERE id % 2 = 0 LIMIT 4) AS q;
-- What is asked ahead and then not wanted is paid and told.
SELECT sim.bill('SELECT EXISTS (SELECT FROM crm.deals OFFSET 8)');
-- So is what did not come in time.
ALTER SERVER crm OPTIONS (ADD request_timeout '300ms', ADD max_retries '1');
CALL sim.fault('{"kind": "hang", "match": {"nth": 1}}');
SELECT sim.bill('SELECT name FROM crm.stages');
CALL sim.no_faults();
-- What a mirror paid for a batch that failed stays paid, and counts against the limit of the run.
ALTER SERVER crm OPTIONS (SET request_timeout '10s');
SELECT pipedrive.create_mirror('crm.deals', 'crm.deals_mirror');
SELECT sim.call('GET', 'limits')::jsonb -> 'used' AS before \gset
CALL sim.fault('{"kind": "status", "status": 403, "match": {"path_regex": "deals$", "nth": 2}}');
SET client_min_messages = error;
\set ON_ERROR_STOP 0
\set SHOW_CONTEXT never
CALL pipedrive.sync('crm.deals_mirror');
CALL sim.no_faults();
SELECT s.tokens_today > 2 AS pages_were_paid,
       s.tokens_today - (sim.call('GET', 'limits')::jsonb -> 'used')::bigint + :before AS not_told
  FROM pipedrive.mirrors s;
CALL pipedrive.sync('crm.deals_mirror');
SELECT s.tokens_today - (sim.call('GET', 'limits')::jsonb -> 'used')::bigint + :before AS not_told
  FROM pipedrive.mirrors s;
