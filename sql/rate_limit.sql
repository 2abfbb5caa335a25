\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Who says 429: Pipedrive of its burst or its day, or a gateway before it, which knows no budget.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO crm;
ALTER SERVER crm OPTIONS (ADD max_wait '5s');
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION sim.limited(headers jsonb, body jsonb, content_type text, nth jsonb DEFAULT '{}')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    out text;
BEGIN
    CALL sim.fault(jsonb_build_object('kind', 'status', 'status', 429, 'headers', headers,
        'body', body, 'content_type', content_type, 'match', nth));
    out := sim.error('DO $d$ BEGIN ASSERT (SELECT count(*) FROM crm.stages) = 15; END $d$');
    SELECT out || format(E'\n  %s request(s)', count(*)) INTO out FROM sim.journal();
    CALL sim.no_faults();
    RETURN out;
END $$;
\set page '"<html><head><title>Access denied</title></head><body>Error 1015</body></html>"'
\set page_of_the_day '"<html>daily request budget exceeded</html>"'
\set problem '{"title": "Error 1015: You are being rate limited", "cloudflare_error": true}'
\set burst '{"success": false, "error": "request over limit", "errorCode": 429}'
\set day '{"success": false, "error": "daily request budget exceeded", "errorCode": 429}'
-- What fits into max_wait is waited for.
SELECT sim.limited('{"retry-after": 1}', :'page', 'text/html; charset=UTF-8', '{"nth": 1}');
SELECT sim.limited('{"retry-after": 1}', :'burst', 'application/json', '{"nth": 1}');
-- What does not fit is told as what it is, at once.
SELECT sim.limited('{"retry-after": 12}', :'page', 'text/html; charset=UTF-8');
SELECT sim.limited('{"retry-after": 12}', :'page_of_the_day', 'text/html');
SELECT sim.limited('{"retry-after": 30}', :'problem', 'application/problem+json');
SELECT sim.limited('{"retry-after": 30}', :'problem', 'application/json');
SELECT sim.limited('{"retry-after": 30}', '"error code: 1015"', 'text/plain');
SELECT sim.limited('{"retry-after": 30}', :'burst', 'application/json');
SELECT sim.limited('{"retry-after": 3939}', :'day', 'application/json');
SELECT sim.limited('{}', :'day', 'application/json');
