-- The catalogue of the code as views: the same rows that import, validator and push-down use.

CREATE FUNCTION _catalogue(what text) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pipedrive_fdw_catalogue';
COMMENT ON FUNCTION _catalogue(text) IS 'rows of the library as jsonb: options, columns, entities or webhooks';

CREATE VIEW options AS
SELECT context, name, nullif(default_value, '') AS default_value, meaning
  FROM jsonb_to_recordset(_catalogue('options')) AS r (context text, name text, default_value text, meaning text);
COMMENT ON VIEW options IS 'every option, where it belongs, its default and meaning';

CREATE VIEW entities AS
SELECT entity, comment, paths, tokens_per_request, custom_fields, mirrored
  FROM jsonb_to_recordset(_catalogue('entities')) AS r (entity text, comment text, paths text, tokens_per_request text, custom_fields boolean, mirrored boolean);
COMMENT ON VIEW entities IS 'the tables that IMPORT FOREIGN SCHEMA makes, the lists they read, what a request costs, and whether create_mirrors() makes a mirror of them';

CREATE VIEW entity_columns AS
SELECT entity, column_name, field, subfield, type, presence, comment, parameter, pushed, reason
  FROM jsonb_to_recordset(_catalogue('columns'))
       AS r (entity text, column_name text, field text, subfield text, type text, presence text, comment text, parameter text, pushed text, reason text);
COMMENT ON VIEW entity_columns IS 'standard columns of every entity, and which WHERE clauses become request parameters';

GRANT SELECT ON options, entities, entity_columns TO PUBLIC;
