\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- A slow reader is no time-out: cursors that idle and loops that work longer than request_timeout
-- while a page is under way. Every page is asked for once.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (activities) FROM SERVER crm INTO crm;
SELECT count(*) AS activities, (count(*) + 19) / 20 AS pages FROM crm.activities \gset
ALTER SERVER crm OPTIONS (ADD request_timeout '1500ms', ADD connect_timeout '1500ms',
    ADD max_retries '0', ADD page_size '20');
\pset tuples_only on
-- The answer comes while the cursor idles.
CALL sim.clear();
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM crm.activities;
MOVE 8 FROM c;
SELECT pg_sleep(2);
MOVE 20 FROM c;
SELECT pg_sleep(2);
MOVE ALL FROM c;
COMMIT;
SELECT count(*) = :pages AS once FROM sim.journal();
-- A loop works a while on some rows.
CALL sim.fault('{"kind": "latency", "ms": 250}');
DO $$
DECLARE
    r record;
    n int := 0;
BEGIN
    FOR r IN SELECT id FROM crm.activities LOOP
        n := n + 1;
        IF n IN (8, 28) THEN
            PERFORM pg_sleep(2);
        END IF;
    END LOOP;
END $$;
SELECT count(*) = :pages AS once FROM sim.journal();
-- Who waits for an answer that does not come is told in time.
CALL sim.fault('{"kind": "hang", "match": {"nth": 2}}');
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM crm.activities;
MOVE 8 FROM c;
SELECT pg_sleep(2);
SELECT regexp_replace(sim.error('MOVE ALL FROM c'), 'after \d+ ms|\(name[^)]*\)', '...', 'g');
ROLLBACK;
CALL sim.no_faults();
