-- The writer of mirrors: what sync() read goes in here, row by row locked, compared, recorded.
--
-- One rule decides between two versions of a row: what was written after the page was requested
-- wins. No time of anybody's takes part. Every event leaves a mark in refetch with its place in
-- the order of arrival, and a page has the place at which it was requested ("asked"): a row that
-- was marked after that is left alone, and the mark has it read again.

CREATE FUNCTION _record_change_count(which integer, n bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pipedrive.mirror_state SET change_serial = change_serial + n
     WHERE mirror_id = which AND n > 0
$$;
COMMENT ON FUNCTION _record_change_count(integer, bigint) IS
    'counts changed rows of a mirror, so that views know that they are out of date';

-- A column that is being filled for the first time has no old value, so its filling is no change.
-- That a row is there is told by _record_creation().
CREATE FUNCTION _field_changes(which integer, old_row jsonb, new_row jsonb)
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
       AND NOT EXISTS (SELECT FROM pipedrive.mirror_column k
                        WHERE k.mirror_id = which AND k.column_name = d.key AND k.unfilled)
       AND NOT EXISTS (SELECT FROM pipedrive.refetch r
                        WHERE r.mirror_id = which AND r.id = (old_row ->> 'id')::bigint
                          AND d.old IS NULL AND r.unfilled ? d.key);
END
$$;
COMMENT ON FUNCTION _field_changes(integer, jsonb, jsonb) IS
    'what the history of a mirror tells of a row that became another: its columns with old and '
    'new value, NULL for none';

-- Not while the first load goes on: what that finds was there before.
CREATE FUNCTION _record_creation(m pipedrive.mirror, ids bigint[], at timestamptz[],
                                 change_source text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value,
                                   changed_at, change_source)
    SELECT m.mirror_id, m.entity, u.id, 'is_deleted',
           CASE WHEN EXISTS (SELECT FROM pipedrive.tombstone t
                              WHERE t.mirror_id = m.mirror_id AND t.id = u.id)
                THEN 'true'::jsonb END,
           'false', coalesce(u.at, now()), _record_creation.change_source
      FROM unnest(ids, _record_creation.at) AS u (id, at)
     WHERE EXISTS (SELECT FROM pipedrive.mirror_state s
                    WHERE s.mirror_id = m.mirror_id AND s.last_sync IS NOT NULL)
     ORDER BY u.id;
    DELETE FROM pipedrive.tombstone t WHERE t.mirror_id = m.mirror_id AND t.id = ANY (ids)
$$;
COMMENT ON FUNCTION _record_creation(pipedrive.mirror, bigint[], timestamptz[], text) IS
    'history of rows that are new in a mirror, or back after a deletion';

CREATE FUNCTION _marked_since(which integer, ids bigint[], asked bigint) RETURNS bigint[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(r.id), '{}') FROM pipedrive.refetch r
     WHERE r.mirror_id = which AND r.id = ANY (ids) AND r.arrival >= asked
$$;
COMMENT ON FUNCTION _marked_since(integer, bigint[], bigint) IS
    'of some rows those that something arrived about since a place in the order of arrival';

-- Rows before tombstones and by id, as events lock them in this order too. Marks are looked at
-- when the rows are held: whoever held them before has left his.
CREATE FUNCTION _delete_rows(which integer, ids bigint[], as_of timestamptz, change_source text,
                             asked bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    kept bigint[];
    gone bigint;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE id = ANY ($1)
                                           ORDER BY id FOR UPDATE) AS locked', m.target) USING ids;
    IF asked IS NOT NULL THEN
        kept := pipedrive._marked_since(which, ids, asked);
        ids := ARRAY(SELECT i FROM unnest(ids) AS i WHERE i <> ALL (kept));
    END IF;
    EXECUTE format('WITH gone AS (DELETE FROM %s WHERE id = ANY ($1) RETURNING id)
                    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value,
                                                   new_value, changed_at, change_source)
                    SELECT $2, $3, id, ''is_deleted'', ''false'', ''true'', coalesce($4, now()), $5
                      FROM gone', m.target)
      USING ids, which, m.entity, as_of, change_source;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO pipedrive.tombstone AS t (mirror_id, id, as_of, told_by)
    SELECT which, i, as_of, change_source FROM unnest(ids) AS i ORDER BY i
        ON CONFLICT (mirror_id, id) DO UPDATE
       SET as_of = CASE WHEN excluded.as_of IS NOT NULL THEN greatest(t.as_of, excluded.as_of) END,
           told_by = excluded.told_by,
           arrival = excluded.arrival, recorded_at = excluded.recorded_at;
    PERFORM pipedrive._record_change_count(which, gone);
    RETURN gone;
END
$$;
COMMENT ON FUNCTION _delete_rows(integer, bigint[], timestamptz, text, bigint) IS
    'deletes rows of a mirror, with tombstones and history; how many existed. as_of: Pipedrive''s '
    'time; asked: rows that something arrived about since then stay';

-- What differs is locked by id, what was marked since is let go, and the rest is recorded with the
-- value that it has under the lock, and overwritten.
CREATE FUNCTION _overwrite_rows(m pipedrive.mirror, stage regclass, change_source text,
                                asked bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    differing bigint[];
    stamp text := CASE WHEN 'update_time' = ANY (pipedrive._mirror_columns(m.target))
                       THEN 'coalesce(e.update_time, now())' ELSE 'now()' END;
BEGIN
    EXECUTE format('SELECT array_agg(l.id)
                      FROM (SELECT t.id FROM %1$s t JOIN %2$s e ON e.id = t.id
                             WHERE ROW(%3$s) IS DISTINCT FROM ROW(%4$s)
                             ORDER BY t.id FOR NO KEY UPDATE OF t) AS l',
                   m.target, stage, pipedrive._column_list(m.target, 't.'::text),
                   pipedrive._column_list(m.target, 'e.'::text)) INTO differing;
    IF differing IS NULL THEN
        RETURN 0;
    END IF;
    differing := ARRAY(SELECT i FROM unnest(differing) AS i
                        WHERE i <> ALL (pipedrive._marked_since(m.mirror_id, differing, asked)));
    EXECUTE format('INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value,
                                                   new_value, changed_at, change_source)
                    SELECT $1, $2, e.id, d.field, d.old_value, d.new_value, %1$s, $3
                      FROM %2$s e JOIN %3$s t ON t.id = e.id
                     CROSS JOIN LATERAL (SELECT %4$s) AS o
                     CROSS JOIN LATERAL (SELECT %5$s) AS n
                     CROSS JOIN LATERAL pipedrive._field_changes($1, to_jsonb(o), to_jsonb(n)) AS d
                     WHERE e.id = ANY ($4)',
                   stamp, stage, m.target, pipedrive._column_list(m.target, 't.'::text),
                   pipedrive._column_list(m.target, 'e.'::text))
      USING m.mirror_id, m.entity, change_source, differing;
    EXECUTE format('UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = $1
                      FROM %3$s e WHERE e.id = t.id AND t.id = ANY ($2)',
                   m.target,
                   (SELECT string_agg(format('%1$I = e.%1$I', c), ', ')
                      FROM unnest(pipedrive._mirror_columns(m.target)) AS c WHERE c <> 'id'), stage)
      USING change_source, differing;
    RETURN cardinality(differing);
END
$$;
COMMENT ON FUNCTION _overwrite_rows(pipedrive.mirror, regclass, text, bigint) IS
    'rows of a mirror become as staged where they differ; how many did';

CREATE FUNCTION _add_rows(m pipedrive.mirror, stage regclass, change_source text, asked bigint,
                          OUT added bigint, OUT left_alone bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing bigint[];
    made bigint[];
    times timestamptz[];
BEGIN
    EXECUTE format('SELECT array_agg(e.id) FROM %1$s e
                     WHERE NOT EXISTS (SELECT FROM %2$s t WHERE t.id = e.id)', stage, m.target)
       INTO missing;
    added := 0;
    IF missing IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('WITH made AS (
                        INSERT INTO %1$s AS t (%2$s, _synced_at, _source)
                        SELECT %3$s, clock_timestamp(), $1 FROM %4$s e
                         WHERE e.id = ANY ($2) AND e.id <> ALL ($3)
                         ORDER BY e.id ON CONFLICT (id) DO NOTHING RETURNING t.id, %5$s AS at)
                    SELECT array_agg(id), array_agg(at) FROM made',
                   m.target, pipedrive._column_list(m.target),
                   pipedrive._column_list(m.target, 'e.'::text), stage,
                   CASE WHEN 'update_time' = ANY (pipedrive._mirror_columns(m.target))
                        THEN 't.update_time' ELSE 'NULL::timestamptz' END)
       INTO made, times
      USING change_source, missing, pipedrive._marked_since(m.mirror_id, missing, asked);
    PERFORM pipedrive._record_creation(m, coalesce(made, '{}'), coalesce(times, '{}'),
                                       change_source);
    added := coalesce(cardinality(made), 0);
    left_alone := ARRAY(SELECT i FROM unnest(missing) AS i WHERE i <> ALL (coalesce(made, '{}')));
END
$$;
COMMENT ON FUNCTION _add_rows(pipedrive.mirror, regclass, text, bigint) IS
    'staged rows that a mirror does not have go in; those that an event made meanwhile are its own';

-- A mark goes when its row was compared with a page that was requested after it.
CREATE FUNCTION _merge_stage(which integer, stage regclass, change_source text, asked bigint)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    changed bigint;
    a record;
BEGIN
    IF stage IS NULL THEN -- there were no rows
        RETURN 0;
    END IF;
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    changed := pipedrive._overwrite_rows(m, stage, change_source, asked);
    SELECT * INTO a FROM pipedrive._add_rows(m, stage, change_source, asked);
    EXECUTE format('DELETE FROM pipedrive.refetch r USING %s s
                     WHERE r.mirror_id = $1 AND r.id = s.id AND r.arrival < $2
                       AND r.id <> ALL ($3)', stage)
      USING which, asked, coalesce(a.left_alone, '{}');
    PERFORM pipedrive._record_change_count(which, changed + a.added);
    RETURN changed + a.added;
END
$$;
COMMENT ON FUNCTION _merge_stage(integer, regclass, text, bigint) IS
    'staged rows go into a mirror where they differ from its own; those that something arrived '
    'about since the page was requested stay as they are; how many were written';
