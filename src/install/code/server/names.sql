-- Servers by their names: what is kept by a name follows when the server is renamed, and goes when
-- it is dropped.

CREATE OR REPLACE FUNCTION pipedrive_internal.existing_server(server name) RETURNS name
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF server IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_foreign_server s
          JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwname = 'pipedrive_fdw'
         WHERE s.srvname = existing_server.server) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('server "%s" does not exist', server);
    END IF;
    RETURN server;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.existing_server(name) IS
    'the name of a Pipedrive server, or NULL; else an error';

-- ALTER SERVER does not tell the old name, so it is remembered. A row under the new name can only
-- be a leftover of a dropped server; where it would stand in the way it goes.
CREATE OR REPLACE FUNCTION pipedrive_internal.follow_server() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s record;
    t regclass;
    key boolean;
BEGIN
    FOR s IN SELECT f.oid, f.srvname AS new_name, k.server AS old_name
               FROM pg_event_trigger_ddl_commands() d
               JOIN pg_foreign_server f
                 ON d.classid = 'pg_foreign_server'::regclass AND f.oid = d.objid
               JOIN pg_foreign_data_wrapper w ON w.oid = f.srvfdw AND w.fdwname = 'pipedrive_fdw'
               LEFT JOIN pipedrive_internal.known_server k ON k.server_oid = f.oid LOOP
        FOR t, key IN
                 SELECT c.oid::regclass,
                        EXISTS (SELECT FROM pg_index i
                                 WHERE i.indrelid = c.oid AND i.indisunique
                                   AND a.attnum = ANY (i.indkey))
                   FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                  WHERE c.relnamespace IN ('pipedrive'::regnamespace,
                                           'pipedrive_internal'::regnamespace)
                    AND c.relkind = 'r' AND a.attname = 'server' AND a.atttypid = 'name'::regtype
                    AND c.relname <> 'known_server' AND s.old_name <> s.new_name LOOP
            IF key THEN
                EXECUTE format('DELETE FROM %s WHERE server = $1', t) USING s.new_name;
            END IF;
            EXECUTE format('UPDATE %s SET server = $1 WHERE server = $2', t)
              USING s.new_name, s.old_name;
        END LOOP;
        INSERT INTO pipedrive_internal.known_server (server_oid, server) VALUES (s.oid, s.new_name)
            ON CONFLICT (server_oid) DO UPDATE SET server = excluded.server;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.follow_server() IS
    'event trigger function: our rows about a server follow when it is renamed';
DROP EVENT TRIGGER IF EXISTS pipedrive_follow_server;
CREATE EVENT TRIGGER pipedrive_follow_server ON ddl_command_end
    WHEN TAG IN ('CREATE SERVER', 'ALTER SERVER')
    EXECUTE FUNCTION pipedrive_internal.follow_server();
COMMENT ON EVENT TRIGGER pipedrive_follow_server IS
    'our rows about a server follow when it is renamed';

CREATE OR REPLACE FUNCTION pipedrive_internal.forget_server() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive_internal.fields f
     USING pg_event_trigger_dropped_objects() d
     WHERE d.object_type = 'server' AND f.server = d.object_name::name;
    DELETE FROM pipedrive_internal.server_company c
     USING pg_event_trigger_dropped_objects() d
     WHERE d.object_type = 'server' AND c.server = d.object_name::name;
    DELETE FROM pipedrive_internal.server_account a
     USING pg_event_trigger_dropped_objects() d
     WHERE d.object_type = 'server' AND a.server = d.object_name::name;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.forget_server() IS
    'event trigger function: forgets the field definitions and the company of dropped servers';
DROP EVENT TRIGGER IF EXISTS pipedrive_forget_server;
CREATE EVENT TRIGGER pipedrive_forget_server ON sql_drop
    WHEN TAG IN ('DROP SERVER', 'DROP EXTENSION', 'DROP OWNED')
    EXECUTE FUNCTION pipedrive_internal.forget_server();
COMMENT ON EVENT TRIGGER pipedrive_forget_server IS
    'forgets the field definitions and the company of dropped servers';
