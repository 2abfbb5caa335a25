\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Answers that go wrong: SQLSTATE, message, detail and hint of each; what is tried again; and no half tables.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
ALTER SERVER crm OPTIONS (ADD max_retries '0');
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION sim.with_fault(faults jsonb, query text DEFAULT 'SELECT title FROM crm.deals') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    out text;
BEGIN
    CALL sim.fault(faults);
    out := sim.error(query);
    SELECT out || format(E'\n  %s request(s)', count(*)) INTO out FROM sim.journal();
    CALL sim.no_faults();
    RETURN out;
END $$;
-- What the API answers.
SELECT status || ' -> ' || sim.with_fault(jsonb_build_object('kind', 'status', 'status', status))
  FROM unnest(ARRAY[400, 401, 402, 403, 404, 405, 408, 409, 410, 415, 422, 429, 500, 501, 502, 503, 504, 524]) AS status;
-- Bodies of errors: with error_info, with HTML, empty, with blanks and control characters, long, not UTF-8 safe.
SELECT sim.with_fault('{"kind": "status", "status": 400, "body": {"success": false, "error": "Parameter validation failed", "error_info": "Please check developers.pipedrive.com", "code": "ERR_SCHEMA_VALIDATION_FAILED"}}');
SELECT sim.with_fault('{"kind": "status", "status": 502, "body": "<html><body>Bad gateway</body></html>", "content_type": "text/html"}');
SELECT sim.with_fault('{"kind": "status", "status": 500, "body": ""}');
SELECT sim.with_fault('{"kind": "status", "status": 500, "body": "line one\nline  two\u0007\ttab"}');
SELECT length(sim.with_fault(jsonb_build_object('kind', 'status', 'status', 500, 'body', repeat('long ', 10000)))) < 1000 AS short;
SELECT sim.with_fault('{"kind": "status", "status": 500, "body": {"success": false, "error": "Ошибка 😀"}}');
SELECT sim.with_fault('{"kind": "html403"}');
SELECT sim.with_fault('{"kind": "redirect"}');
SELECT sim.with_fault('{"kind": "success_false", "error": "something broke"}');
SELECT sim.with_fault('{"kind": "null_body"}');
SELECT sim.with_fault('{"kind": "empty_body"}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": {}}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": []}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": {"success": true, "data": null}}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": {"success": true, "data": "x"}}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": {"success": true, "data": [1]}}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": {"success": true, "data": [{"title": "no id"}]}}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": {"success": true, "data": [{"id": "x"}]}}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": "<html>hello</html>", "content_type": "text/html"}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": "hello"}');
-- The same faults on the second page say so; nothing of the first page is returned.
ALTER SERVER crm OPTIONS (ADD page_size '7');
SELECT sim.with_fault('{"kind": "status", "status": 500, "match": {"path_regex": "deals$", "nth": 2}}');
SELECT sim.with_fault('{"kind": "success_false", "match": {"path_regex": "deals$", "nth": 3}}');
SELECT sim.with_fault('{"kind": "status", "status": 403, "match": {"path_regex": "archived$"}}');
SELECT sim.with_fault('{"kind": "null_body", "match": {"path_regex": "archived$"}}');
SELECT sim.with_fault('{"kind": "wrong_type", "field": "owner_id", "value": "abc", "id": 17}', 'SELECT owner_id FROM crm.deals');
SELECT sim.with_fault('{"kind": "wrong_type", "field": "title", "value": {"a": 1}, "id": 17}', 'SELECT title FROM crm.deals');
SELECT sim.with_fault('{"kind": "wrong_type", "field": "title", "value": {"a": 1}, "id": 17}', 'SELECT owner_id FROM crm.deals');
CREATE TABLE sim.half (title text);
SELECT sim.with_fault('{"kind": "status", "status": 500, "match": {"path_regex": "deals$", "nth": 3}}', 'INSERT INTO sim.half SELECT title FROM crm.deals');
SELECT count(*) FROM sim.half;
ALTER SERVER crm OPTIONS (DROP page_size);
-- Bytes that are no JSON.
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": "{\"success\": true, \"data\": [{\"id\": 1, \"title\": }]}"}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": "{\"success\": true, \"data\": [{\"id\": 1}]} trailing"}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": "{\"success\": true, \"data\": [{\"id\": 1, \"title\": \"un"}');
SELECT sim.with_fault('{"kind": "status", "status": 200, "body": "{\"success\": true, \"data\": [{\"id\": 1, \"title\": \"\\ud83d\"}]}"}');
SELECT split_part(sim.with_fault('{"kind": "invalid_json"}'), ' at byte', 1);
SELECT regexp_replace(sim.with_fault('{"kind": "deep_nesting"}'), 'byte \d+', 'byte N');
SELECT regexp_replace(sim.with_fault('{"kind": "bad_utf8", "field": "title", "id": 3}'), 'byte \d+', 'byte N');
SELECT regexp_replace(sim.with_fault('{"kind": "bad_utf8", "field": "title", "id": 3}', 'SELECT id FROM crm.deals'), 'byte \d+', 'byte N');
SELECT sim.with_fault('{"kind": "nul", "field": "title", "id": 3}');
SELECT sim.with_fault('{"kind": "nul", "field": "title", "id": 3}', 'SELECT id FROM crm.deals');
SELECT l FROM regexp_split_to_table(sim.with_fault('{"kind": "nul", "field": "participants", "id": 3}', 'SELECT participants FROM crm.activities'), '\n') AS l WHERE l !~ 'JSON data';
SELECT l FROM regexp_split_to_table(sim.with_fault('{"kind": "wrong_type", "field": "participants", "id": 3, "text": "[\"a\\u0000b\"]"}', 'SELECT participants FROM crm.activities'), '\n') AS l WHERE l !~ 'JSON data';
-- Deep nesting inside a value, wanted or not: an error at worst, never a crash.
SELECT left(sim.with_fault(jsonb_build_object('kind', 'wrong_type', 'field', 'participants', 'id', 3, 'text', repeat('[', 50000) || repeat(']', 50000)), 'SELECT participants FROM crm.activities'), 5) IN ('54001', '54000', 'HV00M', 'HV004') AS refused;
SELECT left(sim.with_fault(jsonb_build_object('kind', 'wrong_type', 'field', 'participants', 'id', 3, 'text', repeat('[', 50000) || repeat(']', 50000)), 'SELECT id FROM crm.activities'), 5) IN ('no er', '54000', 'HV00M') AS good;
SELECT count(*) FROM crm.activities;
SELECT sim.with_fault('{"kind": "duplicate_keys", "field": "title", "id": 3, "value": "second"}', 'DO $d$ BEGIN ASSERT (SELECT title FROM crm.deals WHERE id = 3) = ''second''; END $d$');
-- The connection.
SELECT regexp_replace(split_part(sim.with_fault('{"kind": "reset", "where": "headers"}'), ' (name', 1), E'DETAIL: .*(reset|closed|reply).*', 'DETAIL: (connection broken)');
SELECT regexp_replace(split_part(sim.with_fault('{"kind": "reset", "where": "body"}'), ' (name', 1), E'DETAIL: .*(reset|closed|reply).*', 'DETAIL: (connection broken)');
SELECT regexp_replace(split_part(sim.with_fault('{"kind": "truncated"}'), ' (name', 1), '\d+ (bytes|out of)', 'N \1', 'g');
SELECT split_part(sim.with_fault('{"kind": "wrong_length", "delta": 10}'), E'\n', 1);
SELECT split_part(sim.with_fault('{"kind": "bad_gzip"}'), E'\n', 1);
SELECT sim.with_fault('{"kind": "chunked", "bytes": 100}');
SELECT sim.with_fault('{"kind": "close"}');
ALTER SERVER crm OPTIONS (ADD request_timeout '300ms');
SELECT regexp_replace(sim.with_fault('{"kind": "hang"}'), 'DETAIL: [^\n]*', 'DETAIL: ...');
SELECT regexp_replace(sim.with_fault('{"kind": "hang_mid_body"}'), 'DETAIL: [^\n]*', 'DETAIL: ...');
SELECT split_part(sim.with_fault('{"kind": "slow_drip"}'), E'\n', 1);
ALTER SERVER crm OPTIONS (DROP request_timeout);
ALTER SERVER crm OPTIONS (ADD max_response_size '100kB');
SELECT regexp_replace(sim.with_fault('{"kind": "huge", "bytes": 200000}'), ' \(name lookup[^\n]*', '');
ALTER SERVER crm OPTIONS (DROP max_response_size);
-- Nobody listens there.
SELECT (sim.call('GET', 'urls')::jsonb ->> 'refused') AS refused \gset
CREATE SERVER nobody FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'refused', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER nobody OPTIONS (api_token 'secret-of-nobody');
CREATE FOREIGN TABLE crm.nobody (id bigint) SERVER nobody OPTIONS (entity 'deals');
SELECT regexp_replace(sim.error('SELECT * FROM crm.nobody'), 'DETAIL: [^\n]*', 'DETAIL: ...');
SELECT regexp_replace(sim.error('IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals) FROM SERVER nobody INTO crm'), 'DETAIL: [^\n]*', 'DETAIL: ...');
-- What is tried again: the same rows, more requests. Not: 4xx.
ALTER SERVER crm OPTIONS (SET max_retries '2');
CREATE FUNCTION sim.retried(fault jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    out text;
BEGIN
    CALL sim.fault(fault);
    out := sim.error('DO $d$ BEGIN ASSERT (SELECT count(*) FROM crm.stages) = 15; END $d$');
    SELECT out || ': ' || string_agg(j, ', ') INTO out FROM sim.journal() AS j;
    CALL sim.no_faults();
    RETURN out;
END $$;
SELECT sim.retried('{"kind": "status", "status": 500, "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "status", "status": 502, "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "status", "status": 503, "match": {"nth": [1, 2]}}');
SELECT sim.retried('{"kind": "null_body", "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "reset", "where": "headers", "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "reset", "where": "body", "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "truncated", "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "status", "status": 429, "headers": {"x-ratelimit-reset": 0}, "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "status", "status": 501, "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "status", "status": 404, "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "html403", "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "success_false", "match": {"nth": 1}}');
SELECT sim.retried('{"kind": "status", "status": 503}');
SELECT sim.retried('{"kind": "status", "status": 429, "headers": {"x-ratelimit-reset": 0}}');
-- The daily budget is not waited for; nor is more than max_wait.
SELECT sim.retried('{"kind": "status", "status": 429, "headers": {"retry-after": 3939}, "body": {"success": false, "error": "daily request budget exceeded", "errorCode": 429}}');
SELECT sim.retried('{"kind": "status", "status": 429, "headers": {"retry-after": 3939, "x-daily-ratelimit-token-remaining": 5}}');
SELECT sim.retried('{"kind": "status", "status": 429, "headers": {"x-daily-ratelimit-token-remaining": 0}}');
ALTER SERVER crm OPTIONS (ADD max_wait '1s');
SELECT sim.retried('{"kind": "status", "status": 429, "headers": {"x-ratelimit-reset": 5}}');
ALTER SERVER crm OPTIONS (DROP max_wait);
-- A bad token, one without the scope, one of nobody.
ALTER SERVER crm OPTIONS (SET max_retries '0');
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token 'wrong-token-1234567890');
SELECT sim.error('SELECT * FROM crm.users');
SELECT sim.error('IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO sim');
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token 'sim-token-noscope');
SELECT sim.error('SELECT * FROM crm.users');
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (SET api_token 'sim-token-admin');
-- An answer that echoes the token, or the beginning of it where an excerpt is cut, shows none of it.
SELECT sim.with_fault('{"kind": "status", "status": 400, "body": {"error": "token sim-token-admin is odd, sim-token-admin2 too"}}', 'SELECT * FROM crm.users');
SELECT sim.with_fault(jsonb_build_object('kind', 'status', 'status', 400, 'body', jsonb_build_object('error', repeat('x', 188) || ' sim-token-admin')), 'SELECT * FROM crm.users') !~ 'sim-tok' AS hidden;
-- Definitions: errors of the request that IMPORT and labels need.
SELECT sim.with_fault('{"kind": "status", "status": 403, "match": {"path_regex": "Fields"}}', 'IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO sim');
SELECT sim.with_fault('{"kind": "success_false", "match": {"path_regex": "Fields"}}', 'IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO sim');
SELECT sim.with_fault('{"kind": "null_body", "match": {"path_regex": "Fields"}}', 'IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (persons) FROM SERVER crm INTO sim');
SELECT to_regclass('sim.persons');
-- After all that the session still works.
SELECT count(*) FROM crm.deals;
SELECT count(*) FROM sim.requests('SELECT title FROM crm.deals');
