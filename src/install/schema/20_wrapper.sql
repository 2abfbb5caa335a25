-- The foreign-data wrapper. Its two functions are here and not in code/, as it cannot be made
-- without them.

CREATE FUNCTION pipedrive_internal.handler() RETURNS fdw_handler
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_handler';
COMMENT ON FUNCTION pipedrive_internal.handler() IS
    'handler of the foreign-data wrapper pipedrive_fdw';

CREATE FUNCTION pipedrive_internal.validator(text[], oid) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_validator';
COMMENT ON FUNCTION pipedrive_internal.validator(text[], oid) IS
    'checks options of servers, user mappings, foreign tables and columns';

CREATE FOREIGN DATA WRAPPER pipedrive_fdw
    HANDLER pipedrive_internal.handler VALIDATOR pipedrive_internal.validator;
COMMENT ON FOREIGN DATA WRAPPER pipedrive_fdw IS 'a Pipedrive CRM account as tables';
