\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- One row that cannot be stored costs that row, and no other.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, stages) FROM SERVER crm INTO crm;
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
CREATE TABLE sim.all_deals AS SELECT id FROM sim.rows('deals');
CREATE FUNCTION sim.missing() RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT a.id FROM sim.all_deals a WHERE NOT EXISTS (SELECT FROM crm_mirror.deals m WHERE m.id = a.id) ORDER BY 1;
END $$;
SELECT min(id) AS bad, max(id) AS other FROM sim.rows('deals') WHERE data ->> 'status' = 'open' \gset
SELECT sim.call('POST', 'mutate', format('{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Bad \u0000 title"}}', :bad)) IS NOT NULL AS done;
-- A query that reads the column names row and column; one that does not, works.
SELECT regexp_replace(sim.error('SELECT title FROM crm.deals'), 'row id \d+, page \d+', 'row id N, page N') AS error;
SELECT count(*) = (SELECT count(*) FROM sim.all_deals) AS all_ids FROM crm.deals;
-- In the mirror the other rows arrive; the bad one is told once and stays on record.
SELECT pipedrive.create_mirror('crm.deals');
\set VERBOSITY terse
SET client_min_messages = error;
CALL pipedrive.sync('crm_mirror.deals');
SELECT m = :bad AS the_bad_one FROM sim.missing() AS m;
SELECT mirror, entity, id = :'bad' AS the_bad_one, column_name, reason FROM pipedrive.bad_rows;
SELECT replace(replace(last_error, 'row id ' || :bad, 'row id BAD'), 'row id ' || :other, 'row id OTHER') AS last_error FROM pipedrive.mirrors WHERE entity = 'deals';
-- Corrected, it arrives.
SELECT sim.call('POST', 'mutate', format('{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "Good title"}}', :bad)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
SELECT title FROM crm_mirror.deals WHERE id = :bad;
SELECT count(*) FROM pipedrive.bad_rows;
-- A row that turns bad keeps its last good state; a full run does not take it for deleted.
SELECT sim.call('POST', 'mutate', format('{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "\u0000"}}', :bad)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
CALL pipedrive.sync('crm_mirror.deals', mode => 'full');
CALL pipedrive.reconcile('crm_mirror.deals');
SELECT title FROM crm_mirror.deals WHERE id = :bad;
SELECT id = :'bad' AS the_bad_one, column_name FROM pipedrive.bad_rows;
-- A row that the table refuses, for whatever reason of its own: row by row then.
ALTER TABLE crm_mirror.deals ADD CONSTRAINT no_zero CHECK (title <> 'zero');
SELECT sim.call('POST', 'mutate', format('{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "zero"}}', :other)) IS NOT NULL AS done;
SELECT sim.call('POST', 'mutate', format('{"action": "change", "entity": "deals", "id": %s, "fields": {"title": "fine"}}', :bad)) IS NOT NULL AS done;
CALL pipedrive.sync('crm_mirror.deals');
SELECT title FROM crm_mirror.deals WHERE id = :bad;
SELECT title <> 'zero' AS as_before FROM crm_mirror.deals WHERE id = :other;
SELECT id = :'other' AS the_refused_one, column_name, reason FROM pipedrive.bad_rows;
SELECT replace(replace(last_error, 'row id ' || :bad, 'row id BAD'), 'row id ' || :other, 'row id OTHER') AS last_error FROM pipedrive.mirrors WHERE entity = 'deals';
-- Also when it is there from the start.
SELECT pipedrive.drop_mirror('crm.deals');
SELECT pipedrive.create_mirror('crm.deals');
ALTER TABLE crm_mirror.deals ADD CONSTRAINT no_zero CHECK (title <> 'zero');
CALL pipedrive.sync('crm_mirror.deals');
SELECT m = :other AS the_refused_one FROM sim.missing() AS m;
SELECT id = :'other' AS the_refused_one FROM pipedrive.bad_rows;
SELECT pipedrive.drop_mirror('crm.deals');
