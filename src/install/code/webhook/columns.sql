-- A mirror's columns in the statements that write events, and what such a write leaves behind.

CREATE OR REPLACE FUNCTION pipedrive_internal.assignments(columns jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT string_agg(format('%1$I = n.%1$I', k), ', ') FROM jsonb_object_keys(columns) AS k);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.assignments(jsonb) IS 'SET list of an UPDATE';

-- Only our columns: one that somebody added may be of a type that does not take NULL.
CREATE OR REPLACE FUNCTION pipedrive_internal.definitions(target regclass, columns jsonb)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT string_agg(format('%I %s', a.attname,
                                              format_type(a.atttypid, a.atttypmod)), ', ')
                       FROM pg_attribute a
                      WHERE a.attrelid = target AND a.attnum > 0 AND columns ? a.attname::text),
                    'nothing boolean');
END
$$;
COMMENT ON FUNCTION pipedrive_internal.definitions(regclass, jsonb) IS
    'those columns of a mirror that an object names, with their types, to read the object as a row';

CREATE OR REPLACE FUNCTION pipedrive_internal.values_of(ours text[], columns jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT string_agg(CASE WHEN columns ? c THEN 'n.' || quote_ident(c) ELSE 'NULL' END,
                              ', ' ORDER BY o)
              FROM unnest(ours) WITH ORDINALITY AS u (c, o));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.values_of(text[], jsonb) IS
    'SELECT list for our columns of a mirror: NULL for those that an object does not name';

-- The row itself where it has no more than that: it is read four times as fast.
CREATE OR REPLACE FUNCTION pipedrive_internal.our_row(m pipedrive_internal.target, ours text[])
RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF m.width = cardinality(ours) + 2 THEN
        RETURN 't';
    END IF;
    RETURN (SELECT format('(SELECT o FROM (SELECT %s) AS o)', string_agg('t.' || quote_ident(c), ', '))
              FROM unnest(ours || '{_synced_at,_source}'::text[]) AS c);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.our_row(pipedrive_internal.target, text[]) IS
    'expression for a row "t" of a mirror without what others added to it';

CREATE OR REPLACE FUNCTION pipedrive_internal.keep_history(
    m pipedrive_internal.target, id text, old jsonb, delta jsonb, changed_at timestamptz)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
    SELECT m.mirror_id, m.entity, keep_history.id, d.field, d.old_value, d.new_value, keep_history.changed_at, 'webhook'
      FROM pipedrive_internal.field_changes(m.mirror_id, keep_history.id, old, delta) AS d;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.keep_history(pipedrive_internal.target, text, jsonb, jsonb, timestamptz) IS
    'writes the changes of one row into the history';

CREATE OR REPLACE FUNCTION pipedrive_internal.settle_event(
    m pipedrive_internal.target, ids text[], written bigint, carried jsonb DEFAULT NULL,
    made text[] DEFAULT NULL, ours text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive_internal.refetch AS r (mirror_id, id, reason, unfilled)
    SELECT m.mirror_id, u.i, 'webhook', CASE WHEN u.i = ANY (made) THEN to_jsonb(ours) - ARRAY(SELECT jsonb_object_keys(carried -> u.i)) END
      FROM (SELECT DISTINCT i FROM unnest(ids) AS i) AS u ORDER BY length(u.i), u.i COLLATE "C"
    ON CONFLICT ON CONSTRAINT refetch_pkey DO UPDATE
       SET requested_at = excluded.requested_at, arrival = excluded.arrival, reason = excluded.reason, held = false,
           unfilled = CASE WHEN excluded.unfilled IS NOT NULL THEN excluded.unfilled
                           WHEN r.unfilled IS NOT NULL THEN r.unfilled - ARRAY(SELECT jsonb_object_keys(carried -> excluded.id)) END;
    PERFORM pipedrive_internal.note_event(m.mirror_id, written, clock_timestamp());
END
$$;
COMMENT ON FUNCTION pipedrive_internal.settle_event(
        pipedrive_internal.target, text[], bigint, jsonb, text[], text[]) IS
    'has the next sync read rows by id, and says that a mirror got events; carried: what was '
    'written, by id; made: rows that were not there, with the columns that are ours';

-- It is settled: to try again would come to the same.
CREATE OR REPLACE FUNCTION pipedrive_internal.kept_out() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'applied: a trigger or policy of the table kept the change out'
$$;
COMMENT ON FUNCTION pipedrive_internal.kept_out() IS
    'outcome of an event that the owner of a mirror does not want';
