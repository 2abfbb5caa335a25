-- Webhooks as the account lists them.

CREATE OR REPLACE FUNCTION pipedrive_internal.listed_webhooks(server name)
RETURNS TABLE (webhook_id bigint, object text, action text, url text, user_id bigint, is_active boolean, version text, last_delivery timestamptz, last_status integer, status_word text,
               remove_reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    listed jsonb := pipedrive_internal.request(server, 'GET'::text, '/v1/webhooks'::text) -> 'data';
BEGIN
    IF jsonb_typeof(listed) NOT IN ('array', 'null') OR listed @? 'strict $[*] ? (@.type() != "object")' THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_unable_to_create_reply', MESSAGE = 'invalid reply from Pipedrive for "webhooks"', DETAIL = 'The webhooks of the account are not a list.';
    END IF;
    RETURN QUERY
    SELECT pipedrive_internal.as_bigint(w -> 'id'), w ->> 'event_object', w ->> 'event_action', w ->> 'subscription_url', pipedrive_internal.as_bigint(w -> 'user_id'), pipedrive_internal.as_boolean(w -> 'is_active'),
           w ->> 'version', pipedrive_internal.as_time(w -> 'last_delivery_time'), CASE WHEN s.status BETWEEN 100 AND 599 THEN s.status::integer END,
           CASE WHEN s.status BETWEEN 100 AND 599 THEN NULL ELSE nullif(left(w ->> 'last_http_status', 40), '') END,
           CASE WHEN w ->> 'remove_reason' NOT IN ('', 'false', '0') THEN w ->> 'remove_reason' END
      FROM jsonb_array_elements(coalesce(nullif(listed, 'null'), '[]')) AS w, LATERAL (SELECT pipedrive_internal.as_bigint(w -> 'last_http_status')) AS s (status)
     WHERE pipedrive_internal.as_bigint(w -> 'id') IS NOT NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.listed_webhooks(name) IS
    'webhooks of the account as the API lists them; status_word: what stands for a status that is '
    'no number';

-- An account may list an address in another spelling than it was given.
CREATE OR REPLACE FUNCTION pipedrive_internal.address(url text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
    SELECT regexp_replace(lower(p.part[1]), ':443$', '') || coalesce(nullif(p.part[2], ''), '/')
      FROM regexp_match(url, '^([^/]*//[^/?#]*)(.*)$') AS p (part)
$$;
COMMENT ON FUNCTION pipedrive_internal.address(text) IS
    'a URL in the one spelling in which it is compared';

CREATE OR REPLACE FUNCTION pipedrive_internal.found_webhooks(server name, url text)
RETURNS SETOF pipedrive_internal.found_webhook
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT l.webhook_id, l.object, CASE WHEN s.webhook_id IS NULL THEN l.user_id ELSE s.user_id END,
           EXISTS (SELECT FROM pipedrive_internal.webhook_login k
                    WHERE k.user_name = s.user_name AND k.server = found_webhooks.server)
      FROM pipedrive_internal.listed_webhooks(found_webhooks.server) AS l
      LEFT JOIN pipedrive_internal.webhook_subscription s
             ON s.server = found_webhooks.server AND s.webhook_id = l.webhook_id
     WHERE pipedrive_internal.address(found_webhooks.url)
               IN (pipedrive_internal.address(l.url), pipedrive_internal.address(s.url)) AND l.action = '*' AND l.version LIKE '2%'
       AND l.remove_reason IS NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.found_webhooks(name, text) IS
    'webhooks of the account that register_webhook() would create for an address (one request)';
