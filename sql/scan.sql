\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Scans: pages, what is asked for, rescans, joins, and an account that changes under the scan.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
-- Each table holds the records a full walk of its lists would show.
SELECT e AS entity, sim.ids(format('SELECT id FROM crm.%I', e)) = sim.ids(format('SELECT id FROM sim.rows(%L)', e)) AS complete
  FROM unnest(ARRAY['deals', 'persons', 'organizations', 'activities', 'pipelines', 'stages', 'users']) AS e;
SELECT is_archived, count(*), count(DISTINCT id) FROM crm.deals GROUP BY 1 ORDER BY 1;
-- One column asks for no more than needed; what must be asked for is.
SELECT e || ': ' || sim.requests(format('SELECT id FROM crm.%I', e)) AS request FROM unnest(ARRAY['deals', 'persons', 'organizations', 'activities', 'pipelines', 'stages', 'users']) AS e;
SELECT * FROM sim.requests('SELECT count(*) FROM crm.deals');
SELECT * FROM sim.requests('SELECT title, value FROM crm.deals WHERE NOT is_archived');
SELECT * FROM sim.requests('SELECT files_count, next_activity_id FROM crm.deals WHERE NOT is_archived');
SELECT * FROM sim.requests('SELECT title FROM crm.deals WHERE NOT is_archived ORDER BY notes_count');
SELECT * FROM sim.requests('SELECT title FROM crm.deals WHERE NOT is_archived AND followers_count > 1');
SELECT * FROM sim.requests('SELECT labels FROM crm.deals');
SELECT * FROM sim.requests('SELECT score FROM crm.deals');
SELECT * FROM sim.requests('SELECT score, call_window, call_window_until, call_window_timezone FROM crm.deals');
SELECT * FROM sim.requests('SELECT priority FROM crm.deals');
SELECT * FROM sim.requests('SELECT attendees FROM crm.activities WHERE done');
SELECT * FROM sim.requests('SELECT custom_fields FROM crm.persons');
SELECT regexp_replace(r, 'include_fields=[a-z_,]+', 'include_fields=...') FROM sim.requests('SELECT * FROM crm.organizations') AS r;
-- Pages.
ALTER SERVER crm OPTIONS (ADD page_size '7');
SELECT * FROM sim.requests('SELECT id FROM crm.stages');
SELECT * FROM sim.request_counts('SELECT id FROM crm.deals');
SELECT sim.ids('SELECT id FROM crm.deals') = sim.ids('SELECT id FROM sim.rows(''deals'')') AS complete;
SELECT array_agg(id) = array_agg(id ORDER BY id) AS in_order, count(*) FROM (SELECT id FROM crm.activities) AS q; -- as the API sends them
ALTER FOREIGN TABLE crm.stages OPTIONS (ADD page_size '100');
SELECT * FROM sim.requests('SELECT id FROM crm.stages');
ALTER FOREIGN TABLE crm.stages OPTIONS (SET page_size '1');
SELECT count(*) FROM sim.requests('SELECT id FROM crm.stages');
SELECT sim.ids('SELECT id FROM crm.stages') = sim.ids('SELECT id FROM sim.rows(''stages'')') AS complete;
-- A page that is exactly full does not lead to another, empty one.
ALTER FOREIGN TABLE crm.stages OPTIONS (SET page_size '15');
SELECT count(*) FROM sim.requests('SELECT id FROM crm.stages');
ALTER FOREIGN TABLE crm.stages OPTIONS (SET page_size '5');
SELECT count(*) FROM sim.requests('SELECT id FROM crm.stages');
ALTER SERVER crm OPTIONS (SET page_size '500');
-- LIMIT stops asking: one request, whatever the table's size.
ALTER FOREIGN TABLE crm.deals OPTIONS (ADD page_size '7');
SELECT * FROM sim.requests('SELECT id FROM crm.deals LIMIT 1');
SELECT * FROM sim.requests('SELECT id FROM crm.deals LIMIT 0');
SELECT id FROM crm.deals LIMIT 3;
SELECT id FROM crm.deals OFFSET 50 LIMIT 3; -- the list goes on behind page breaks
SELECT count(*) FROM (SELECT id FROM crm.deals LIMIT 58) AS q;
SELECT count(*) FROM (SELECT id FROM crm.deals OFFSET 57) AS q;
SELECT EXISTS (SELECT FROM crm.deals);
-- LIMIT with a local filter reads on until enough rows fit.
SELECT id FROM crm.deals WHERE title = '' LIMIT 1;
ALTER FOREIGN TABLE crm.deals OPTIONS (DROP page_size);
-- Whole rows, system columns, no columns.
SELECT (d).id, (d).status FROM (SELECT d FROM crm.deals AS d WHERE id = 3) AS q;
SELECT pg_typeof(d), (d.*) IS NOT NULL AS all_set FROM crm.stages AS d WHERE id = 2;
SELECT tableoid::regclass, ctid IS NOT NULL AS has_ctid FROM crm.stages WHERE id = 3;
SELECT s FROM crm.stages AS s WHERE id = 4;
SELECT FROM crm.pipelines;
SELECT count(*) FROM crm.pipelines WHERE false;
SELECT 1 FROM crm.pipelines;
SELECT jsonb_object_keys(to_jsonb(p)) FROM crm.pipelines AS p WHERE id = 1;
-- A dropped column and an added one.
ALTER FOREIGN TABLE crm.pipelines DROP COLUMN order_nr;
ALTER FOREIGN TABLE crm.pipelines ADD COLUMN place int OPTIONS (field 'order_nr');
SELECT * FROM crm.pipelines WHERE id = 3;
SELECT p FROM crm.pipelines AS p WHERE id = 3;
-- Order, aggregates, groups, windows, set operations.
SELECT id, title FROM crm.deals WHERE id < 8 ORDER BY title COLLATE "C" DESC, id;
SELECT status, count(*), sum(value) FILTER (WHERE currency = 'EUR') AS eur, min(add_time), max(update_time) FROM crm.deals GROUP BY status ORDER BY status;
SELECT s.status, s.n = t.n AND s.sum = t.sum AS same FROM (SELECT status, count(*) AS n, sum(value) FROM crm.deals GROUP BY status) AS s
  JOIN (SELECT data ->> 'status' AS status, count(*) AS n, sum((data ->> 'value')::numeric) FROM sim.rows('deals') GROUP BY 1) AS t USING (status) ORDER BY 1;
