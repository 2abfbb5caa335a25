-- How the mirrors stand.

CREATE VIEW mirrors AS
SELECT m.target AS mirror, m.source, m.entity, pg_catalog.pg_stat_get_live_tuples(m.target) AS rows, s.watermark, now() - s.last_sync AS lag,
       s.last_sync, greatest(s.last_event, (SELECT max(v.last_event) FROM mirror_event v WHERE v.mirror_id = m.mirror_id)) AS last_event, s.last_reconcile, s.phase, s.last_error, s.last_error_at,
       CASE WHEN s.token_day = current_date THEN s.tokens_today ELSE 0 END AS tokens_today, m.max_tokens,
       (SELECT count(*) FROM refetch r WHERE r.mirror_id = m.mirror_id) AS to_refetch, pipedrive._change_serial(m.mirror_id) AS change_serial
  FROM mirror m JOIN mirror_state s USING (mirror_id);
COMMENT ON VIEW mirrors IS 'how each mirror stands: rows, watermark in Pipedrive''s time, last sync, event and reconcile, last error, tokens spent today';

CREATE VIEW sync_progress AS
SELECT m.target AS mirror, coalesce(s.phase, 'reconcile, ' || s.reconcile_phase) AS phase, s.run_started, s.run_rows AS rows, s.run_pages AS pages, s.run_tokens AS tokens,
       CASE WHEN (s.phase IN ('load', 'reload') OR s.reconcile_phase = 'walk') AND s.run_rows > 0 AND pg_catalog.pg_stat_get_live_tuples(m.target) > s.run_rows
            THEN (now() - s.run_started) * ((pg_catalog.pg_stat_get_live_tuples(m.target) - s.run_rows)::double precision / s.run_rows) END AS eta
  FROM mirror m JOIN mirror_state s USING (mirror_id) WHERE s.phase IS NOT NULL OR s.reconcile_phase IS NOT NULL;
COMMENT ON VIEW sync_progress IS 'runs that are under way or were stopped: rows, pages and tokens so far; eta where an earlier size is known';

CREATE VIEW bad_rows AS
SELECT m.target AS mirror, m.entity, b.id, b.column_name, b.reason, b.since, b.seen_at
  FROM bad_row b JOIN mirror m USING (mirror_id);
COMMENT ON VIEW bad_rows IS 'rows that a mirror cannot hold as Pipedrive has them, and why; a reason may quote the value, so this is for the owner';
