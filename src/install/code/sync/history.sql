-- The history of a mirror's rows, and the count of their changes.

CREATE OR REPLACE FUNCTION pipedrive_internal.note_event(
    mirror_id integer, n bigint, at timestamptz)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive_internal.mirror_event AS v (mirror_id, slot, changes, last_event) VALUES (note_event.mirror_id, pg_catalog.pg_backend_pid() % 64, n, at)
    ON CONFLICT ON CONSTRAINT mirror_event_pkey DO UPDATE SET changes = v.changes + excluded.changes, last_event = coalesce(excluded.last_event, v.last_event);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.note_event(integer, bigint, timestamptz) IS
    'counts changed rows of a mirror, and says when it got an event';

-- Not in mirror_state: a sync holds that row while it reads from the API.
CREATE OR REPLACE FUNCTION pipedrive_internal.record_change_count(which integer, n bigint)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pipedrive_internal.note_event(which, n, NULL::timestamptz) WHERE n > 0
$$;
COMMENT ON FUNCTION pipedrive_internal.record_change_count(integer, bigint) IS
    'counts changed rows of a mirror, so that views know that they are out of date';

CREATE OR REPLACE FUNCTION pipedrive_internal.change_serial(mirror_id integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT s.change_serial FROM pipedrive_internal.mirror_state s WHERE s.mirror_id = $1)
           + coalesce((SELECT pg_catalog.sum(v.changes) FROM pipedrive_internal.mirror_event v WHERE v.mirror_id = $1), 0)::bigint
$$;
COMMENT ON FUNCTION pipedrive_internal.change_serial(integer) IS
    'grows with every change of a mirror';

-- A column that is being filled for the first time has no old value, so its filling is no change.
-- That a row is there is told by record_creation().
CREATE OR REPLACE FUNCTION pipedrive_internal.field_changes(
    which integer, id text, old_row jsonb, new_row jsonb)
RETURNS TABLE (field text, old_value jsonb, new_value jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT d.key, d.old, d.new
      FROM (SELECT n.key, nullif(old_row -> n.key, 'null') AS old, nullif(n.value, 'null') AS new
              FROM jsonb_each(new_row) AS n) AS d
     WHERE d.new IS DISTINCT FROM d.old
       AND d.key NOT IN ('_synced_at', '_source', 'custom_fields', 'update_time', 'modified')
       AND (d.key <> 'is_deleted' OR d.old IS NOT NULL)
       AND NOT EXISTS (SELECT FROM pipedrive_internal.mirror_column k
                        WHERE k.mirror_id = which AND k.column_name = d.key AND k.unfilled)
       AND NOT EXISTS (SELECT FROM pipedrive_internal.refetch r
                        WHERE r.mirror_id = which AND r.id = field_changes.id
                          AND d.old IS NULL AND r.unfilled ? d.key);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.field_changes(integer, text, jsonb, jsonb) IS
    'what the history of a mirror tells of a row that became another: its columns with old and '
    'new value, NULL for none';

-- Not while the first load goes on: what that finds was there before.
CREATE OR REPLACE FUNCTION pipedrive_internal.record_creation(m pipedrive_internal.mirror, ids text[], at timestamptz[],
                                 change_source text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value,
                                   changed_at, change_source)
    SELECT m.mirror_id, m.entity, u.id, 'is_deleted',
           CASE WHEN EXISTS (SELECT FROM pipedrive_internal.tombstone t
                              WHERE t.mirror_id = m.mirror_id AND t.id = u.id)
                THEN 'true'::jsonb END,
           'false', coalesce(u.at, now()), record_creation.change_source
      FROM unnest(ids, record_creation.at) AS u (id, at)
     WHERE EXISTS (SELECT FROM pipedrive_internal.mirror_state s
                    WHERE s.mirror_id = m.mirror_id AND s.last_sync IS NOT NULL)
     ORDER BY length(u.id), u.id COLLATE "C";
    DELETE FROM pipedrive_internal.tombstone t WHERE t.mirror_id = m.mirror_id AND t.id = ANY (ids)
$$;
COMMENT ON FUNCTION
    pipedrive_internal.record_creation(pipedrive_internal.mirror, text[], timestamptz[], text) IS
    'history of rows that are new in a mirror, or back after a deletion';

CREATE OR REPLACE FUNCTION pipedrive_internal.rows_as_they_are(target regclass, ids text[])
RETURNS SETOF pipedrive_internal.row_state
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror := (SELECT x FROM pipedrive_internal.mirror x
                                     WHERE x.target = rows_as_they_are.target);
    kept text[] := pipedrive_internal.mirror_columns(target);
    others text := (SELECT string_agg('t.' || quote_ident(a.attname), ', ' ORDER BY a.attnum)
                      FROM pg_attribute a
                     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
                       AND a.attname::text <> ALL (kept || '{_synced_at,_source}'::text[]));
BEGIN
    RETURN QUERY EXECUTE format('SELECT t.%4$I::text, to_jsonb(o), ROW(%1$s)::text
                                   FROM %2$s t CROSS JOIN LATERAL (SELECT %3$s) AS o
                                  WHERE t.%4$I = ANY ($1::%5$s[])',
                                others, target, pipedrive_internal.column_list(target, 't.'::text),
                                m.key_column, m.key_type) USING ids;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.rows_as_they_are(regclass, text[]) IS
    'rows of a mirror by id';

-- History tells what was really written: the owner's triggers may have made another row of it, or
-- left it as it was.
CREATE OR REPLACE FUNCTION pipedrive_internal.record_written(
    which integer, before pipedrive_internal.row_state[], at timestamptz[], change_source text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror := (SELECT x FROM pipedrive_internal.mirror x WHERE x.mirror_id = which);
    after pipedrive_internal.row_state[] := ARRAY(SELECT r FROM pipedrive_internal.rows_as_they_are(
                                        m.target, ARRAY(SELECT u.id FROM unnest(before) AS u)) AS r);
    changed bigint;
BEGIN
    WITH compared AS (
        SELECT o.id, o.ours AS old, n.ours AS new, o.others IS DISTINCT FROM n.others AS others_too,
               coalesce(record_written.at[o.n], (n.ours ->> 'update_time')::timestamptz, now())
                   AS changed_at
          FROM unnest(before) WITH ORDINALITY AS o (id, ours, others, n)
          JOIN unnest(after) AS n ON n.id = o.id),
    told AS (
        INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value,
                                       changed_at, change_source)
        SELECT which, m.entity, c.id, d.field, d.old_value, d.new_value, c.changed_at,
               record_written.change_source
          FROM compared c
         CROSS JOIN LATERAL pipedrive_internal.field_changes(which, c.id, c.old, c.new) AS d)
    SELECT count(*) INTO changed FROM compared c WHERE c.old <> c.new OR c.others_too;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.record_written(
        integer, pipedrive_internal.row_state[], timestamptz[], text) IS
    'history of rows that were just written, from what they were before; how many became another. '
    'at: when each changed; NULL: its update_time says so';
