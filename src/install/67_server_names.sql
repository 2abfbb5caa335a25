-- What is kept by a server's name follows when it is renamed: definitions, logins, webhooks.

CREATE TABLE known_server (
    server_oid oid PRIMARY KEY,
    server name NOT NULL
);
COMMENT ON TABLE known_server IS
    'names of the servers as our tables have them; not in dumps, as a restore makes servers anew';

-- ALTER SERVER does not tell the old name, so it is remembered. A row under the new name can only
-- be a leftover of a dropped server; where it would stand in the way it goes.
CREATE FUNCTION _follow_server() RETURNS event_trigger
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
               LEFT JOIN pipedrive.known_server k ON k.server_oid = f.oid LOOP
        FOR t, key IN
                 SELECT c.oid, EXISTS (SELECT FROM pg_index i
                                        WHERE i.indrelid = c.oid AND i.indisunique
                                          AND a.attnum = ANY (i.indkey))
                   FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                  WHERE c.relnamespace = 'pipedrive'::regnamespace AND c.relkind = 'r'
                    AND a.attname = 'server' AND a.atttypid = 'name'::regtype
                    AND c.relname <> 'known_server' AND s.old_name <> s.new_name LOOP
            IF key THEN
                EXECUTE format('DELETE FROM %s WHERE server = $1', t) USING s.new_name;
            END IF;
            EXECUTE format('UPDATE %s SET server = $1 WHERE server = $2', t)
              USING s.new_name, s.old_name;
        END LOOP;
        INSERT INTO pipedrive.known_server (server_oid, server) VALUES (s.oid, s.new_name)
            ON CONFLICT (server_oid) DO UPDATE SET server = excluded.server;
    END LOOP;
END
$$;
COMMENT ON FUNCTION _follow_server() IS
    'event trigger function: our rows about a server follow when it is renamed';
CREATE EVENT TRIGGER pipedrive_follow_server ON ddl_command_end
    WHEN TAG IN ('CREATE SERVER', 'ALTER SERVER') EXECUTE FUNCTION _follow_server();
COMMENT ON EVENT TRIGGER pipedrive_follow_server IS
    'our rows about a server follow when it is renamed';
