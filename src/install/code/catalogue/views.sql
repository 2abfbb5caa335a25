-- The catalogue of the code as views: the same rows that import, validator and push-down use.

CREATE OR REPLACE FUNCTION pipedrive_internal.catalogue(what text) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pipedrive_fdw_catalogue';
COMMENT ON FUNCTION pipedrive_internal.catalogue(text) IS
    'rows of the library as jsonb: options, columns, entities or webhooks';

CREATE OR REPLACE VIEW pipedrive.options AS
SELECT context, name, nullif(default_value, '') AS default_value, meaning
  FROM jsonb_to_recordset(pipedrive_internal.catalogue('options'::text))
       AS r (context text, name text, default_value text, meaning text);
COMMENT ON VIEW pipedrive.options IS 'every option, where it belongs, its default and meaning';

CREATE OR REPLACE VIEW pipedrive.entities AS
SELECT entity, comment, paths, tokens_per_request, custom_fields, mirrored,
       nullif(deleted_list, '') AS deleted_list, nullif(changelog, '') AS changelog,
       key_column, key_type
  FROM jsonb_to_recordset(pipedrive_internal.catalogue('entities'::text))
       AS r (entity text, comment text, paths text, tokens_per_request text, custom_fields boolean,
             mirrored boolean, deleted_list text, changelog text, key_column text, key_type text);
COMMENT ON VIEW pipedrive.entities IS
    'the tables that IMPORT FOREIGN SCHEMA makes, the lists they read, what a request costs, '
    'whether create_mirrors() makes a mirror of them, the table that lists their deleted rows, '
    'where Pipedrive logs a record''s changes, and the column that tells rows apart with its type '
    '(NULL: nothing does)';

CREATE OR REPLACE VIEW pipedrive.entity_columns AS
SELECT entity, column_name, field, subfield, type, presence, comment, parameter, pushed, reason,
       history
  FROM jsonb_to_recordset(pipedrive_internal.catalogue('columns'::text))
       AS r (entity text, column_name text, field text, subfield text, type text, presence text,
             comment text, parameter text, pushed text, reason text, history boolean);
COMMENT ON VIEW pipedrive.entity_columns IS
    'standard columns of every entity, which WHERE clauses become request parameters, and whose '
    'values over time a view beside a mirror shows';
