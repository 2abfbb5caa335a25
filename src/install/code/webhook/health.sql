-- Whether the webhooks of a server work, and how they are made to work again.

CREATE OR REPLACE FUNCTION pipedrive_internal.health_advice(
    state text, server name, webhook_id bigint, status_word text)
RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE state
           WHEN 'missing' THEN 'No webhook sends these events: register_webhook() or repair_webhooks().'
           WHEN 'removed' THEN 'Pipedrive deleted it (no successful delivery on three days): repair_webhooks().'
           WHEN 'banned' THEN 'Ten deliveries failed; events of the ban are lost, the next sync makes up for them.'
           WHEN 'duplicate' THEN
                format('Another one sends the same events to the same address; '
                       'SELECT * FROM pipedrive.unregister_webhook(%L, %L) removes this one.',
                       server, ARRAY[webhook_id])
           WHEN 'failing' THEN
                CASE WHEN status_word IS NULL
                     THEN 'The last delivery was refused: check the address and the login.'
                     ELSE format('The last delivery got no answer in time (%s): check the address.',
                                 to_json(status_word)) END
           WHEN 'waiting' THEN 'Nothing was delivered yet.' END
$$;
COMMENT ON FUNCTION pipedrive_internal.health_advice(text, name, bigint, text) IS
    'what a state of webhook_health() means';

CREATE OR REPLACE FUNCTION pipedrive.webhook_health(server name)
RETURNS TABLE (
    object text, webhook_id bigint, url text, state text, last_delivery timestamptz,
    last_status integer, last_received timestamptz, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH listed AS MATERIALIZED (
        SELECT l.*, s.webhook_id IS NOT NULL AS is_ours,
               -- of several that send the same to the same address one is kept: ours, with a login,
               -- that works
               l.remove_reason IS NULL AND row_number() OVER (PARTITION BY l.url, l.object, l.action, l.version, l.user_id, l.remove_reason IS NULL
                   ORDER BY s.webhook_id IS NULL, s.user_name IS NULL, l.is_active IS FALSE, l.webhook_id) > 1 AS is_double
          FROM pipedrive_internal.listed_webhooks(webhook_health.server) AS l
          LEFT JOIN pipedrive_internal.webhook_subscription s ON s.server = webhook_health.server AND s.webhook_id = l.webhook_id),
    -- one row a subscription that is ours or doubles one, one a mirrored object that has none
    ours AS (SELECT s.object, s.webhook_id, s.url FROM pipedrive_internal.webhook_subscription s WHERE s.server = webhook_health.server
              UNION ALL SELECT l.object, l.webhook_id, l.url FROM listed l
                         WHERE NOT l.is_ours AND l.is_double AND pipedrive_internal.address(l.url) IN (SELECT pipedrive_internal.address(s.url) FROM pipedrive_internal.webhook_subscription s WHERE s.server = webhook_health.server)
              UNION ALL SELECT o, NULL, NULL FROM unnest(pipedrive_internal.wanted_objects(webhook_health.server)) AS o
                         WHERE NOT EXISTS (SELECT FROM pipedrive_internal.webhook_subscription s WHERE s.server = webhook_health.server AND s.object = o)
                           AND NOT EXISTS (SELECT FROM listed l WHERE l.object IN (o, '*') AND l.action = '*' AND l.is_active IS NOT FALSE)),
    judged AS (SELECT ours.*, l.last_delivery, l.last_status, l.status_word,
                      CASE WHEN ours.webhook_id IS NULL THEN 'missing'
                           WHEN l.webhook_id IS NULL OR l.remove_reason IS NOT NULL THEN 'removed'
                           WHEN l.is_double THEN 'duplicate'
                           WHEN NOT l.is_active THEN 'banned'
                           WHEN l.last_status NOT BETWEEN 200 AND 299 OR l.status_word IS NOT NULL THEN 'failing'
                           WHEN l.last_delivery IS NULL THEN 'waiting' ELSE 'ok' END AS state
                 FROM ours LEFT JOIN listed l USING (webhook_id))
    SELECT j.object, j.webhook_id, j.url, j.state, j.last_delivery, j.last_status,
           (SELECT max(i.received_at) FROM pipedrive.inbox i WHERE i.entity = j.object AND (i.server = webhook_health.server OR i.server IS NULL)),
           pipedrive_internal.health_advice(j.state, webhook_health.server, j.webhook_id, j.status_word)
      FROM judged AS j
     UNION ALL
    SELECT NULL, NULL, NULL, CASE WHEN count(*) >= 40 THEN 'full' ELSE 'ok' END, max(l.last_delivery), NULL, NULL, format('%s of 40 webhooks are in use.', count(*)) FROM listed l
     ORDER BY 1 NULLS LAST, 2;
END
$$;
COMMENT ON FUNCTION pipedrive.webhook_health(name) IS
    'whether the webhooks of a server work: waiting, ok, failing, banned, removed, missing or '
    'duplicate; one request';

CREATE OR REPLACE PROCEDURE pipedrive.repair_webhooks(server name, url text DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    usual text := (SELECT s.url FROM pipedrive_internal.webhook_subscription s WHERE s.server = repair_webhooks.server ORDER BY s.created_at DESC, s.webhook_id DESC LIMIT 1);
    broken jsonb;
    removed bigint[];
    failed text;
BEGIN
    -- each at the address and with the visibility that it had
    SELECT jsonb_agg(jsonb_build_object('object', h.object, 'url', coalesce(repair_webhooks.url, h.url, usual), 'user_id', s.user_id)), array_agg(h.webhook_id) INTO broken, removed
      FROM pipedrive.webhook_health(repair_webhooks.server) AS h
      LEFT JOIN pipedrive_internal.webhook_subscription s ON s.server = repair_webhooks.server AND s.webhook_id = h.webhook_id WHERE h.state IN ('missing', 'removed');
    IF broken IS NULL THEN
        RETURN;
    ELSIF broken @> '[{"url": null}]' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('no webhook was registered for server "%s"', server), HINT = 'Give the URL to deliver to.';
    END IF;
    -- what is listed still, though removed, counts towards the limit
    PERFORM pipedrive_internal.request(repair_webhooks.server, 'DELETE'::text, '/v1/webhooks/' || l.webhook_id)
       FROM pipedrive_internal.listed_webhooks(repair_webhooks.server) AS l WHERE l.remove_reason IS NOT NULL AND l.webhook_id = ANY (removed);
    DELETE FROM pipedrive_internal.webhook_subscription s WHERE s.server = repair_webhooks.server AND s.webhook_id = ANY (removed);
    SELECT string_agg(format('%s: %s', r.object, r.problem), '; ') INTO failed
      FROM (SELECT b.url, b.user_id, array_agg(DISTINCT b.object) AS objects FROM jsonb_to_recordset(broken) AS b (object text, url text, user_id bigint) GROUP BY b.url, b.user_id) AS g,
           LATERAL pipedrive.register_webhook(repair_webhooks.server, g.url, g.objects, g.user_id) AS r WHERE r.problem IS NOT NULL;
    IF failed IS NOT NULL THEN
        RAISE WARNING USING MESSAGE = 'could not create all webhooks', DETAIL = failed;
    END IF;
END
$$;
COMMENT ON PROCEDURE pipedrive.repair_webhooks(name, text) IS
    'creates webhooks anew that Pipedrive removed or that are missing, at the address that they '
    'had or that the others have, unless told otherwise';
