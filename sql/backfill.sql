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
    jsonb_build_object('field_key', (SELECT field FROM pipedrive_internal.table_columns WHERE relation = 'crm.deals'::regclass AND attname = 'score'), 'old_value', '1.5', 'new_value', '2', 'time', '2024-05-21 00:00:00'),
    jsonb_build_object('field_key', 'no_such_field', 'old_value', '1', 'new_value', '2', 'time', '2024-05-21 00:00:00')), 'additional_data', jsonb_build_object('next_cursor', NULL)))::text) IS NULL AS ok;
CALL pipedrive.backfill_history('crm.deals', 20);
SELECT field, old_value, new_value, changed_at, change_source FROM pipedrive.changes WHERE change_source = 'backfill' ORDER BY changed_at;
SELECT step, stage_id = 77 AS first_stage, stage_id = :stage_now AS last_stage, left_at FROM crm_mirror.stage_history WHERE deal_id = :newest ORDER BY step;
SELECT count(*) AS deals_done FROM pipedrive_internal.backfilled;
-- The same deal is not asked for again; too few tokens ask for nothing; a table that is no mirror of deals is refused.
CALL pipedrive.backfill_history('crm.deals', 19);
SELECT count(*) AS deals_done FROM pipedrive_internal.backfilled;
CALL pipedrive.backfill_history('crm.persons', 100);
-- A log of several pages is read as far as the tokens go, and on from there; each request counts.
SELECT max(id) AS long_one FROM crm_mirror.deals WHERE id < :newest \gset
CREATE FUNCTION sim.log(cursor jsonb, title text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('success', true, 'data', jsonb_build_array(jsonb_build_object('field_key', 'title', 'old_value', 'x', 'new_value', title, 'time', '2024-05-20 10:00:00')),
        'additional_data', jsonb_build_object('next_cursor', cursor))
$$;
CREATE PROCEDURE sim.logs(answers jsonb) LANGUAGE plpgsql AS $$ -- [path, query, body] each
DECLARE
    faults jsonb := (SELECT jsonb_agg(jsonb_build_object('kind', 'status', 'status', 200, 'body', a -> 2, 'match', jsonb_strip_nulls(jsonb_build_object('path_regex', a -> 0, 'query_regex', a -> 1))))
                       FROM jsonb_array_elements(answers) AS a);
BEGIN
    CALL sim.fault(faults);
END
$$;
SELECT tokens_today AS before FROM pipedrive.mirrors \gset
CALL sim.logs(jsonb_build_array( -- the last that fits answers
    jsonb_build_array(format('^/v1/deals/%s/changelog$', :long_one), NULL, sim.log('"a+b/c=&d"', 'first page')),
    jsonb_build_array(format('^/v1/deals/%s/changelog$', :long_one), 'cursor=a[+]b/c=&d', sim.log('"third"', 'second page')),
    jsonb_build_array(format('^/v1/deals/%s/changelog$', :long_one), 'cursor=third', sim.log('null', 'third page'))));
CALL pipedrive.backfill_history('crm.deals', 59);
SELECT new_value FROM pipedrive.changes WHERE id = :'long_one' AND change_source = 'backfill' ORDER BY recorded_at;
SELECT complete, cursors FROM pipedrive_internal.backfilled WHERE id = :'long_one';
SELECT replace(j, :'long_one', 'N') AS request FROM sim.journal() AS j;
SELECT tokens_today - :before AS tokens FROM pipedrive.mirrors;
CALL pipedrive.backfill_history('crm.deals', 20);
SELECT new_value FROM pipedrive.changes WHERE id = :'long_one' AND change_source = 'backfill' ORDER BY recorded_at;
SELECT complete, cursors FROM pipedrive_internal.backfilled WHERE id = :'long_one';
SELECT tokens_today - :before AS tokens FROM pipedrive.mirrors;
-- Answers whose end cannot be read are errors, of which nothing is stored; the other deals go on, and these come last. No request is one too many.
SELECT max(id) AS bad_1 FROM crm_mirror.deals WHERE id < :long_one \gset
SELECT max(id) AS bad_2 FROM crm_mirror.deals WHERE id < :bad_1 \gset
SELECT max(id) AS bad_3 FROM crm_mirror.deals WHERE id < :bad_2 \gset
SELECT max(id) AS bad_4 FROM crm_mirror.deals WHERE id < :bad_3 \gset
CREATE FUNCTION sim.deal_log(deal bigint, body jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_array(format('^/v1/deals/%s/changelog$', deal), NULL, body) $$;
CALL sim.logs(jsonb_build_array(
    jsonb_build_array('changelog$', NULL, sim.log('null', 'well')),
    sim.deal_log(:bad_1, sim.log('"same"', 'for ever')), sim.deal_log(:bad_2, sim.log('17', 'a number')),
    sim.deal_log(:bad_3, '{"success": true, "additional_data": null}'), sim.deal_log(:bad_4, '{"success": false, "data": null}')));
CALL pipedrive.backfill_history('crm.deals', 139);
SELECT b.complete, b.cursors, b.failed_at IS NOT NULL AS failed, (SELECT count(*) FROM pipedrive.changes c WHERE c.id = b.id AND c.change_source = 'backfill') AS stored
  FROM pipedrive_internal.backfilled b ORDER BY b.id::bigint DESC;
SELECT count(*) FROM sim.journal();
SELECT tokens_today - :before AS tokens FROM pipedrive.mirrors;
CALL sim.logs(jsonb_build_array(jsonb_build_array('changelog$', NULL, sim.log('null', 'well'))));
CALL pipedrive.backfill_history('crm.deals', 1000000);
SELECT count(*) = (SELECT count(*) FROM crm_mirror.deals) AS all_of_them, bool_and(complete AND failed_at IS NULL) AS complete FROM pipedrive_internal.backfilled;
-- What an earlier fetch of the same log had stored is not there twice.
SELECT pipedrive.drop_mirror('crm.deals', false);
SELECT pipedrive.attach_mirror('crm.deals', 'crm_mirror.deals');
CALL pipedrive.sync('crm.deals');
CALL pipedrive.backfill_history('crm.deals', 1000000);
SELECT count(*), count(DISTINCT id) = (SELECT count(*) FROM crm_mirror.deals) AS deals FROM pipedrive.changes WHERE change_source = 'backfill' GROUP BY id HAVING count(*) > 1;
-- Where the server cannot be reached, no other deal is tried; requests that are tried again count, and stop at the limit.
DELETE FROM pipedrive_internal.backfilled WHERE id::bigint <= :bad_1;
CALL sim.fault('[{"match": {"path_regex": "changelog$"}, "kind": "status", "status": 401, "body": {"success": false, "error": "unauthorized"}}]');
CALL pipedrive.backfill_history('crm.deals', 100);
SELECT count(*) FROM sim.journal();
CALL sim.fault('[{"match": {"path_regex": "changelog$"}, "kind": "empty_body"}]');
CALL pipedrive.backfill_history('crm.deals', 39);
SELECT count(*) FROM sim.journal();
CALL sim.no_faults();
-- A cursor that the API takes no longer: the run says so, and the next one begins its phase anew.
UPDATE pipedrive_internal.mirror_state SET strategy = 'changes', phase = 'updated', walk_position = '0:too-old', since = watermark, run_started = clock_timestamp();
SET client_min_messages = error;
CALL pipedrive.sync('crm.deals');
SELECT phase, walk_position IS NULL AS anew, last_error FROM pipedrive_internal.mirror_state;
CALL pipedrive.sync('crm.deals');
SELECT phase, walk_position, last_error FROM pipedrive_internal.mirror_state;
SELECT pipedrive.drop_mirror('crm.deals');
