-- The way back in: a table that was a mirror is one again, with its history.

CREATE TABLE detached_mirror (
    target regclass PRIMARY KEY,
    mirror_id integer NOT NULL,
    entity text NOT NULL,
    columns name[] NOT NULL,
    company_id text,
    last_sync timestamptz,
    detached_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE detached_mirror IS
    'tables that were mirrors and are still there: what attach_mirror() goes on with';
COMMENT ON COLUMN detached_mirror.mirror_id IS 'number under which their history is in changes';
COMMENT ON COLUMN detached_mirror.columns IS 'columns that were ours';
COMMENT ON COLUMN detached_mirror.company_id IS 'company whose rows it holds, if that is known';
SELECT pg_catalog.pg_extension_config_dump('detached_mirror', '');

CREATE TABLE detached_view (
    view regclass PRIMARY KEY,
    target regclass NOT NULL REFERENCES detached_mirror ON DELETE CASCADE,
    kind text NOT NULL
);
COMMENT ON TABLE detached_view IS 'views beside tables that were mirrors, whatever they are called by now';
SELECT pg_catalog.pg_extension_config_dump('detached_view', '');

CREATE FUNCTION _detach_mirror() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_RELID <> 'pipedrive.mirror'::regclass THEN -- it runs with the rights of its owner
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'this trigger belongs to pipedrive.mirror alone';
    END IF;
    DELETE FROM pipedrive.detached_mirror d WHERE d.target = old.target;
    INSERT INTO pipedrive.detached_mirror (target, mirror_id, entity, columns, company_id,
                                           last_sync)
    SELECT old.target, old.mirror_id, old.entity,
           ARRAY(SELECT k.column_name FROM pipedrive.mirror_column k
                  WHERE k.mirror_id = old.mirror_id
                    AND (k.left_out LIKE 'A column of this name %') IS NOT TRUE
                  UNION SELECT unnest(old.former_columns)),
           s.company_id, s.last_sync
      FROM pg_class c
      LEFT JOIN pipedrive.mirror_state s ON s.mirror_id = old.mirror_id
     WHERE c.oid = old.target AND c.relkind = 'r';
    INSERT INTO pipedrive.detached_view (view, target, kind)
    SELECT v.view, old.target, v.kind
      FROM pipedrive.mirror_view v
      JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v'
      JOIN pipedrive.detached_mirror d ON d.target = old.target
     WHERE v.mirror_id = old.mirror_id
        ON CONFLICT (view) DO UPDATE SET target = excluded.target, kind = excluded.kind;
    RETURN old;
END
$$;
COMMENT ON FUNCTION _detach_mirror() IS 'trigger function: keeps what attach_mirror() needs';
CREATE TRIGGER detach BEFORE DELETE ON mirror FOR EACH ROW EXECUTE FUNCTION _detach_mirror();
COMMENT ON TRIGGER detach ON mirror IS 'keeps what attach_mirror() needs';

CREATE FUNCTION _refuse_target(source regclass, target regclass, entity text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text := (
        SELECT CASE
               WHEN c.relpersistence = 't' THEN 'It is temporary.'
               WHEN c.relkind <> 'r' OR EXISTS (SELECT FROM pg_inherits i
                                                 WHERE c.oid IN (i.inhrelid, i.inhparent))
                   THEN 'It is not a plain table.'
               WHEN c.relpersistence = 'u'
                   THEN 'It is unlogged: a crash would empty it, and no sync would know.'
               WHEN EXISTS (SELECT FROM pipedrive.mirror m WHERE m.target = c.oid)
                   THEN 'It is a mirror already.'
               WHEN (SELECT d.entity FROM pipedrive.detached_mirror d
                      WHERE d.target = c.oid) <> entity
                   THEN 'It was a mirror of other records.'
               ELSE coalesce(pipedrive._unwritable(c.oid, false),
                   (SELECT format('Its column "%s" has to be filled, and has no default.',
                                  min(a.attname::text))
                      FROM pg_attribute a
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull
                       AND NOT a.atthasdef AND a.attidentity = ''
                       AND NOT EXISTS (SELECT FROM pg_attribute s
                                        WHERE s.attrelid = source AND s.attname = a.attname)
                    HAVING count(*) > 0)) END
          FROM pg_class c WHERE c.oid = target);
BEGIN
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', DETAIL = reason,
            MESSAGE = format('"%s" cannot be made a mirror of %s', target, entity);
    END IF;
END
$$;
COMMENT ON FUNCTION _refuse_target(regclass, regclass, text) IS
    'the error for a table that cannot be a mirror of a foreign table';

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
       AND t.attidentity <> 'a'
       AND (were_ours IS NULL OR t.attname = ANY (were_ours));
    UPDATE pipedrive.mirror x
       SET former_columns = ARRAY(SELECT c FROM unnest(were_ours) AS c
                                   WHERE NOT EXISTS (SELECT FROM pipedrive.mirror_column k
                                                      WHERE k.mirror_id = m.mirror_id
                                                        AND k.column_name = c))
     WHERE x.mirror_id = m.mirror_id;
END
$$;
COMMENT ON FUNCTION _adopt_columns(pipedrive.mirror, name[]) IS
    'which columns of an attached table are ours';

CREATE FUNCTION _adopt_views(m pipedrive.mirror, views regclass[], kinds text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    field text;
BEGIN
    INSERT INTO pipedrive.mirror_view (view, mirror_id, kind)
    SELECT c.oid, m.mirror_id, v.kind
      FROM unnest(views, kinds) AS v (view, kind)
      JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v'
        ON CONFLICT DO NOTHING;
    FOREACH field IN ARRAY ARRAY['stage_id', 'owner_id'] LOOP
        IF m.entity = 'deals' AND pipedrive._mirror_view(m.mirror_id, field) IS NULL
           AND ARRAY[field, 'add_time'] <@ pipedrive._mirror_columns(m.target) THEN
            PERFORM pipedrive._create_history_view(m, field);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION _adopt_views(pipedrive.mirror, regclass[], text[]) IS
    'views that were beside an attached table are again; the others are made';

-- It may have to be asked whose account the server shows.
CREATE FUNCTION _refuse_company(m pipedrive.mirror, held text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pipedrive.mirror_state s SET company_id = held WHERE s.mirror_id = m.mirror_id;
    PERFORM pipedrive._check_mirror(m);
    IF (SELECT s.company_id FROM pipedrive.mirror_state s
         WHERE s.mirror_id = m.mirror_id) <> held THEN -- it is empty, but its history is not
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('"%s" was a mirror of another company', m.target);
    END IF;
END
$$;
COMMENT ON FUNCTION _refuse_company(pipedrive.mirror, text) IS
    'the error for a table that holds rows of another company than its server shows';

CREATE FUNCTION attach_mirror(source regclass, target regclass, history regclass DEFAULT NULL)
RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    info record;
    known pipedrive.detached_mirror;
    views regclass[];
    kinds text[];
    m pipedrive.mirror;
    which integer;
BEGIN
    SELECT * INTO info FROM pipedrive._mirror_source(source);
    PERFORM pipedrive._refuse_target(source, target, info.entity);
    SELECT array_agg(v.view), array_agg(v.kind) INTO views, kinds
      FROM pipedrive.detached_view v WHERE v.target = attach_mirror.target;
    DELETE FROM pipedrive.detached_mirror d WHERE d.target = attach_mirror.target
     RETURNING d.* INTO known;
    which := pipedrive._begin_mirror(source, target, info.entity, info.server, known.mirror_id);
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    IF known.company_id IS NOT NULL THEN
        PERFORM pipedrive._refuse_company(m, known.company_id);
    END IF;
    PERFORM pipedrive._adopt_columns(m, known.columns);
    IF history IS NOT NULL THEN
        PERFORM pipedrive._adopt_history(m, history);
    END IF;
    PERFORM pipedrive._adopt_views(m, views, kinds);
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