SELECT p.name, s.name, count(d.id) FROM crm.pipelines AS p JOIN crm.stages AS s ON s.pipeline_id = p.id LEFT JOIN crm.deals AS d ON d.stage_id = s.id GROUP BY p.id, p.name, s.id, s.name, s.order_nr ORDER BY p.id, s.order_nr;
SELECT id, rank() OVER (PARTITION BY pipeline_id ORDER BY deal_probability DESC) FROM crm.stages WHERE pipeline_id IN (1, 2) ORDER BY id;
(SELECT id FROM crm.deals EXCEPT SELECT id FROM crm.deals WHERE status = 'open') EXCEPT SELECT id FROM crm.deals WHERE status IN ('won', 'lost');
SELECT count(*) FROM (SELECT id FROM crm.deals UNION ALL SELECT id FROM crm.persons) AS u;
SELECT DISTINCT default_currency FROM crm.users ORDER BY 1;
-- Joins of each kind, and with oneself.
CREATE FUNCTION sim.join_all(query text, expected text) RETURNS TABLE (method text, same boolean) LANGUAGE plpgsql AS $$
DECLARE
    got text; want text;
BEGIN
    EXECUTE expected INTO want;
    FOREACH method IN ARRAY ARRAY['hashjoin', 'mergejoin', 'nestloop'] LOOP
        PERFORM set_config('enable_' || m, CASE WHEN m = method THEN 'on' ELSE 'off' END, true) FROM unnest(ARRAY['hashjoin', 'mergejoin', 'nestloop']) AS m;
        EXECUTE query INTO got;
        same := got IS NOT DISTINCT FROM want;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM sim.join_all('SELECT md5(string_agg(d.id || coalesce(p.name, ''-''), '','' ORDER BY d.id)) FROM crm.deals AS d LEFT JOIN crm.persons AS p ON p.id = d.person_id',
    'SELECT md5(string_agg(d.id || coalesce(p.data ->> ''name'', ''-''), '','' ORDER BY d.id)) FROM sim.rows(''deals'') AS d LEFT JOIN sim.rows(''persons'') AS p ON p.id = (d.data ->> ''person_id'')::bigint');
