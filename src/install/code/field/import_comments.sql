-- IMPORT FOREIGN SCHEMA can only create tables; this adds the comments afterwards.

CREATE OR REPLACE FUNCTION pipedrive_internal.imported_comments() RETURNS jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_imported_comments';
COMMENT ON FUNCTION pipedrive_internal.imported_comments() IS
    'comments for the tables of this session''s last IMPORT FOREIGN SCHEMA, once';

CREATE OR REPLACE FUNCTION pipedrive_internal.comment_imported() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target record;
BEGIN
    FOR target IN
        SELECT c.oid::regclass AS relation, i.column_name, i.comment
          FROM jsonb_to_recordset(pipedrive_internal.imported_comments())
               AS i (table_name text, column_name text, comment text)
          JOIN pg_event_trigger_ddl_commands() AS d ON d.object_type = 'foreign table'
          JOIN pg_class AS c ON c.oid = d.objid AND c.relname = i.table_name
          JOIN pg_foreign_table AS t ON t.ftrelid = c.oid
          JOIN pg_foreign_server AS s ON s.oid = t.ftserver
          JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw AND w.fdwname = 'pipedrive_fdw'
    LOOP
        IF target.column_name IS NULL THEN
            EXECUTE format('COMMENT ON FOREIGN TABLE %s IS %L', target.relation::regclass,
                           target.comment);
        ELSE
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', target.relation::regclass,
                           target.column_name, target.comment);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.comment_imported() IS
    'event trigger function: comments on tables and columns that IMPORT FOREIGN SCHEMA made';
DROP EVENT TRIGGER IF EXISTS pipedrive_comment_imported;
CREATE EVENT TRIGGER pipedrive_comment_imported ON ddl_command_end
    WHEN TAG IN ('IMPORT FOREIGN SCHEMA') EXECUTE FUNCTION pipedrive_internal.comment_imported();
COMMENT ON EVENT TRIGGER pipedrive_comment_imported IS
    'comments on tables and columns that IMPORT FOREIGN SCHEMA from Pipedrive made';
