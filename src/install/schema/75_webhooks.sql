-- What webhooks can say, and the logins and subscriptions that they come by.

CREATE TABLE pipedrive_internal.webhook_object (
    object text PRIMARY KEY,
    entity text,
    path text,
    key text,
    key_type regtype,
    gone jsonb
);
COMMENT ON TABLE pipedrive_internal.webhook_object IS
    'objects that Pipedrive sends events for; entity and path where they can be mirrored';
COMMENT ON COLUMN pipedrive_internal.webhook_object.key IS
    'where a record has its key, which is of key_type';
COMMENT ON COLUMN pipedrive_internal.webhook_object.gone IS
    'what the columns of a record say when it is deleted';

CREATE TABLE pipedrive_internal.webhook_action (
    version text,
    action text,
    kind text NOT NULL CHECK (kind IN ('upsert', 'delete')),
    PRIMARY KEY (version, action)
);
COMMENT ON TABLE pipedrive_internal.webhook_action IS 'what to do for each action of an event';

CREATE TABLE pipedrive_internal.webhook_login (
    user_name text PRIMARY KEY,
    server name NOT NULL,
    salt bytea NOT NULL,
    hash bytea NOT NULL,
    rounds integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pipedrive_internal.webhook_login IS
    'credentials that webhooks are delivered with; of the password only a salted hash';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.webhook_login', '');

CREATE TABLE pipedrive_internal.webhook_subscription (
    server name NOT NULL,
    webhook_id bigint NOT NULL,
    object text NOT NULL,
    url text NOT NULL,
    user_name text,
    user_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server, webhook_id)
);
COMMENT ON TABLE pipedrive_internal.webhook_subscription IS
    'webhooks that register_webhook() created, or found already there';
COMMENT ON COLUMN pipedrive_internal.webhook_subscription.user_name IS
    'login that it delivers with; NULL for one that was found';
COMMENT ON COLUMN pipedrive_internal.webhook_subscription.user_id IS
    'whose visibility was asked for; NULL: that of the token''s user';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.webhook_subscription', '');

CREATE TYPE pipedrive_internal.found_webhook AS (
    webhook_id bigint,
    object text,
    user_id bigint,
    has_login boolean
);
COMMENT ON TYPE pipedrive_internal.found_webhook IS
    'a webhook that is there; user_id: as asked for, where that is known; has_login: with one of '
    'our logins';
