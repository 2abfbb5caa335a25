-- Names of functions and views are for everybody; tables and what spends tokens are granted one by one.
GRANT USAGE ON SCHEMA pipedrive TO PUBLIC;

-- The wrapper itself and what tells its version.

CREATE FUNCTION pipedrive_fdw_handler() RETURNS fdw_handler
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_handler';
COMMENT ON FUNCTION pipedrive_fdw_handler() IS 'handler of the foreign-data wrapper pipedrive_fdw';

CREATE FUNCTION pipedrive_fdw_validator(text[], oid) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_validator';
COMMENT ON FUNCTION pipedrive_fdw_validator(text[], oid) IS 'checks options of servers, user mappings, foreign tables and columns';

CREATE FOREIGN DATA WRAPPER pipedrive_fdw HANDLER pipedrive_fdw_handler VALIDATOR pipedrive_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER pipedrive_fdw IS 'a Pipedrive CRM account as tables';

CREATE FUNCTION pipedrive.version() RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pipedrive_fdw_version';
COMMENT ON FUNCTION pipedrive.version() IS 'versions of the library, PostgreSQL and libcurl, for bug reports';