SELECT * FROM sim.join_all('SELECT count(*) FROM crm.deals AS a JOIN crm.deals AS b ON a.id < b.id AND a.person_id = b.person_id',
    'SELECT count(*) FROM sim.rows(''deals'') AS a JOIN sim.rows(''deals'') AS b ON a.id < b.id AND a.data ->> ''person_id'' = b.data ->> ''person_id''');
SELECT * FROM sim.join_all('SELECT count(*) FROM crm.organizations AS o WHERE NOT EXISTS (SELECT FROM crm.deals AS d WHERE d.org_id = o.id AND d.status = ''open'')',
    'SELECT count(*) FROM sim.rows(''organizations'') AS o WHERE NOT EXISTS (SELECT FROM sim.rows(''deals'') AS d WHERE (d.data ->> ''org_id'')::bigint = o.id AND d.data ->> ''status'' = ''open'')');
SELECT * FROM sim.join_all('SELECT count(*) FROM crm.persons AS p FULL JOIN crm.deals AS d ON d.person_id = p.id',
    'SELECT count(*) FROM sim.rows(''persons'') AS p FULL JOIN sim.rows(''deals'') AS d ON (d.data ->> ''person_id'')::bigint = p.id');
-- Lookups by the ids of another table.
SELECT v.id, d.title IS NOT NULL AS found FROM (VALUES (1), (10), (13), (NULL), (3000000000)) AS v (id) LEFT JOIN LATERAL (SELECT title FROM crm.deals WHERE id = v.id) AS d ON true ORDER BY 1;
SELECT p.id, d.n FROM crm.pipelines AS p, LATERAL (SELECT count(*) AS n FROM crm.deals WHERE pipeline_id = p.id) AS d ORDER BY p.id;
-- Cursors: in pieces, together, closed early, and backwards as far as PostgreSQL keeps the rows.
BEGIN;
DECLARE a CURSOR FOR SELECT id FROM crm.stages;
DECLARE b CURSOR FOR SELECT id FROM crm.stages WHERE pipeline_id = 2;
FETCH 2 FROM a;
FETCH 2 FROM b;
FETCH 2 FROM a;
CLOSE a;
FETCH 10 FROM b;
FETCH 1 FROM b;
DECLARE c SCROLL CURSOR FOR SELECT id FROM crm.stages;
FETCH 3 FROM c;
FETCH PRIOR FROM c;
FETCH FIRST FROM c;
FETCH LAST FROM c;
DECLARE d NO SCROLL CURSOR FOR SELECT id FROM crm.stages;
FETCH 1 FROM d;
FETCH PRIOR FROM d;
ROLLBACK;
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM crm.stages WHERE pipeline_id = 1;
COMMIT;
FETCH ALL FROM h;
CLOSE h;
-- Several scans of one list at once do not disturb each other.
SELECT count(*) FROM crm.stages AS a, crm.stages AS b, crm.stages AS c WHERE a.id = b.id AND b.id = c.id;
-- Views, CTEs, materialized views, CREATE TABLE AS, INSERT ... SELECT; no writing.
CREATE VIEW crm.open_deals AS SELECT id, title, owner_id FROM crm.deals WHERE status = 'open';
SELECT * FROM sim.requests('SELECT id FROM crm.open_deals WHERE owner_id = 25455458');
WITH w AS MATERIALIZED (SELECT id, status FROM crm.deals) SELECT count(*), count(*) FILTER (WHERE status = 'won') FROM w;
CREATE MATERIALIZED VIEW crm.won AS SELECT id, value FROM crm.deals WHERE status = 'won';
SELECT count(*) FROM crm.won;
REFRESH MATERIALIZED VIEW crm.won;
INSERT INTO crm.stages (id) VALUES (1);
UPDATE crm.stages SET name = 'x';
DELETE FROM crm.stages;
TRUNCATE crm.stages;
SELECT * FROM crm.stages FOR UPDATE;
-- Inheritance.
CREATE TABLE crm.all_names (id bigint, name text);
CREATE FOREIGN TABLE crm.some_names () INHERITS (crm.all_names) SERVER crm OPTIONS (entity 'pipelines');
INSERT INTO crm.all_names VALUES (0, 'local');
SELECT tableoid::regclass, * FROM crm.all_names ORDER BY id;
SELECT * FROM crm.all_names WHERE id = 2;
--
-- The account changes while it is read: no id twice, nothing missing that was there, unchanged, all the time.
--
ALTER FOREIGN TABLE crm.deals OPTIONS (ADD page_size '7');
CREATE FUNCTION sim.while_reading(hook jsonb, entity text DEFAULT 'deals') RETURNS TABLE (rows bigint, twice bigint, missing bigint[]) LANGUAGE plpgsql AS $$
DECLARE
    before jsonb; ids bigint[];
