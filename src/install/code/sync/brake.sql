-- The brake: no run deletes more than a share of a mirror unless it is told to. A token that has
-- lost its rights sees empty lists, and these look like deletions.

CREATE OR REPLACE FUNCTION pipedrive_internal.delete_limit(size bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(1, floor(size * least(s.percent, 100) / 100))::bigint
      FROM (SELECT CASE WHEN v.value ~ '^[0-9]{1,3}$' THEN v.value::numeric ELSE 20 END AS percent
              FROM pipedrive_internal.setting('max_deleted_percent'::text, '20'::text) AS v (value)) AS s
$$;
COMMENT ON FUNCTION pipedrive_internal.delete_limit(bigint) IS
    'how many rows of a mirror of that size a run may delete: setting max_deleted_percent (20), '
    'and one always';

CREATE OR REPLACE FUNCTION pipedrive_internal.allow_deletes(
    s pipedrive_internal.mirror_state, allowed boolean)
RETURNS pipedrive_internal.mirror_state
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    allowed := coalesce(allowed, false);
    IF allowed THEN
        UPDATE pipedrive_internal.refetch r SET held = false WHERE r.mirror_id = s.mirror_id AND r.held;
    END IF;
    IF s.may_delete IS DISTINCT FROM allowed THEN
        UPDATE pipedrive_internal.mirror_state x SET may_delete = allowed
         WHERE x.mirror_id = s.mirror_id RETURNING x.* INTO s;
    END IF;
    RETURN s;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.allow_deletes(pipedrive_internal.mirror_state, boolean) IS
    'lets go of the brake for this call, or puts it on again';

-- A mark that something else made is held only once its row was asked for by id: until then it has
-- to be read.
CREATE OR REPLACE FUNCTION pipedrive_internal.hold_back(
    m pipedrive_internal.mirror, ids text[], asked bigint)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive_internal.refetch AS r (mirror_id, id, reason, held)
    SELECT m.mirror_id, i, 'not seen in Pipedrive', true FROM unnest(ids) AS i
     ORDER BY length(i), i COLLATE "C"
        ON CONFLICT (mirror_id, id) DO UPDATE SET held = true
     WHERE NOT r.held AND (r.reason = excluded.reason OR r.arrival < asked)
$$;
COMMENT ON FUNCTION pipedrive_internal.hold_back(pipedrive_internal.mirror, text[], bigint) IS
    'rows whose deletion waits to be allowed; asked: when it was seen that they are gone, NULL '
    'for a walk that is no proof';

-- The tombstone's time is Pipedrive's, a second more than its header tells: events of that second
-- may be from before the deletion.
CREATE OR REPLACE FUNCTION pipedrive_internal.delete_vanished(m pipedrive_internal.mirror, ids text[], answered_at timestamptz,
                                 asked bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s pipedrive_internal.mirror_state;
    present text[];
    size bigint;
    part record;
BEGIN
    IF coalesce(cardinality(ids), 0) = 0 THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT s FROM pipedrive_internal.mirror_state x WHERE x.mirror_id = m.mirror_id;
    EXECUTE format('SELECT coalesce(array_agg(%1$I::text) FILTER (WHERE %1$I = ANY ($1::%3$s[])), ''{}''),
                           count(*) FROM %2$s', m.key_column, m.target, m.key_type) INTO present, size USING ids;
    IF NOT s.may_delete AND s.run_deleted + cardinality(present)
                            > pipedrive_internal.delete_limit(size + s.run_deleted) THEN
        PERFORM pipedrive_internal.hold_back(m, present, asked);
        ids := ARRAY(SELECT i FROM unnest(ids) AS i WHERE i <> ALL (present));
    END IF;
    SELECT * INTO part
      FROM pipedrive_internal.write_part(m, NULL::regclass, 'sync'::text, asked,
                                 answered_at + interval '1 second', ids);
    PERFORM pipedrive_internal.note_bad_rows(m, part.refused);
    UPDATE pipedrive_internal.mirror_state x SET run_deleted = x.run_deleted + part.written
     WHERE x.mirror_id = m.mirror_id;
    DELETE FROM pipedrive_internal.bad_row b
     WHERE b.mirror_id = m.mirror_id AND b.id = ANY (ids) AND b.arrival < asked;
    DELETE FROM pipedrive_internal.refetch r
     WHERE r.mirror_id = m.mirror_id AND r.id = ANY (ids) AND r.arrival < asked;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.delete_vanished(pipedrive_internal.mirror, text[], timestamptz, bigint) IS
    'deletes rows that an answer of Pipedrive showed to be gone, with their marks; more than the '
    'limit are held back instead, and what the table refuses is a bad row';

CREATE OR REPLACE FUNCTION pipedrive_internal.held_back(which integer) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s rows are gone in Pipedrive and were not deleted, as a run deletes at most '
                  'max_deleted_percent of a mirror', count(*))
      FROM pipedrive_internal.refetch r WHERE r.mirror_id = which AND r.held HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pipedrive_internal.held_back(integer) IS
    'what the brake holds back of a mirror; NULL: nothing';

CREATE OR REPLACE FUNCTION pipedrive_internal.tell_held_back(which integer, what text)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told text := pipedrive_internal.held_back(which);
    target regclass := (SELECT m.target FROM pipedrive_internal.mirror m WHERE m.mirror_id = which);
BEGIN
    IF told IS NULL THEN
        UPDATE pipedrive_internal.mirror_state x SET last_error = NULL, last_error_at = NULL
         WHERE x.mirror_id = which AND x.last_error LIKE '%max_deleted_percent%'::text;
        RETURN false;
    END IF;
    UPDATE pipedrive_internal.mirror_state x SET last_error = told, last_error_at = clock_timestamp()
     WHERE x.mirror_id = which;
    RAISE WARNING USING MESSAGE = format('mirror "%s": %s', target, told),
        HINT = format('Perhaps the token has lost rights. If they are really gone: '
                      'CALL pipedrive.%s(%L, allow_deletes => true).', what, target);
    RETURN true;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.tell_held_back(integer, text) IS
    'warns of deletions that were held back, and writes it down; whether there are any';
