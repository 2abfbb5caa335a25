\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- What one query may spend: it stops before the request that would pass the limit.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages, pipelines, persons) FROM SERVER crm
  INTO crm OPTIONS (custom_fields 'false');
ALTER FOREIGN TABLE crm.persons OPTIONS (ADD page_size '10');
CREATE FUNCTION sim.spent(query text) RETURNS TABLE (outcome text, requests bigint)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sim.call('DELETE', 'journal');
    outcome := sim.error(query);
    requests := (SELECT count(*) FROM sim.journal(true));
    RETURN NEXT;
END $$;
SHOW pipedrive_fdw.max_tokens_per_query;
SHOW pipedrive_fdw.max_requests_per_query;
-- One scan.
SET pipedrive_fdw.max_tokens_per_query = 39;
SELECT * FROM sim.spent('SELECT count(id) FROM crm.persons');
SET pipedrive_fdw.max_tokens_per_query = 40;
SELECT * FROM sim.spent('SELECT count(id) FROM crm.persons');
RESET pipedrive_fdw.max_tokens_per_query;
SET pipedrive_fdw.max_requests_per_query = 3;
SELECT * FROM sim.spent('SELECT count(id) FROM crm.persons');
-- The third page is all that is needed; that a fourth may not be asked for fails nothing.
SELECT * FROM sim.spent('SELECT id FROM crm.persons LIMIT 30');
-- All scans of the statement count together.
SELECT * FROM sim.spent($$SELECT count(*) FROM crm.stages, crm.pipelines, crm.pipelines AS p$$);
SELECT * FROM sim.spent('SELECT id FROM crm.stages UNION ALL SELECT id FROM crm.pipelines'
    || ' UNION ALL SELECT id FROM crm.stages UNION ALL SELECT id FROM crm.pipelines');
-- So do the queries of its functions.
CREATE FUNCTION sim.stages() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM crm.stages);
END $$;
SELECT * FROM sim.spent('SELECT sim.stages() FROM generate_series(1, 5)');
-- Each statement of a block is a query of its own.
DO $$
BEGIN
    FOR i IN 1 .. 5 LOOP
        PERFORM FROM crm.stages;
    END LOOP;
END $$;
-- A cursor keeps its count; another query has its own.
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM crm.persons;
SELECT count(*) FROM crm.stages;
MOVE 20 IN c;
SELECT count(*) FROM crm.stages;
MOVE 11 IN c;
ROLLBACK;
-- Retries are requests; a refused one costs no tokens.
CALL sim.fault('{"kind": "status", "status": 503, "match": {"nth": [1, 2, 3]}}');
SELECT * FROM sim.spent('SELECT count(*) FROM crm.stages');
CALL sim.fault('{"kind": "status", "status": 503, "match": {"nth": [1, 2]}}');
SELECT * FROM sim.spent('SELECT count(*) FROM crm.stages');
CALL sim.fault('{"kind": "status", "status": 503, "match": {"nth": [1, 2]}}');
RESET pipedrive_fdw.max_requests_per_query;
SET pipedrive_fdw.max_tokens_per_query = 5;
SELECT * FROM sim.spent('SELECT count(*) FROM crm.stages');
CALL sim.no_faults();
-- Field definitions are part of the bill.
SET pipedrive_fdw.max_tokens_per_query = 9;
SELECT * FROM sim.spent('IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER crm INTO crm');
SET pipedrive_fdw.max_tokens_per_query = 25;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons, organizations) FROM SERVER crm INTO sim;
SELECT count(*) FROM crm.stages;
SET pipedrive_fdw.max_tokens_per_query = -1;
