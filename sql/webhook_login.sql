\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
\set webhooks `echo "$PIPEDRIVE_TEST_ROOT/sql/include/webhooks.psql"`
\i :webhooks
--
-- The door: who may send, and what a role that may do nothing else can do.
--
SELECT * FROM pipedrive.create_webhook_login('crm') \gset login_
SELECT length(:'login_password') AS length, user_name = :'login_user_name' AS same_name, strpos(l::text, :'login_password') AS password_kept, octet_length(hash) FROM pipedrive_internal.webhook_login l;
CREATE FUNCTION sim.deliver(user_name text, password text, body jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT set_config('request.headers', jsonb_build_object('content-type', 'application/json', 'authorization',
                      'Basic ' || replace(encode(convert_to(user_name || ':' || password, 'UTF8'), 'base64'), E'\n', ''))::text, false);
    SELECT pipedrive.webhook(body::json)::text
$$;
SELECT sim.deliver(:'login_user_name', :'login_password', sim.event('v2-stage-create'));
SELECT server, status FROM pipedrive.inbox WHERE entity = 'stage';
SELECT sim.error(format('SELECT sim.deliver(%L, %L, %L)', u, p, sim.event('v2-pipeline-create')))
  FROM (VALUES (:'login_user_name', 'wrong'), (:'login_user_name', ''), ('nobody', :'login_password'), ('', ''), (:'login_user_name', left(:'login_password', -1))) AS v (u, p);
SELECT set_config('request.headers', h, false) = h AS set, sim.error(format('SELECT pipedrive.webhook(%L)', sim.event('v2-pipeline-create')))
  FROM unnest(ARRAY['', '{}', 'nonsense', '{"authorization": "Bearer x"}', '{"authorization": "Basic !"}', '{"authorization": "Basic gA=="}', '{"authorization": null}']) AS h;
SELECT count(*) AS stored FROM pipedrive.inbox WHERE entity = 'pipeline';
SELECT sim.error($$SELECT pipedrive.create_webhook_login('nowhere')$$);
-- a role that may do nothing else
CREATE ROLE regress_pipedrive_hook;
GRANT USAGE ON SCHEMA sim TO regress_pipedrive_hook;
GRANT EXECUTE ON FUNCTION pipedrive.webhook(json) TO regress_pipedrive_hook;
SELECT sim.event('v2-pipeline-create') AS body \gset
SELECT sim.deliver(:'login_user_name', :'login_password', '{}') IS NOT NULL AS headers_set;
SET ROLE regress_pipedrive_hook;
SELECT pipedrive.webhook(:'body');
SELECT sim.error('SELECT count(*) FROM pipedrive.inbox');
SELECT sim.error('SELECT count(*) FROM pipedrive_internal.webhook_login');
SELECT sim.error('SELECT * FROM pipedrive.inbox_summary');
SELECT sim.error(format('SELECT pipedrive.ingest_webhook(%L::jsonb)', :'body'));
RESET ROLE;
RESET request.headers;
REVOKE ALL ON FUNCTION pipedrive.webhook(json) FROM regress_pipedrive_hook;
REVOKE ALL ON SCHEMA sim FROM regress_pipedrive_hook;
DROP ROLE regress_pipedrive_hook;
SELECT pipedrive.drop_webhook_login(:'login_user_name');
