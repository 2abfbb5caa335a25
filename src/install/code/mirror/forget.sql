-- Mirrors and their columns that are dropped, and what is kept of a mirror that ends.

-- A column that is dropped is not ours any more: the next one of its name is somebody else's.
CREATE OR REPLACE FUNCTION pipedrive_internal.forget_column(relation oid, dropped text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pipedrive_internal.mirror_column k USING pipedrive_internal.mirror m
     WHERE m.target = relation AND k.mirror_id = m.mirror_id AND k.column_name = dropped;
    UPDATE pipedrive_internal.mirror m SET former_columns = array_remove(m.former_columns, dropped::name)
     WHERE m.target = relation AND dropped = ANY (m.former_columns);
    UPDATE pipedrive_internal.detached_mirror d SET columns = array_remove(d.columns, dropped::name)
     WHERE d.target = relation AND dropped = ANY (d.columns)
$$;
COMMENT ON FUNCTION pipedrive_internal.forget_column(oid, text) IS
    'forgets a column of a mirror, or of what was one';

-- A mirror whose tables are dropped is no mirror any more.
CREATE OR REPLACE FUNCTION pipedrive_internal.forget_mirror() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive_internal.mirror m
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid IN (m.source::oid, m.target::oid);
    DELETE FROM pipedrive_internal.mirror_view v
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objid = v.view;
    DELETE FROM pipedrive_internal.detached_mirror x
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid = x.target;
    DELETE FROM pipedrive_internal.detached_view v
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objid = v.view;
    PERFORM pipedrive_internal.forget_column(d.objid, d.address_names[3])
       FROM pg_event_trigger_dropped_objects() d
      WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.forget_mirror() IS
    'event trigger function: forgets mirrors whose foreign or local table was dropped';
DROP EVENT TRIGGER IF EXISTS pipedrive_forget_mirror;
CREATE EVENT TRIGGER pipedrive_forget_mirror ON sql_drop
    WHEN TAG IN ('DROP SERVER', 'DROP FOREIGN TABLE', 'ALTER TABLE', 'DROP TABLE', 'DROP VIEW', 'DROP TYPE', 'DROP DOMAIN', 'DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION') EXECUTE FUNCTION pipedrive_internal.forget_mirror();
COMMENT ON EVENT TRIGGER pipedrive_forget_mirror IS
    'forgets mirrors whose foreign or local table was dropped';

CREATE OR REPLACE FUNCTION pipedrive_internal.detach_mirror() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_RELID <> 'pipedrive_internal.mirror'::regclass THEN -- it runs with the rights of its owner
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'this trigger belongs to pipedrive_internal.mirror alone';
    END IF;
    DELETE FROM pipedrive_internal.detached_mirror d WHERE d.target = old.target;
    INSERT INTO pipedrive_internal.detached_mirror (target, mirror_id, entity, columns, company_id,
                                           last_sync)
    SELECT old.target, old.mirror_id, old.entity,
           ARRAY(SELECT k.column_name FROM pipedrive_internal.mirror_column k
                  WHERE k.mirror_id = old.mirror_id
                    AND (k.left_out LIKE 'A column of this name %') IS NOT TRUE
                  UNION SELECT unnest(old.former_columns)),
           s.company_id, s.last_sync
      FROM pg_class c
      LEFT JOIN pipedrive_internal.mirror_state s ON s.mirror_id = old.mirror_id
     WHERE c.oid = old.target AND c.relkind = 'r';
    INSERT INTO pipedrive_internal.detached_view (view, target, kind)
    SELECT v.view, old.target, v.kind
      FROM pipedrive_internal.mirror_view v
      JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v'
      JOIN pipedrive_internal.detached_mirror d ON d.target = old.target
     WHERE v.mirror_id = old.mirror_id
        ON CONFLICT (view) DO UPDATE SET target = excluded.target, kind = excluded.kind;
    RETURN old;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.detach_mirror() IS
    'trigger function: keeps what attach_mirror() needs';
DROP TRIGGER IF EXISTS detach ON pipedrive_internal.mirror;
CREATE TRIGGER detach BEFORE DELETE ON pipedrive_internal.mirror FOR EACH ROW EXECUTE FUNCTION pipedrive_internal.detach_mirror();
COMMENT ON TRIGGER detach ON pipedrive_internal.mirror IS 'keeps what attach_mirror() needs';
