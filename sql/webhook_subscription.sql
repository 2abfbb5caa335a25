\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set webhooks `echo "$PIPEDRIVE_TEST_ROOT/sql/include/webhooks.psql"`
\i :webhooks
--
-- Subscriptions: registered, looked at, repaired, removed.
--
-- two objects of which something came already
SELECT pipedrive.ingest_webhook(sim.event('v2-' || object || '-create'), 'apply', 'crm') FROM unnest('{stage,pipeline}'::text[]) AS object;
SELECT sim.error($$SELECT pipedrive.register_webhook('crm', 'http://db.example.com/rpc/webhook')$$);
CALL sim.clear();
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook');
SELECT count(*), j FROM sim.journal() AS j GROUP BY j ORDER BY j;
SELECT count(*), count(DISTINCT user_name) AS logins FROM pipedrive_internal.webhook_subscription;
SELECT object, webhook_id, state, last_received IS NOT NULL AS received, detail FROM pipedrive.webhook_health('crm');
SELECT sim.call('POST', 'subscriptions', '{"id": 2, "is_active": 0, "last_http_status": 500}') IS NOT NULL AS banned, sim.call('POST', 'subscriptions', '{"id": 3, "remove_reason": "no deliveries"}') IS NOT NULL AS removed,
       sim.call('POST', 'subscriptions', '{"id": 4, "last_http_status": 401, "last_delivery_time": "2026-03-01T09:00:00.000Z"}') IS NOT NULL AS failing,
       sim.call('POST', 'subscriptions', '{"id": 1, "last_http_status": 200, "last_delivery_time": "2026-03-01T09:00:00.000Z"}') IS NOT NULL AS ok;
DELETE FROM pipedrive_internal.webhook_subscription WHERE webhook_id = 5;
SELECT object, webhook_id, state, last_delivery, last_status, detail FROM pipedrive.webhook_health('crm');
CALL pipedrive.repair_webhooks('crm');
SELECT object, webhook_id, state FROM pipedrive.webhook_health('crm');
SELECT * FROM pipedrive.unregister_webhook('crm');
SELECT (SELECT count(*) FROM pipedrive_internal.webhook_subscription) AS subscriptions, (SELECT count(*) FROM pipedrive_internal.webhook_login) AS logins;
