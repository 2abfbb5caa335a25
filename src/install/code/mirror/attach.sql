-- The way back in: a table that was a mirror is one again, with its history.

CREATE OR REPLACE FUNCTION pipedrive_internal.refuse_target(
    source regclass, target regclass, entity text)
RETURNS void
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
               WHEN EXISTS (SELECT FROM pipedrive_internal.mirror m WHERE m.target = c.oid)
                   THEN 'It is a mirror already.'
               WHEN (SELECT d.entity FROM pipedrive_internal.detached_mirror d
                      WHERE d.target = c.oid) <> k.entity
                   THEN 'It was a mirror of other records.'
               ELSE coalesce(pipedrive_internal.unwritable(c.oid, k.key_column, k.key_type::regtype, false),
                   (SELECT format('Its column "%s" has to be filled, and has no default.',
                                  min(a.attname::text))
                      FROM pg_attribute a
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull
                       AND NOT a.atthasdef AND a.attidentity = ''
                       AND NOT EXISTS (SELECT FROM pg_attribute s
                                        WHERE s.attrelid = source AND s.attname = a.attname)
                    HAVING count(*) > 0)) END
          FROM pg_class c
          JOIN pipedrive.entities k ON k.entity = refuse_target.entity
         WHERE c.oid = target);
BEGIN
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', DETAIL = reason,
            MESSAGE = format('"%s" cannot be made a mirror of %s', target, entity);
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.refuse_target(regclass, regclass, text) IS
    'the error for a table that cannot be a mirror of a foreign table';

CREATE OR REPLACE FUNCTION pipedrive_internal.adopt_history(
    m pipedrive_internal.mirror, history regclass)
RETURNS bigint
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
                    SELECT $1, entity, id::text, field, old_value, new_value,
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
COMMENT ON FUNCTION pipedrive_internal.adopt_history(pipedrive_internal.mirror, regclass) IS
    'takes the rows of a copy of pipedrive.changes over for a mirror, in their order; how many';

-- Columns that were ours, or that nothing is known of, are ours if they have the name of one of the
-- foreign table; follow_source() sets aside those of another type, and adds what is missing.
CREATE OR REPLACE FUNCTION pipedrive_internal.adopt_columns(
    m pipedrive_internal.mirror, were_ours name[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s
                    ADD COLUMN IF NOT EXISTS _synced_at timestamptz NOT NULL DEFAULT now(),
                    ADD COLUMN IF NOT EXISTS _source text NOT NULL DEFAULT ''sync''', m.target);
    INSERT INTO pipedrive_internal.mirror_column (mirror_id, column_name, type)
    SELECT m.mirror_id, t.attname, t.atttypid
      FROM pg_attribute t
      JOIN pg_attribute s ON s.attrelid = m.source AND s.attname = t.attname
     WHERE t.attrelid = m.target AND t.attnum > 0 AND t.attgenerated = ''
       AND t.attidentity <> 'a'
       AND (were_ours IS NULL OR t.attname = ANY (were_ours));
    UPDATE pipedrive_internal.mirror x
       SET former_columns = ARRAY(SELECT c FROM unnest(were_ours) AS c
                                   WHERE NOT EXISTS (SELECT FROM pipedrive_internal.mirror_column k
                                                      WHERE k.mirror_id = m.mirror_id
                                                        AND k.column_name = c))
     WHERE x.mirror_id = m.mirror_id;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.adopt_columns(pipedrive_internal.mirror, name[]) IS
    'which columns of an attached table are ours';

CREATE OR REPLACE FUNCTION pipedrive_internal.adopt_views(
    m pipedrive_internal.mirror, views regclass[], kinds text[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive_internal.mirror_view (view, mirror_id, kind)
    SELECT c.oid, m.mirror_id, v.kind
      FROM unnest(views, kinds) AS v (view, kind)
      JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v'
        ON CONFLICT DO NOTHING;
    PERFORM pipedrive_internal.create_history_views(m);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.adopt_views(pipedrive_internal.mirror, regclass[], text[]) IS
    'views that were beside an attached table are again; the others are made';

-- It may have to be asked whose account the server shows.
CREATE OR REPLACE FUNCTION pipedrive_internal.refuse_company(m pipedrive_internal.mirror, held text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pipedrive_internal.mirror_state s SET company_id = held WHERE s.mirror_id = m.mirror_id;
    PERFORM pipedrive_internal.check_mirror(m);
    IF (SELECT s.company_id FROM pipedrive_internal.mirror_state s
         WHERE s.mirror_id = m.mirror_id) <> held THEN -- it is empty, but its history is not
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('"%s" was a mirror of another company', m.target);
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.refuse_company(pipedrive_internal.mirror, text) IS
    'the error for a table that holds rows of another company than its server shows';

CREATE OR REPLACE FUNCTION pipedrive.attach_mirror(
    source regclass, target regclass, history regclass DEFAULT NULL)
RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    info record;
    known pipedrive_internal.detached_mirror;
    views regclass[];
    kinds text[];
    m pipedrive_internal.mirror;
    which integer;
BEGIN
    SELECT * INTO info FROM pipedrive_internal.mirror_source(source);
    PERFORM pipedrive_internal.refuse_target(source, target, info.entity);
    SELECT array_agg(v.view), array_agg(v.kind) INTO views, kinds
      FROM pipedrive_internal.detached_view v WHERE v.target = attach_mirror.target;
    DELETE FROM pipedrive_internal.detached_mirror d WHERE d.target = attach_mirror.target
     RETURNING d.* INTO known;
    which := pipedrive_internal.begin_mirror(source, target, info.entity, info.server, known.mirror_id);
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    IF known.company_id IS NOT NULL THEN
        PERFORM pipedrive_internal.refuse_company(m, known.company_id);
    END IF;
    PERFORM pipedrive_internal.adopt_columns(m, known.columns);
    IF history IS NOT NULL THEN
        PERFORM pipedrive_internal.adopt_history(m, history);
    END IF;
    PERFORM pipedrive_internal.adopt_views(m, views, kinds);
    PERFORM pipedrive_internal.follow_source(m.mirror_id);
    -- not a first load: the next run compares every row, and what differs is history
    UPDATE pipedrive_internal.mirror_state s SET last_sync = coalesce(known.last_sync, now()), loaded = false
     WHERE s.mirror_id = m.mirror_id;
    RAISE NOTICE USING MESSAGE = format('mirror "%s" is attached', target),
        DETAIL = 'The next sync reads everything once and records what has changed.',
        HINT = format('CALL pipedrive.reconcile(%L) finds rows that were deleted meanwhile.',
                      target);
    RETURN target;
END
$$;
COMMENT ON FUNCTION pipedrive.attach_mirror(regclass, regclass, regclass) IS
    'makes a table a mirror again that was one before drop_mirror(drop_table => false), a new '
    'IMPORT or DROP EXTENSION; with its history, or that in a copy of pipedrive.changes';
