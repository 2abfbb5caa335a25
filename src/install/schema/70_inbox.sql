-- Events of webhooks as they came, and what they did to each mirror.

CREATE TABLE pipedrive.inbox (
    key text PRIMARY KEY,
    seq bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival'),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    processed_at timestamptz,
    event_time timestamptz,
    attempt integer NOT NULL DEFAULT 1,
    version text,
    entity text,
    entity_id text,
    action text,
    company_id text,
    server name,
    status text NOT NULL
        CHECK (status IN ('queued', 'applied', 'stale', 'deleted', 'ignored', 'failed')),
    outcome text,
    error text,
    body jsonb,
    raw text
);
COMMENT ON TABLE pipedrive.inbox IS
    'webhook events as received, and what became of each; holds personal data: for its owner '
    'only, and not in dumps';
COMMENT ON COLUMN pipedrive.inbox.key IS 'the same for every delivery of one event';
COMMENT ON COLUMN pipedrive.inbox.seq IS 'order of arrival';
COMMENT ON COLUMN pipedrive.inbox.event_time IS 'when it happened, by Pipedrive''s clock';
COMMENT ON COLUMN pipedrive.inbox.attempt IS 'delivery attempts seen';
COMMENT ON COLUMN pipedrive.inbox.entity IS 'object of the event in Pipedrive''s words, e.g. deal';
COMMENT ON COLUMN pipedrive.inbox.server IS
    'server of the login that delivered it, where there was one';
COMMENT ON COLUMN pipedrive.inbox.outcome IS
    'the status with its reason, as ingest_webhook() returned it';
COMMENT ON COLUMN pipedrive.inbox.error IS
    'SQLSTATE, message, detail and hint of a failure, without values of the event';
COMMENT ON COLUMN pipedrive.inbox.raw IS 'a body that jsonb cannot hold, or that is no JSON at all';

DO $$ -- faster than the default, where the server was built with it
BEGIN
    ALTER TABLE pipedrive.inbox ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    NULL;
END
$$;

-- To find events of the same record, and those that wait; times are in order of insertion.
CREATE INDEX inbox_entity ON pipedrive.inbox (entity_id, entity, event_time);
CREATE INDEX inbox_queued ON pipedrive.inbox (seq) WHERE status = 'queued';
CREATE INDEX inbox_received_at ON pipedrive.inbox USING brin (received_at);

CREATE TABLE pipedrive_internal.mirror_event (
    mirror_id integer REFERENCES pipedrive_internal.mirror ON DELETE CASCADE,
    slot integer,
    changes bigint NOT NULL CHECK (changes BETWEEN 0 AND 1000000000000000),
    last_event timestamptz,
    PRIMARY KEY (mirror_id, slot)
);
COMMENT ON TABLE pipedrive_internal.mirror_event IS
    'changed rows and last event of each mirror, in some rows a mirror so that sessions do not '
    'wait for each other; see change_serial()';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.mirror_event', '');

CREATE TABLE pipedrive_internal.event_company (
    mirror_id integer REFERENCES pipedrive_internal.mirror ON DELETE CASCADE,
    company_id text,
    PRIMARY KEY (mirror_id, company_id)
);
COMMENT ON TABLE pipedrive_internal.event_company IS
    'companies that events named, of mirrors whose account does not tell its own: where there are '
    'two, only events of a login are applied';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.event_company', '');

CREATE TYPE pipedrive_internal.event AS (
    key text,
    version text,
    entity text,
    entity_id text,
    action text,
    company_id text,
    server name,
    attempt integer,
    event_time timestamptz,
    processed_at timestamptz, -- of an earlier run
    kind text,
    source_entity text,
    id text,           -- of the row in a mirror, as its key's type spells it
    shape text,
    record jsonb,
    no_labels boolean, -- the record says that there is none, which a list may say in two ways
    others text[],     -- other records that a merge touched
    gone jsonb,        -- what a record of its kind says when it is deleted
    problem text
);
COMMENT ON TYPE pipedrive_internal.event IS 'a webhook event, whatever its version';

CREATE TYPE pipedrive_internal.target AS (
    mirror_id integer,
    source regclass,
    target regclass,
    entity text,
    server name,
    width integer,
    key_column name,
    key_type regtype,
    watched boolean -- its owner's triggers or policies may make something else of what is written
);
COMMENT ON TYPE pipedrive_internal.target IS 'a mirror that events are applied to';
