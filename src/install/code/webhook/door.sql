-- The doors by which PostgREST brings webhooks in. One runs with the rights of its owner; the other
-- is for an owner who is no superuser: it can store events, and nothing that a body makes it do
-- reaches further.

CREATE OR REPLACE FUNCTION pipedrive.webhook(json) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    server name := pipedrive_internal.login_server(current_setting('request.headers', true));
BEGIN
    IF server IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PT401', MESSAGE = 'webhook credentials are missing or wrong';
    END IF;
    RETURN json_build_object('outcome', pipedrive_internal.ingest_text($1::text, pipedrive_internal.setting('webhook_mode'::text, 'apply'::text), server));
END
$$;
COMMENT ON FUNCTION pipedrive.webhook(json) IS
    'takes a webhook from PostgREST: checks the HTTP Basic credentials of the request, then does '
    'as ingest_webhook() (setting webhook_mode: apply, queue or refetch); for a role that may do '
    'nothing else';

CREATE OR REPLACE FUNCTION pipedrive.queue_webhook(json) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    server name := pipedrive_internal.login_server(current_setting('request.headers', true));
BEGIN
    IF server IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PT401', MESSAGE = 'webhook credentials are missing or wrong';
    END IF;
    RETURN json_build_object('outcome', pipedrive_internal.ingest_text($1::text, 'queue'::text, server));
END
$$;
COMMENT ON FUNCTION pipedrive.queue_webhook(json) IS
    'webhook() with the rights of its caller: checks the credentials of the request and stores '
    'the event, which apply_inbox() applies; for a SECURITY DEFINER function whose owner '
    'grant_webhook_door() prepared';

CREATE OR REPLACE FUNCTION pipedrive.grant_webhook_door(door regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    f regprocedure;
BEGIN
    IF (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = door) IS NOT FALSE THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the owner of a door must be a role that is no superuser',
            HINT = 'CREATE ROLE ... NOLOGIN makes one that may do nothing else.';
    END IF;
    EXECUTE format('GRANT SELECT ON pipedrive_internal.webhook_login, pipedrive_internal.webhook_object, pipedrive_internal.webhook_action,
        pipedrive_internal.server_company, pipedrive_internal.server_account,
        pipedrive.settings TO %s', door);
    EXECUTE format('GRANT USAGE ON SEQUENCE pipedrive_internal.arrival TO %s', door);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON pipedrive.inbox, pipedrive_internal.refetch, pipedrive_internal.late_mark, pipedrive_internal.mirror_event, pipedrive_internal.event_company TO %s', door);
    -- each runs with the rights of its caller: what the door may do is what the tables above say
    FOR f IN SELECT p.oid::regprocedure FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid JOIN pg_language l ON l.oid = p.prolang
              WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
                AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pipedrive_fdw')
                AND p.prokind = 'f' AND NOT p.prosecdef AND l.lanname <> 'c' LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f, door);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive.grant_webhook_door(regrole) IS
    'gives a role what queue_webhook() needs: to check logins, to store events and to mark '
    'records for reading; no mirror, no token, no request';
