-- Who may call what: nobody but the owner, except for what stands here. Nothing of this reaches what the caller could not reach
-- by himself: apart from the two that are marked, these run with the rights of their caller.

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
              WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e'
                AND d.refclassid = 'pg_catalog.pg_extension'::regclass
                AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'pipedrive_fdw') LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', f);
    END LOOP;
END
$$;

-- for bug reports
GRANT EXECUTE ON FUNCTION pipedrive.version() TO PUBLIC;

-- the views options, entities and entity_columns, which are for everybody: a function in a view runs as who reads the view
GRANT EXECUTE ON FUNCTION pipedrive._catalogue(text) TO PUBLIC;

-- whoever runs IMPORT FOREIGN SCHEMA runs its event trigger
GRANT EXECUTE ON FUNCTION pipedrive._imported_comments() TO PUBLIC;

-- what the columns of a table make of a record that the caller has already
GRANT EXECUTE ON FUNCTION pipedrive.decode_record(regclass, jsonb, text) TO PUBLIC;

-- the view mirrors: counts only a table that the caller may read
GRANT EXECUTE ON FUNCTION pipedrive._count_rows(regclass) TO PUBLIC;

-- whoever owns foreign tables keeps them up to the account, with his own token
GRANT EXECUTE ON FUNCTION
    pipedrive.field_changes(regnamespace), pipedrive.refresh_schema(regnamespace, boolean, boolean),
    -- what these two call
    pipedrive._table_changes(regclass, jsonb), pipedrive._read_fields(name, text), pipedrive._stored_fields(name, text),
    pipedrive._keep_fields(name, text, boolean), pipedrive._name_columns(text, jsonb, text, text[]),
    pipedrive._option_changes(jsonb, jsonb),
    pipedrive._alter_source(regclass, name, text, boolean), pipedrive._spare_name(regclass, name),
    pipedrive._derived_name(text, text, text),
    -- what refresh_schema() names for tables that have a mirror is asked for without one too; the rest of what a
    -- mirror needs has who keeps the mirror
    pipedrive._free_live_column(pipedrive.mirror, name), pipedrive._follow_rename(pipedrive.mirror, name, name),
    pipedrive._follow_source(integer)
    TO PUBLIC;

-- the view left_out_columns, which is for everybody: a function in a view runs as who reads the view
GRANT EXECUTE ON FUNCTION pipedrive._mirror_columns(regclass) TO PUBLIC;

-- the view tracked_views, which is for everybody; these two run as their owner, and tell what the catalogue tells
GRANT EXECUTE ON FUNCTION pipedrive._view_inputs(regclass), pipedrive._refresh_reason(regclass) TO PUBLIC;
-- and what it makes of an SQLSTATE
GRANT EXECUTE ON FUNCTION pipedrive._condition(text) TO PUBLIC;

-- the views <table>_live: a function in a view runs as who reads the view. It runs as its owner, and tells that an account was not asked about
GRANT EXECUTE ON FUNCTION pipedrive._reads_own_account(integer, name) TO PUBLIC;
