-- What tells the versions that a bug report needs.

CREATE OR REPLACE FUNCTION pipedrive.version() RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pipedrive_fdw_version';
COMMENT ON FUNCTION pipedrive.version() IS
    'versions of the library, PostgreSQL and libcurl, for bug reports';
