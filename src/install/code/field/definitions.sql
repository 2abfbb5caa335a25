-- Field definitions of an account: read, kept, and named; and the columns of foreign tables with
-- the fields they show.

CREATE OR REPLACE FUNCTION pipedrive_internal.read_fields(server name, entity text) RETURNS jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_read_fields';
COMMENT ON FUNCTION pipedrive_internal.read_fields(name, text) IS
    'field definitions of an entity as Pipedrive has them now; costs 10 tokens a request';

CREATE OR REPLACE FUNCTION pipedrive_internal.stored_fields(server name, entity text) RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_stored_fields';
COMMENT ON FUNCTION pipedrive_internal.stored_fields(name, text) IS
    'field definitions of an entity as they were kept by import or refresh';

CREATE OR REPLACE FUNCTION pipedrive_internal.keep_fields(
    server name, entity text, keep_names boolean DEFAULT false)
RETURNS void
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_keep_fields';
COMMENT ON FUNCTION pipedrive_internal.keep_fields(name, text, boolean) IS
    'keeps the field definitions that this session read last; with keep_names, fields stay under '
    'the names they had when they were first kept';

CREATE OR REPLACE FUNCTION pipedrive_internal.name_columns(
    entity text, fields jsonb, labels text, taken text[])
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_name_columns';
COMMENT ON FUNCTION pipedrive_internal.name_columns(text, jsonb, text, text[]) IS
    'columns for custom fields, with names that avoid those taken';

CREATE OR REPLACE VIEW pipedrive_internal.table_columns AS
SELECT t.ftrelid AS relation, s.srvname AS server,
       coalesce((SELECT option_value FROM pg_catalog.pg_options_to_table(t.ftoptions)
                  WHERE option_name = 'entity'), c.relname::text) AS entity,
       a.attname, a.attnum,
       coalesce(o.field, a.attname::text) AS field, coalesce(o.subfield, '') AS subfield, o.type,
       coalesce(o.removed::boolean, false) AS removed
  FROM pg_catalog.pg_foreign_table t
  JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid
  JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
  JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwname = 'pipedrive_fdw'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.ftrelid AND a.attnum > 0 AND NOT a.attisdropped
  CROSS JOIN LATERAL (
       SELECT max(option_value) FILTER (WHERE option_name = 'field') AS field,
              max(option_value) FILTER (WHERE option_name = 'subfield') AS subfield,
              max(option_value) FILTER (WHERE option_name = 'type') AS type,
              max(option_value) FILTER (WHERE option_name = 'removed') AS removed
         FROM pg_catalog.pg_options_to_table(a.attfdwoptions)) AS o;
COMMENT ON VIEW pipedrive_internal.table_columns IS
    'columns of all Pipedrive foreign tables with the field each one shows';
