\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set SHOW_CONTEXT never
--
-- History from before the mirror: Pipedrive's own log of a deal, one deal after the other, within a limit of tokens.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT pipedrive.create_mirror('crm.deals');
CALL pipedrive.sync('crm.deals');
SELECT max(id) AS newest FROM crm_mirror.deals \gset
SELECT stage_id AS stage_now FROM crm_mirror.deals WHERE id = :newest \gset
-- Times with and without zone, a custom field by its code, a field that is no column, values as text and null.
SELECT sim.call('POST', 'recorded', jsonb_build_object('path', format('/v1/deals/%s/changelog', :newest), 'body', jsonb_build_object('success', true, 'data', jsonb_build_array(
    jsonb_build_object('field_key', 'stage_id', 'old_value', '77', 'new_value', :'stage_now', 'actor_user_id', 1, 'time', '2024-05-20 10:00:00', 'change_source', 'app'),
    jsonb_build_object('field_key', 'title', 'old_value', NULL, 'new_value', 'It''s "new"', 'time', '2024-05-19T09:00:00Z'),
    jsonb_build_object('field_key', (SELECT field FROM pipedrive._table_columns WHERE relation = 'crm.deals'::regclass AND attname = 'score'), 'old_value', '1.5', 'new_value', '2', 'time', '2024-05-21 00:00:00'),
    jsonb_build_object('field_key', 'no_such_field', 'old_value', '1', 'new_value', '2', 'time', '2024-05-21 00:00:00')), 'additional_data', jsonb_build_object('next_cursor', NULL)))::text) IS NULL AS ok;
CALL pipedrive.backfill_history('crm.deals', 20);
SELECT field, old_value, new_value, changed_at, change_source FROM pipedrive.changes WHERE change_source = 'backfill' ORDER BY changed_at;
SELECT step, stage_id = 77 AS first_stage, stage_id = :stage_now AS last_stage, left_at FROM crm_mirror.stage_history WHERE deal_id = :newest ORDER BY step;
SELECT count(*) AS deals_done FROM pipedrive.backfilled;
-- The same deal is not asked for again; too few tokens ask for nothing; a table that is no mirror of deals is refused.
CALL pipedrive.backfill_history('crm.deals', 19);
SELECT count(*) AS deals_done FROM pipedrive.backfilled;
CALL pipedrive.backfill_history('crm.persons', 100);
-- A cursor that the API takes no longer: the run says so, and the next one begins its phase anew.
UPDATE pipedrive.mirror_state SET strategy = 'changes', phase = 'updated', walk_position = '0:too-old', since = watermark, run_started = clock_timestamp();
SET client_min_messages = error;
CALL pipedrive.sync('crm.deals');
SELECT phase, walk_position IS NULL AS anew, last_error FROM pipedrive.mirror_state;
CALL pipedrive.sync('crm.deals');
SELECT phase, walk_position, last_error FROM pipedrive.mirror_state;
SELECT pipedrive.drop_mirror('crm.deals');
