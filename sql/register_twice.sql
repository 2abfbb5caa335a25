\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Webhooks registered twice: what is there is found, and doubles of earlier times can be removed.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons) FROM SERVER crm INTO crm;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
CREATE FUNCTION sim.webhooks() RETURNS TABLE (id bigint, object text, url text, who bigint) LANGUAGE sql AS $$
    SELECT (w ->> 'id')::bigint, w ->> 'event_object', w ->> 'subscription_url', (w ->> 'user_id')::bigint FROM jsonb_array_elements(sim.call('GET', 'subscriptions')::jsonb) AS w ORDER BY 1
$$;
CREATE FUNCTION sim.kept() RETURNS TABLE (webhooks bigint, subscriptions bigint, logins bigint) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM sim.webhooks()), (SELECT count(*) FROM pipedrive_internal.webhook_subscription), (SELECT count(*) FROM pipedrive_internal.webhook_login)
$$;
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook');
CALL sim.clear();
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook');
SELECT * FROM sim.journal();
SELECT * FROM sim.kept();
-- One more object: only that is made; one named twice is one; in the order they were named
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{person,note,deal,note,NULL}');
SELECT * FROM sim.kept();
-- Another address or another user's visibility is something else; and each of them is found again
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/other', '{deal}');
SELECT who AS first_user FROM sim.webhooks() LIMIT 1 \gset
SELECT webhook_id, problem FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}', :first_user + 1);
SELECT webhook_id, problem FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}', :first_user + 1);
SELECT webhook_id, problem FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}');
SELECT * FROM sim.kept();
-- However the account spells the address, and an empty reason is none
SELECT sim.call('POST', 'subscriptions', format('{"id": %s, "subscription_url": "https://DB.example.com:443/rpc/other", "remove_reason": ""}', id)) IS NOT NULL AS respelled FROM sim.webhooks() WHERE url LIKE '%other';
SELECT webhook_id, problem FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/other', '{deal}');
SELECT state FROM pipedrive.webhook_health('crm') WHERE url LIKE '%other';
SELECT sim.error($$SELECT * FROM pipedrive.register_webhook('crm', NULL, '{deal}')$$);
-- What Pipedrive removed, or sends for other actions or in another version, is not there
SELECT sim.call('POST', 'subscriptions', '{"id": 1, "remove_reason": "no deliveries"}') IS NOT NULL AS removed, sim.call('POST', 'subscriptions', '{"id": 2, "event_action": "create"}') IS NOT NULL AS other_action,
       sim.call('POST', 'subscriptions', '{"id": 3, "version": "1.0"}') IS NOT NULL AS other_version;
SELECT object, webhook_id > 5 AS made, problem FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal,person,note}');
-- When nothing could be made, no login stays
SELECT * FROM sim.kept() \gset before_
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks", "method": "POST"}, "kind": "status", "status": 400, "body": {"success": false, "error": "no"}}]');
SELECT object, webhook_id, problem IS NOT NULL AS failed FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/third', '{deal,person}');
CALL sim.no_faults();
SELECT logins = :before_logins AS no_login_more FROM sim.kept();
-- when only the first could not, the others share one that is kept
CALL sim.fault('[{"match": {"path_regex": "^/v1/webhooks", "method": "POST", "nth": 1}, "kind": "status", "status": 400, "body": {"success": false, "error": "no"}}]');
SELECT object, webhook_id IS NOT NULL AS made FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/fourth', '{deal,person,note}');
CALL sim.no_faults();
SELECT logins - :before_logins AS more_logins FROM sim.kept();
SELECT count(*), count(DISTINCT s.user_name), bool_and(l.user_name IS NOT NULL) AS known FROM pipedrive_internal.webhook_subscription s LEFT JOIN pipedrive_internal.webhook_login l USING (user_name) WHERE s.url LIKE '%fourth';
SELECT count(*), bool_and(problem IS NULL) FROM pipedrive.unregister_webhook('crm');
SELECT * FROM sim.kept();

-- Webhooks that another database made, or this one in another life: found, and their unknown login told
CALL sim.reset();
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook');
DELETE FROM pipedrive_internal.webhook_subscription;
DELETE FROM pipedrive_internal.webhook_login;
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook');
SELECT object, state FROM pipedrive.webhook_health('crm');
SELECT * FROM pipedrive.unregister_webhook('crm');
SELECT * FROM sim.kept();
-- the login that it delivers with was ended here
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}');
SELECT pipedrive.drop_webhook_login(user_name) FROM pipedrive_internal.webhook_login;
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}');
SELECT * FROM pipedrive.unregister_webhook('crm');

-- Doubles are told, those of others too where they send to an address of ours; the one that works is kept
CALL sim.reset();
SELECT * FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}');
DELETE FROM pipedrive_internal.webhook_subscription;
SELECT pipedrive_internal.subscribe('crm', 'https://db.example.com/rpc/webhook', 'deal', NULL, 'x', 'y'), pipedrive_internal.subscribe('crm', 'https://db.example.com/rpc/webhook', 'person', NULL, 'x', 'y'),
       pipedrive_internal.subscribe('crm', 'https://db.example.com/rpc/webhook', 'person', NULL, 'x', 'y'), pipedrive_internal.subscribe('crm', 'https://elsewhere.example.com/', 'deal', NULL, 'x', 'y'),
       pipedrive_internal.subscribe('crm', 'https://elsewhere.example.com/', 'deal', NULL, 'x', 'y');
DELETE FROM pipedrive_internal.webhook_subscription WHERE url LIKE '%elsewhere%';
SELECT sim.call('POST', 'subscriptions', '{"id": 2, "last_http_status": 200, "last_delivery_time": "2026-03-01T09:00:00.000Z"}') IS NOT NULL AS ok;
SELECT object, webhook_id, state, detail FROM pipedrive.webhook_health('crm');
CALL pipedrive.repair_webhooks('crm');
SELECT count(*) FROM sim.webhooks();
SELECT * FROM pipedrive.unregister_webhook('crm', '{1}');
SELECT * FROM pipedrive.unregister_webhook('crm', '{4,5,77}');
SELECT * FROM sim.webhooks();
SELECT object, webhook_id, state FROM pipedrive.webhook_health('crm');
SELECT * FROM pipedrive.unregister_webhook('crm');
SELECT count(*) FROM sim.webhooks();

-- Repairing one of two that deliver elsewhere keeps the other
CALL sim.reset();
SELECT webhook_id FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/webhook', '{deal}') UNION ALL SELECT webhook_id FROM pipedrive.register_webhook('crm', 'https://db.example.com/rpc/other', '{deal}') ORDER BY 1;
SELECT sim.call('POST', 'subscriptions', '{"id": 2, "remove_reason": "no deliveries"}') IS NOT NULL AS removed;
CALL pipedrive.repair_webhooks('crm');
SELECT webhook_id, object, url FROM pipedrive_internal.webhook_subscription WHERE object = 'deal' ORDER BY 1;
SELECT count(*) FROM pipedrive.unregister_webhook('crm');
