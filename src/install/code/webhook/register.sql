-- register_webhook() and unregister_webhook().

CREATE OR REPLACE FUNCTION pipedrive_internal.wanted_objects(server name) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT o.object FROM pipedrive_internal.webhook_object o
                  WHERE EXISTS (SELECT FROM pipedrive_internal.targets(o.entity) AS t WHERE t.server = wanted_objects.server) ORDER BY o.object);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.wanted_objects(name) IS
    'objects whose events the mirrors of a server need';

CREATE OR REPLACE FUNCTION pipedrive_internal.subscribe(
    server name, url text, object text, user_id bigint, login_name text, password text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made jsonb;
    made_id bigint;
BEGIN
    made := pipedrive_internal.request(server, 'POST'::text, '/v1/webhooks'::text, jsonb_strip_nulls(jsonb_build_object(
        'subscription_url', url, 'event_action', '*', 'event_object', object, 'name', 'pipedrive_fdw ' || object, 'version', '2.0',
        'user_id', user_id, 'http_auth_user', login_name, 'http_auth_password', password))) -> 'data';
    made_id := pipedrive_internal.as_bigint(made -> 'id');
    IF made_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_unable_to_create_reply', MESSAGE = 'invalid reply from Pipedrive for "webhooks"', DETAIL = 'The answer to creating a webhook names no id.';
    END IF;
    INSERT INTO pipedrive_internal.webhook_subscription (server, webhook_id, object, url, user_name, user_id)
    VALUES (subscribe.server, made_id, subscribe.object, subscribe.url, login_name, subscribe.user_id);
    IF made ->> 'company_id' IS NOT NULL THEN
        INSERT INTO pipedrive_internal.server_company VALUES (subscribe.server, made ->> 'company_id')
        ON CONFLICT ON CONSTRAINT server_company_pkey DO NOTHING; -- a sync finds out whether it has changed
    END IF;
    RETURN made_id;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.subscribe(name, text, text, bigint, text, text) IS
    'creates one webhook (10 tokens)';

CREATE OR REPLACE FUNCTION pipedrive_internal.adopt(
    server name, url text, object text, user_id bigint, there pipedrive_internal.found_webhook[])
RETURNS pipedrive_internal.found_webhook
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w pipedrive_internal.found_webhook;
BEGIN
    -- of one that another database made it is only known whose it is, not whether that was asked
    -- for
    SELECT f.* INTO w FROM unnest(there) AS f
      LEFT JOIN pipedrive_internal.webhook_subscription s
             ON s.server = adopt.server AND s.webhook_id = f.webhook_id
     WHERE f.object = adopt.object
       AND CASE WHEN s.webhook_id IS NULL THEN adopt.user_id IS NULL OR f.user_id = adopt.user_id
                ELSE f.user_id IS NOT DISTINCT FROM adopt.user_id END
     ORDER BY f.has_login DESC, f.webhook_id LIMIT 1;
    INSERT INTO pipedrive_internal.webhook_subscription (server, webhook_id, object, url, user_id)
    SELECT adopt.server, w.webhook_id, adopt.object, adopt.url, adopt.user_id
     WHERE w.webhook_id IS NOT NULL
        ON CONFLICT ON CONSTRAINT webhook_subscription_pkey DO NOTHING;
    RETURN w;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.adopt(name, text, text, bigint, pipedrive_internal.found_webhook[]) IS
    'the webhook that is there already, kept as ours; NULL for none';

CREATE OR REPLACE FUNCTION pipedrive.register_webhook(
    server name, url text, objects text[] DEFAULT NULL, user_id bigint DEFAULT NULL)
RETURNS TABLE (object text, webhook_id bigint, problem text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    login_name text;
    password text;
    kept boolean := false; -- whether some webhook has the login
    detail text;
    hint text;
    context text;
    there pipedrive_internal.found_webhook[];
    w pipedrive_internal.found_webhook;
BEGIN
    IF url !~ '^https://' IS NOT FALSE THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'webhooks need an https URL', DETAIL = 'Pipedrive delivers to public https addresses with a valid certificate, and follows no redirects.';
    END IF;
    -- two sessions would both find nothing
    PERFORM pg_advisory_xact_lock('pipedrive_internal.webhook_subscription'::regclass::oid::integer, hashtext(server));
    there := ARRAY(SELECT f FROM pipedrive_internal.found_webhooks(server, url) AS f);
    FOR object IN SELECT o FROM unnest(coalesce(objects, pipedrive_internal.wanted_objects(server))) WITH ORDINALITY AS u (o, n) WHERE o IS NOT NULL GROUP BY o ORDER BY min(n) LOOP
        w := pipedrive_internal.adopt(server, url, object, register_webhook.user_id, there);
        webhook_id := w.webhook_id;
        problem := CASE WHEN NOT w.has_login THEN 'it was there before, with credentials that this database does not know: where its deliveries fail, unregister_webhook() and register again' END;
        IF webhook_id IS NULL THEN
            BEGIN
                IF login_name IS NULL THEN
                    SELECT l.user_name, l.password INTO login_name, password FROM pipedrive.create_webhook_login(server) AS l;
                END IF;
                webhook_id := pipedrive_internal.subscribe(server, url, object, register_webhook.user_id, login_name, password);
                kept := true;
            EXCEPTION WHEN assert_failure OR OTHERS THEN -- those created before stay known; a login that nobody has does not stay
                GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
                problem := pipedrive_internal.error_text(SQLSTATE, problem, detail, hint, context);
                login_name := CASE WHEN kept THEN login_name END;
            END;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive.register_webhook(name, text, text[], bigint) IS
    'creates webhooks (version 2, all actions) for the mirrored objects of a server, or those '
    'named, with a login of their own; 10 tokens each, and 10 to see which are there already: '
    'those are returned as they are. user_id: whose visibility applies';

CREATE OR REPLACE FUNCTION pipedrive.unregister_webhook(
    server name, webhook_ids bigint[] DEFAULT NULL)
RETURNS TABLE (object text, webhook_id bigint, problem text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    s record;
    detail text;
    hint text;
    context text;
BEGIN
    FOR s IN
        WITH listed AS MATERIALIZED (SELECT * FROM pipedrive_internal.listed_webhooks(unregister_webhook.server)),
        ours AS (SELECT x.* FROM pipedrive_internal.webhook_subscription x WHERE x.server = unregister_webhook.server)
        SELECT coalesce(o.object, l.object) AS object, coalesce(o.webhook_id, l.webhook_id, a.id) AS webhook_id, l.webhook_id IS NOT NULL AS is_listed,
               o.webhook_id IS NOT NULL OR pipedrive_internal.address(l.url) IN (SELECT pipedrive_internal.address(x.url) FROM ours x) IS TRUE AS may_go -- others send elsewhere
          FROM ours o FULL JOIN listed l ON l.webhook_id = o.webhook_id FULL JOIN unnest(webhook_ids) AS a (id) ON a.id = coalesce(o.webhook_id, l.webhook_id)
         WHERE CASE WHEN webhook_ids IS NULL THEN o.webhook_id ELSE a.id END IS NOT NULL ORDER BY 1, 2 LOOP
        object := s.object;
        webhook_id := s.webhook_id;
        problem := CASE WHEN NOT s.may_go THEN 'it delivers to no address of ours' END;
        BEGIN
            IF s.is_listed AND s.may_go THEN
                PERFORM pipedrive_internal.request(unregister_webhook.server, 'DELETE'::text, '/v1/webhooks/' || s.webhook_id);
            END IF;
            DELETE FROM pipedrive_internal.webhook_subscription x WHERE x.server = unregister_webhook.server AND x.webhook_id = s.webhook_id;
        EXCEPTION WHEN assert_failure OR OTHERS THEN
            GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
            problem := pipedrive_internal.error_text(SQLSTATE, problem, detail, hint, context);
        END;
        RETURN NEXT;
    END LOOP;
    DELETE FROM pipedrive_internal.webhook_login l WHERE l.server = unregister_webhook.server
       AND NOT EXISTS (SELECT FROM pipedrive_internal.webhook_subscription x WHERE x.server = l.server);
END
$$;
COMMENT ON FUNCTION pipedrive.unregister_webhook(name, bigint[]) IS
    'deletes the webhooks that register_webhook() created or found for a server, or those with '
    'the given ids only; with the last one the server''s logins';
