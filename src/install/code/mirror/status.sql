-- How the mirrors stand.

-- Counted, as statistics lag behind a load. Not where reading would run a policy of the table's
-- owner.
CREATE OR REPLACE FUNCTION pipedrive_internal.count_rows(target regclass) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = target AND c.relkind = 'r' AND NOT c.relrowsecurity) AND has_table_privilege(target, 'SELECT') THEN
        EXECUTE format('SELECT count(*) FROM %s', target) INTO n;
    ELSE
        n := pg_stat_get_live_tuples(target);
    END IF;
    RETURN n;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.count_rows(regclass) IS 'how many rows a mirror has';

CREATE OR REPLACE VIEW pipedrive.mirrors AS
SELECT m.target AS mirror, m.source, m.entity, pipedrive_internal.count_rows(m.target) AS rows, s.watermark, CASE WHEN s.as_of IS NOT NULL THEN greatest(pg_catalog.clock_timestamp() - s.as_of, '0') END AS lag,
       s.last_sync, greatest(s.last_event, (SELECT max(v.last_event) FROM pipedrive_internal.mirror_event v WHERE v.mirror_id = m.mirror_id)) AS last_event, s.last_reconcile, s.phase,
       coalesce(s.last_error, b.told) AS last_error, coalesce(s.last_error_at, b.seen_at) AS last_error_at,
       CASE WHEN s.token_day = (now() AT TIME ZONE 'UTC')::date THEN s.tokens_today ELSE 0 END AS tokens_today, m.max_tokens,
       (SELECT count(*) FROM (SELECT r.id FROM pipedrive_internal.refetch r WHERE r.mirror_id = m.mirror_id UNION SELECT l.id FROM pipedrive_internal.late_mark l WHERE l.mirror_id = m.mirror_id) AS u) AS to_refetch, s.change_serial + coalesce((SELECT sum(v.changes) FROM pipedrive_internal.mirror_event v WHERE v.mirror_id = m.mirror_id), 0)::bigint AS change_serial,
       (SELECT count(*) FROM pipedrive_internal.refetch r WHERE r.mirror_id = m.mirror_id AND r.held) AS held_back, m.overlap
  FROM pipedrive_internal.mirror m JOIN pipedrive_internal.mirror_state s USING (mirror_id)
  LEFT JOIN LATERAL ( -- without their values: the view may be granted to who may not see them
       SELECT format('%s %s set aside, the first is row id %s%s: see pipedrive.bad_rows', count(*), CASE WHEN count(*) = 1 THEN 'row is' ELSE 'rows are' END, (array_agg(x.id ORDER BY length(x.id), x.id))[1],
                     ', column ' || quote_ident((array_agg(x.column_name ORDER BY length(x.id), x.id))[1])) COLLATE "default" AS told, max(x.seen_at) AS seen_at
         FROM pipedrive_internal.bad_row x WHERE x.mirror_id = m.mirror_id HAVING count(*) > 0) AS b ON true;
COMMENT ON VIEW pipedrive.mirrors IS
    'how each mirror stands: rows, watermark in Pipedrive''s time, lag since the last complete '
    'run began, last sync, event and reconcile, last error or what is set aside, tokens spent '
    'today, deletions held back; max_tokens and overlap may be set by an UPDATE';

CREATE OR REPLACE FUNCTION pipedrive_internal.set_mirror() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_jsonb(new) - '{max_tokens,overlap}'::text[] <> to_jsonb(old) - '{max_tokens,overlap}'::text[] THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('of mirror "%s" only max_tokens and overlap can be set', old.mirror);
    END IF;
    UPDATE pipedrive_internal.mirror m SET max_tokens = new.max_tokens, overlap = new.overlap
     WHERE m.target = old.mirror;
    RETURN new;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.set_mirror() IS
    'trigger function: an UPDATE of the view mirrors, with the rights of who runs it';
DROP TRIGGER IF EXISTS set_mirror ON pipedrive.mirrors;
CREATE TRIGGER set_mirror INSTEAD OF UPDATE ON pipedrive.mirrors
    FOR EACH ROW EXECUTE FUNCTION pipedrive_internal.set_mirror();
COMMENT ON TRIGGER set_mirror ON pipedrive.mirrors IS 'sets max_tokens and overlap of a mirror';

CREATE OR REPLACE VIEW pipedrive.sync_progress AS
SELECT m.target AS mirror, coalesce(s.phase, 'reconcile, ' || s.reconcile_phase) AS phase, s.run_started, s.run_rows AS rows, s.run_pages AS pages, s.run_tokens AS tokens,
       CASE WHEN (s.phase IN ('load', 'reload') OR s.reconcile_phase = 'walk') AND s.run_rows > 0 AND pg_catalog.pg_stat_get_live_tuples(m.target) > s.run_rows
            THEN (now() - s.run_started) * ((pg_catalog.pg_stat_get_live_tuples(m.target) - s.run_rows)::double precision / s.run_rows) END AS eta
  FROM pipedrive_internal.mirror m JOIN pipedrive_internal.mirror_state s USING (mirror_id) WHERE s.phase IS NOT NULL OR s.reconcile_phase IS NOT NULL;
COMMENT ON VIEW pipedrive.sync_progress IS
    'runs that are under way or were stopped: rows, pages and tokens so far; eta where an earlier '
    'size is known';

CREATE OR REPLACE VIEW pipedrive.bad_rows AS
SELECT m.target AS mirror, m.entity, b.id, b.column_name, b.reason, b.since, b.seen_at
  FROM pipedrive_internal.bad_row b JOIN pipedrive_internal.mirror m USING (mirror_id);
COMMENT ON VIEW pipedrive.bad_rows IS
    'rows that a mirror cannot hold as Pipedrive has them, and why; a reason may quote the value, '
    'so this is for the owner';
