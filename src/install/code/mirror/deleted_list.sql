-- The foreign table beside a mirror that lists deleted rows, where the API can.

-- One that an earlier mirror left behind is made anew: it may be of another server.
CREATE OR REPLACE FUNCTION pipedrive_internal.create_deleted_list(entity text, place name[],
                                                                  server name) RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    info pipedrive.entities := (SELECT e FROM pipedrive.entities e
                                 WHERE e.entity = create_deleted_list.entity);
    listed text := format('%I.%I', place[1], pipedrive_internal.derived_name(
                              place[2]::text, '_deleted'::text, '_'::text));
BEGIN
    IF info.deleted_list IS NULL THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM pipedrive_internal.table_columns k
                WHERE k.relation = to_regclass(listed) AND k.entity = info.deleted_list)
       AND NOT EXISTS (SELECT FROM pipedrive_internal.mirror x
                        WHERE x.deleted_source = to_regclass(listed)) THEN
        EXECUTE format('DROP FOREIGN TABLE %s', listed);
    END IF;
    EXECUTE format('CREATE FOREIGN TABLE %s (%I %s, update_time timestamptz, status text,
                                             is_deleted boolean, is_archived boolean)
                    SERVER %I OPTIONS (entity %L)',
                   listed, info.key_column, info.key_type::regtype, server, info.deleted_list);
    EXECUTE format('COMMENT ON FOREIGN TABLE %s IS %L', listed,
                   format('%s deleted in the last 30 days, read by pipedrive.sync()', entity));
    RETURN listed::regclass;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.create_deleted_list(text, name[], name) IS
    'foreign table beside a mirror that lists deleted rows; NULL where the API has no such list';

CREATE OR REPLACE FUNCTION pipedrive_internal.restore_deleted_list(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m record;
BEGIN
    SELECT x.mirror_id, x.target, x.entity, ARRAY[n.nspname, c.relname] AS place, pipedrive_internal.server_of(x.source) AS server INTO m
      FROM pipedrive_internal.mirror x JOIN pg_class c ON c.oid = x.target JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE x.mirror_id = which AND pipedrive_internal.may_write(x.source, x.target)
       AND x.deleted_source IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class d WHERE d.oid = x.deleted_source);
    IF FOUND THEN
        UPDATE pipedrive_internal.mirror x SET deleted_source = pipedrive_internal.create_deleted_list(m.entity, m.place, m.server) WHERE x.mirror_id = which;
    END IF;
EXCEPTION WHEN assert_failure OR OTHERS THEN
    RAISE WARNING USING MESSAGE = format('the list of deleted %s of mirror "%s" is gone, and could not be made again: %s', m.entity, m.target, SQLERRM);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.restore_deleted_list(integer) IS
    'makes the list of deleted rows beside a mirror again where somebody dropped it';
