-- What is known of servers: definitions of their accounts' fields, whose accounts they are, what
-- they are called.

CREATE TABLE pipedrive_internal.fields (
    server name NOT NULL,
    mapped_user name NOT NULL,
    entity text NOT NULL,
    fields text NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (server, mapped_user, entity)
);
COMMENT ON TABLE pipedrive_internal.fields IS
    'field definitions and options as last read by IMPORT FOREIGN SCHEMA or refresh_schema(); '
    'written by the library only';
COMMENT ON COLUMN pipedrive_internal.fields.server IS 'foreign server';
COMMENT ON COLUMN pipedrive_internal.fields.mapped_user IS
    'user whose mapping read them, empty for PUBLIC';
COMMENT ON COLUMN pipedrive_internal.fields.entity IS 'entity whose fields they are';
COMMENT ON COLUMN pipedrive_internal.fields.fields IS
    'JSON array of {code, name, type, custom, optional, options}, in ASCII so that every database '
    'can hold it';
COMMENT ON COLUMN pipedrive_internal.fields.read_at IS 'when they were read from Pipedrive';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.fields', '');

CREATE TABLE pipedrive_internal.server_company (
    server name PRIMARY KEY,
    company_id text NOT NULL
);
COMMENT ON TABLE pipedrive_internal.server_company IS
    'the company account behind a server, learnt at its first sync: events of other companies are '
    'not applied to its mirrors';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.server_company', '');

CREATE TABLE pipedrive_internal.server_account (
    server name,
    stamp text,
    PRIMARY KEY (server, stamp)
);
COMMENT ON TABLE pipedrive_internal.server_account IS
    'versions of server and user mapping whose company was asked for; see server_company';

CREATE TABLE pipedrive_internal.known_server (
    server_oid oid PRIMARY KEY,
    server name NOT NULL
);
COMMENT ON TABLE pipedrive_internal.known_server IS
    'names of the servers as our tables have them; not in dumps, as a restore makes servers anew';
