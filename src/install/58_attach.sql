-- The way back in: a table that was a mirror is one again, with its history.

CREATE TABLE detached_mirror (
    target regclass PRIMARY KEY,
    mirror_id integer NOT NULL,
    entity text NOT NULL,
    columns name[] NOT NULL,
    views jsonb NOT NULL,
    last_sync timestamptz,
    detached_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE detached_mirror IS
    'tables that were mirrors and are still there: what attach_mirror() goes on with';
COMMENT ON COLUMN detached_mirror.mirror_id IS 'number under which their history is in changes';
COMMENT ON COLUMN detached_mirror.columns IS 'columns that were ours';
COMMENT ON COLUMN detached_mirror.views IS 'views beside it by kind';
SELECT pg_catalog.pg_extension_config_dump('detached_mirror', '');

CREATE FUNCTION _detach_mirror() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_RELID <> 'pipedrive.mirror'::regclass THEN -- it runs with the rights of its owner
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'this trigger belongs to pipedrive.mirror alone';
    END IF;
    DELETE FROM pipedrive.detached_mirror d WHERE d.target = old.target;
    INSERT INTO pipedrive.detached_mirror (target, mirror_id, entity, columns, views, last_sync)
    SELECT old.target, old.mirror_id, old.entity,
           ARRAY(SELECT k.column_name FROM pipedrive.mirror_column k
                  WHERE k.mirror_id = old.mirror_id),
           coalesce((SELECT jsonb_object_agg(v.kind, v.view::text)
                       FROM pipedrive.mirror_view v JOIN pg_class k ON k.oid = v.view
                      WHERE v.mirror_id = old.mirror_id), '{}'),
           (SELECT s.last_sync FROM pipedrive.mirror_state s WHERE s.mirror_id = old.mirror_id)
      FROM pg_class c WHERE c.oid = old.target AND c.relkind = 'r';
    RETURN old;
END
$$;
COMMENT ON FUNCTION _detach_mirror() IS 'trigger function: keeps what attach_mirror() needs';
CREATE TRIGGER detach BEFORE DELETE ON mirror FOR EACH ROW EXECUTE FUNCTION _detach_mirror();
COMMENT ON TRIGGER detach ON mirror IS 'keeps what attach_mirror() needs';

CREATE FUNCTION _refuse_target(target regclass, entity text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text := (
        SELECT CASE
               WHEN c.relkind <> 'r' OR c.relpersistence = 't' THEN 'It is not a plain table.'
               WHEN EXISTS (SELECT FROM pipedrive.mirror m WHERE m.target = c.oid)
                   THEN 'It is a mirror already.'
               WHEN (SELECT d.entity FROM pipedrive.detached_mirror d
                      WHERE d.target = c.oid) <> entity
                   THEN 'It was a mirror of other records.'
               WHEN NOT EXISTS (SELECT FROM pg_attribute a
                                  JOIN pg_index i
                                    ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
                                 WHERE a.attrelid = c.oid AND a.attname = 'id'
                                   AND a.atttypid = 'bigint'::regtype
                                   AND i.indisunique AND i.indimmediate AND i.indisvalid
                                   AND i.indnkeyatts = 1 AND i.indpred IS NULL)
                   THEN 'It has no bigint column "id" with a primary key or unique index.' END
          FROM pg_class c WHERE c.oid = target);
BEGIN
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', DETAIL = reason,
            MESSAGE = format('"%s" cannot be made a mirror of %s', target, entity);
    END IF;
END
$$;
COMMENT ON FUNCTION _refuse_target(regclass, text) IS
    'the error for a table that cannot be attached';

CREATE FUNCTION _adopt_history(m pipedrive.mirror, history regclass) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mirrors bigint;
    adopted bigint;
BEGIN
    EXECUTE format('SELECT count(DISTINCT mirror_id) FROM %s WHERE entity = $1', history)
       INTO mirrors USING m.entity;
    IF mirrors > 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('"%s" holds the history of several mirrors of %s', history, m.entity),
            HINT = 'Give a view of the rows with one mirror_id.';
    ELSIF EXISTS (SELECT FROM pipedrive.changes c WHERE c.mirror_id = m.mirror_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the history of "%s" is still in pipedrive.changes', m.target),
            HINT = 'Leave out the third argument.';
    END IF;
    -- numbered anew: the counter of this database may be behind that of the copy's, and a copy of
    -- an older version has none
    EXECUTE format('INSERT INTO pipedrive.changes
                           (mirror_id, entity, id, field, old_value, new_value,
                            changed_at, change_source, recorded_at)
                    SELECT $1, entity, id, field, old_value, new_value,
                           changed_at, change_source, recorded_at
                      FROM %s WHERE entity = $2 ORDER BY %s', history,
                   CASE WHEN EXISTS (SELECT FROM pg_attribute a
                                      WHERE a.attrelid = history AND a.attname = 'arrival'
                                        AND NOT a.attisdropped)
                        THEN 'arrival' ELSE 'recorded_at' END)
      USING m.mirror_id, m.entity;
    GET DIAGNOSTICS adopted = ROW_COUNT;
    RETURN adopted;
END
$$;
COMMENT ON FUNCTION _adopt_history(pipedrive.mirror, regclass) IS
    'takes the rows of a copy of pipedrive.changes over for a mirror, in their order; how many';

-- Columns that were ours, or that nothing is known of, are ours if they have the name of one of the
-- foreign table; _follow_source() sets aside those of another type, and adds what is missing.
CREATE FUNCTION _adopt_columns(m pipedrive.mirror, were_ours name[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s
                    ADD COLUMN IF NOT EXISTS _synced_at timestamptz NOT NULL DEFAULT now(),
                    ADD COLUMN IF NOT EXISTS _source text NOT NULL DEFAULT ''sync''', m.target);
    INSERT INTO pipedrive.mirror_column (mirror_id, column_name, type)
    SELECT m.mirror_id, t.attname, t.atttypid
      FROM pg_attribute t
      JOIN pg_attribute s ON s.attrelid = m.source AND s.attname = t.attname
     WHERE t.attrelid = m.target AND t.attnum > 0 AND t.attgenerated = ''
       AND (were_ours IS NULL OR t.attname = ANY (were_ours));
END
$$;
COMMENT ON FUNCTION _adopt_columns(pipedrive.mirror, name[]) IS
    'which columns of an attached table are ours';

CREATE FUNCTION _adopt_views(m pipedrive.mirror, views jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    field text;
BEGIN
    INSERT INTO pipedrive.mirror_view (view, mirror_id, kind)
    SELECT c.oid, m.mirror_id, v.key
      FROM jsonb_each_text(views) AS v
      JOIN pg_class c ON c.oid = to_regclass(v.value) AND c.relkind = 'v'
        ON CONFLICT DO NOTHING;
    FOREACH field IN ARRAY ARRAY['stage_id', 'owner_id'] LOOP
        IF m.entity = 'deals' AND pipedrive._mirror_view(m.mirror_id, field) IS NULL
           AND ARRAY[field, 'add_time'] <@ pipedrive._mirror_columns(m.target) THEN
            PERFORM pipedrive._create_history_view(m, field);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION _adopt_views(pipedrive.mirror, jsonb) IS
    'views that were beside an attached table are again; the others are made';

CREATE FUNCTION attach_mirror(source regclass, target regclass, history regclass DEFAULT NULL)
RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    info record;
    known pipedrive.detached_mirror;
    m pipedrive.mirror;
    which integer;
BEGIN
    SELECT * INTO info FROM pipedrive._mirror_source(source);
    PERFORM pipedrive._refuse_target(target, info.entity);
    DELETE FROM pipedrive.detached_mirror d WHERE d.target = attach_mirror.target
     RETURNING d.* INTO known;
    which := pipedrive._begin_mirror(source, target, info.entity, info.server, known.mirror_id);
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive._adopt_columns(m, known.columns);
    IF history IS NOT NULL THEN
        PERFORM pipedrive._adopt_history(m, history);
    END IF;
    PERFORM pipedrive._adopt_views(m, coalesce(known.views, '{}'));
    PERFORM pipedrive._follow_source(m.mirror_id);
    -- not a first load: the next run compares every row, and what differs is history
    UPDATE pipedrive.mirror_state s SET last_sync = coalesce(known.last_sync, now()), loaded = false
     WHERE s.mirror_id = m.mirror_id;
    RAISE NOTICE USING MESSAGE = format('mirror "%s" is attached', target),
        DETAIL = 'The next sync reads everything once and records what has changed.',
        HINT = format('CALL pipedrive.reconcile(%L) finds rows that were deleted meanwhile.',
                      target);
    RETURN target;
END
$$;
COMMENT ON FUNCTION attach_mirror(regclass, regclass, regclass) IS
    'makes a table a mirror again that was one before drop_mirror(drop_table => false), a new '
    'IMPORT or DROP EXTENSION; with its history, or that in a copy of pipedrive.changes';