BEGIN
    CALL sim.reset();
    SELECT jsonb_object_agg(r.id, r.data) INTO before FROM sim.rows(entity) AS r;
    PERFORM sim.call('POST', 'on_request', hook::text);
    EXECUTE format('SELECT array_agg(id) FROM crm.%I', entity) INTO ids;
    rows := array_length(ids, 1);
    twice := rows - (SELECT count(DISTINCT i) FROM unnest(ids) AS i);
    -- there before and after and the same
    missing := ARRAY(SELECT r.id FROM sim.rows(entity) AS r WHERE before -> r.id::text = r.data AND NOT r.id = ANY (ids) ORDER BY 1);
    RETURN NEXT;
    CALL sim.reset();
END $$;
-- Archived on its page, behind it, before it: such a deal is read from both lists and appears once.
SELECT * FROM sim.while_reading('{"match": {"path_regex": "deals$", "nth": 2}, "mutations": [{"action": "archive", "id": 3}]}');
SELECT * FROM sim.while_reading('{"match": {"path_regex": "deals$", "nth": 2}, "mutations": [{"action": "archive", "id": 50}]}');
SELECT * FROM sim.while_reading('{"match": {"path_regex": "deals$", "nth": 3}, "mutations": [{"action": "archive", "id": 3}, {"action": "archive", "id": 18}, {"action": "archive", "id": 40}, {"action": "archive", "id": 3000000000}]}');
SELECT * FROM sim.while_reading('{"match": {"path_regex": "archived$", "nth": 1}, "mutations": [{"action": "archive", "id": 3}, {"action": "archive", "id": 59}]}');
-- Created, deleted, changed, merged.
SELECT * FROM sim.while_reading('{"match": {"path_regex": "deals$", "nth": 2}, "mutations": [{"action": "create", "entity": "deals", "id": 3000000001}, {"action": "delete", "entity": "deals", "id": 2}, {"action": "delete", "entity": "deals", "id": 15}, {"action": "delete", "entity": "deals", "id": 16}, {"action": "delete", "entity": "deals", "id": 17}, {"action": "change", "entity": "deals", "id": 19, "fields": {"title": "x"}}]}');
SELECT * FROM sim.while_reading('{"match": {"path_regex": "deals$", "nth": 1}, "mutations": [{"action": "merge", "entity": "deals", "id": 8, "into": 9}, {"action": "delete", "entity": "deals", "id": 11}, {"action": "restore", "entity": "deals", "id": 13}]}');
SELECT * FROM sim.while_reading('{"match": {"path_regex": "deals$", "nth": 4}, "mutations": [{"action": "create", "entity": "deals"}, {"action": "create", "entity": "deals"}, {"action": "create", "entity": "deals"}, {"action": "create", "entity": "deals"}, {"action": "create", "entity": "deals"}, {"action": "create", "entity": "deals"}, {"action": "create", "entity": "deals"}, {"action": "create", "entity": "deals"}]}');
ALTER FOREIGN TABLE crm.activities OPTIONS (ADD page_size '7');
SELECT * FROM sim.while_reading('{"match": {"path_regex": "activities$", "nth": 2}, "mutations": [{"action": "delete", "entity": "activities", "id": 5}, {"action": "purge", "entity": "activities", "id": 22}, {"action": "purge", "entity": "activities", "id": 15}, {"action": "change", "entity": "activities", "id": 30, "fields": {"done": true}}, {"action": "create", "entity": "activities"}]}', 'activities');
-- A deal unarchived after its list was read was there all the time, but not unchanged: it may be missing, never twice.
SELECT twice, missing FROM sim.while_reading('{"match": {"path_regex": "archived$", "nth": 1}, "when": "before", "mutations": [{"action": "unarchive", "id": 10}]}');
-- An empty account of deals.
CALL sim.reset();
DO $$ BEGIN PERFORM sim.call('POST', 'mutate', (SELECT jsonb_agg(jsonb_build_object('action', 'purge', 'entity', 'deals', 'id', id)) FROM sim.rows('deals'))::text); END $$;
SELECT count(*), sum(value) FROM crm.deals;
SELECT * FROM sim.requests('SELECT id, title FROM crm.deals');
CALL sim.reset();
