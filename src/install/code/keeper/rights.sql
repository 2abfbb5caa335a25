-- Who may call and read what: nobody but the owner, except for what stands here. Nothing of this
-- reaches what the caller could not reach by himself: apart from those that are marked, these
-- functions run with the rights of their caller.

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
              WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e'
                AND d.refclassid = 'pg_catalog.pg_extension'::regclass
                AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e
                                   WHERE e.extname = 'pipedrive_fdw') LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', f);
    END LOOP;
END
$$;
REVOKE ALL ON pipedrive.inbox, pipedrive.inbox_summary, pipedrive_internal.webhook_login,
    pipedrive_internal.webhook_subscription FROM PUBLIC;

-- for bug reports
GRANT EXECUTE ON FUNCTION pipedrive.version() TO PUBLIC;

-- the catalogue: a function in a view runs as who reads the view
GRANT SELECT ON pipedrive.options, pipedrive.entities, pipedrive.entity_columns TO PUBLIC;
GRANT EXECUTE ON FUNCTION pipedrive_internal.catalogue(text) TO PUBLIC;

-- whoever runs IMPORT FOREIGN SCHEMA runs its event trigger
GRANT EXECUTE ON FUNCTION pipedrive_internal.imported_comments() TO PUBLIC;

-- what the columns of a table make of a record that the caller has already
GRANT EXECUTE ON FUNCTION pipedrive.decode_record(regclass, jsonb, text) TO PUBLIC;

-- the view mirrors: counts only a table that the caller may read
GRANT EXECUTE ON FUNCTION pipedrive_internal.count_rows(regclass) TO PUBLIC;

-- which tables are mirrored, with which columns and views: refresh_schema() must know it whoever
-- runs it, and what a view reads is asked by everybody
GRANT SELECT ON pipedrive_internal.mirror, pipedrive_internal.mirror_column,
    pipedrive_internal.mirror_view, pipedrive_internal.table_columns TO PUBLIC;

-- whoever owns foreign tables keeps them up to the account, with his own token
GRANT EXECUTE ON FUNCTION
    pipedrive.field_changes(regnamespace),
    pipedrive.refresh_schema(regnamespace, boolean, boolean),
    -- what these two call
    pipedrive_internal.table_changes(regclass, jsonb), pipedrive_internal.read_fields(name, text),
    pipedrive_internal.stored_fields(name, text),
    pipedrive_internal.keep_fields(name, text, boolean),
    pipedrive_internal.name_columns(text, jsonb, text, text[]),
    pipedrive_internal.option_changes(jsonb, jsonb),
    pipedrive_internal.alter_source(regclass, name, text, boolean),
    pipedrive_internal.spare_name(regclass, name),
    pipedrive_internal.derived_name(text, text, text),
    -- what refresh_schema() names for tables that have a mirror is asked for without one too; the
    -- rest of what a mirror needs has who keeps the mirror
    pipedrive_internal.free_live_column(pipedrive_internal.mirror, name),
    pipedrive_internal.follow_rename(pipedrive_internal.mirror, name, name),
    pipedrive_internal.follow_source(integer)
    TO PUBLIC;

-- the view left_out_columns, which is for everybody: a function in a view runs as who reads it
GRANT SELECT ON pipedrive.left_out_columns TO PUBLIC;
GRANT EXECUTE ON FUNCTION pipedrive_internal.mirror_columns(regclass) TO PUBLIC;

-- the view tracked_views, which is for everybody; the first two run as their owner, and tell what
-- the catalogue tells, the third is what the view makes of an SQLSTATE
GRANT SELECT ON pipedrive.tracked_views TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    pipedrive_internal.view_inputs(regclass), pipedrive_internal.refresh_reason(regclass),
    pipedrive_internal.condition(text)
    TO PUBLIC;

-- the views <table>_live: a function in a view runs as who reads the view. It runs as its owner,
-- and tells that an account was not asked about
GRANT EXECUTE ON FUNCTION pipedrive_internal.reads_own_account(integer, name) TO PUBLIC;
