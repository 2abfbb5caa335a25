\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- A value that is not of the kind that the documentation says disables nothing: in a webhook's
-- state, in an event, in a log.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
-- What the helpers make of it
SELECT v, pipedrive_internal.as_bigint(v), pipedrive_internal.as_boolean(v)
  FROM jsonb_array_elements('[1, -7, "12", " 3 ", 1.0, 1.5, 1e3, "1e3", "Error", "", null, true, "false", "0", [1, "2"], [1, "x"], "1,2", "1,,2", {"id": 1}, "9223372036854775807", 9223372036854775808, -9223372036854775808, "١"]') AS v;
SELECT pipedrive_internal.as_bigint(('1' || repeat('0', 100000))::jsonb), pipedrive_internal.as_bigint(NULL), pipedrive_internal.as_boolean(NULL), pipedrive_internal.as_time(NULL);
SELECT v, pipedrive_internal.as_time(v)
  FROM jsonb_array_elements('["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.123Z", "2026-03-01 10:00:00", "2026-03-01", "2026-03-01T10:00:00+05:30", 1772359200, "1772359200", 1772359200123, 1772359200123456,
    "0000-00-00 00:00:00", "2026-02-30T10:00:00Z", "2026-03-01T99:00:00Z", "Error", "now", "today", "infinity", "", 0, null, true, [], {"at": 1}]') AS v;
-- The same whatever the session's settings
SET datestyle = 'German, DMY';
SET timezone = 'Asia/Kolkata';
SELECT to_jsonb(pipedrive_internal.as_time('"2026-03-01T10:00:00Z"') AT TIME ZONE 'UTC'), to_jsonb(pipedrive_internal.as_time('"2026-03-01 10:00:00"') AT TIME ZONE 'UTC');
RESET timezone;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

-- Webhooks of the account: a delivery without a status, and words where numbers are said to be
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons, pipelines) FROM SERVER crm INTO crm;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook');
SELECT sim.call('POST', 'subscriptions', '{"id": 1, "last_http_status": "Error", "last_delivery_time": "2026-03-01T09:00:00.000Z"}') IS NOT NULL AS no_answer,
       sim.call('POST', 'subscriptions', '{"id": 2, "last_http_status": "200", "last_delivery_time": "just now", "user_id": "somebody", "is_active": "true"}') IS NOT NULL AS words,
       sim.call('POST', 'subscriptions', '{"id": 3, "last_http_status": 99999999999, "is_active": "perhaps"}') IS NOT NULL AS numbers;
SELECT object, webhook_id, state, last_delivery, last_status, detail FROM pipedrive.webhook_health('crm');
CALL pipedrive.repair_webhooks('crm');
SELECT webhook_id FROM pipedrive_internal.webhook_subscription ORDER BY 1;
-- An answer that is no list is an error, not an account without webhooks
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks"}, "kind": "status", "status": 200, "body": {"success": true, "data": {"id": 1}}}]');
SELECT split_part(sim.error(c), E'\n  CONTEXT', 1) AS error
  FROM unnest(ARRAY['SELECT * FROM pipedrive.webhook_health(''crm'')', 'CALL pipedrive.repair_webhooks(''crm'')', 'SELECT * FROM pipedrive.unregister_webhook(''crm'')']) AS c;
CALL sim.no_faults();
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks", "method": "POST"}, "kind": "status", "status": 201, "body": {"success": true, "data": {"id": "new"}}}]');
SELECT object, problem FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/third', '{deal}');
CALL sim.no_faults();
SELECT * FROM pipedrive.unregister_webhook('crm');

-- Events: what cannot be read says nothing, the rest is applied
CREATE FUNCTION sim.event(object text, id bigint, data jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', gen_random_uuid(), 'entity', object, 'entity_id', id::text, 'action', 'change',
        'timestamp', '2026-06-01T00:00:00.000Z', 'company_id', '100200300'), 'data', jsonb_build_object('id', id) || data, 'previous', '{}'::jsonb))
$$;
SELECT sim.event('deal', 9001, '{"title": "a", "label": "4,5"}'), sim.event('person', 9001, '{"name": "b", "label": 4, "active_flag": true}'), sim.event('pipeline', 9001, '{"name": "c", "active": true}');
SELECT sim.event('deal', 9001, '{"title": "d", "label": "hot"}'), sim.event('person', 9001, '{"name": "e", "label": "4,5", "active_flag": "perhaps"}'), sim.event('pipeline', 9001, '{"name": "f", "active": {"is": true}}');
SELECT d.title, d.label_ids, p.name, p.label_ids, l.name, l.is_deleted FROM crm_mirror.deals d, crm_mirror.persons p, crm_mirror.pipelines l;
SELECT sim.event('deal', 9001, '{"title": "g", "label": [4, "6"]}'), sim.event('person', 9001, '{"name": "h", "label": null}');
SELECT d.title, d.label_ids, p.name, p.label_ids FROM crm_mirror.deals d, crm_mirror.persons p;

-- A log with a time that is none, and with an entry that is none
SELECT sim.call('POST', 'recorded', '{"path": "/v1/deals/9001/changelog", "body": {"success": true, "data": [
    {"field_key": "stage_id", "old_value": "1", "new_value": "2", "time": "Error"}, {"field_key": "stage_id", "old_value": "2", "new_value": "3", "time": "2024-05-20 10:00:00"}, "nonsense", null,
    {"field_key": "title", "old_value": {"a": 1}, "new_value": null, "time": 1716199200}], "additional_data": {"next_cursor": null}}}') IS NULL AS ok;
CALL pipedrive.backfill_history('crm.deals', 22);
SELECT field, old_value, new_value, changed_at FROM pipedrive.changes WHERE change_source = 'backfill' ORDER BY changed_at;
