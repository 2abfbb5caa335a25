-- How the tracked views stand.

CREATE OR REPLACE VIEW pipedrive.tracked_views AS
SELECT t.view,
       i.mirrors, i.views,
       t.max_age, t.last_refresh,
       CASE WHEN w.reason IS NULL THEN pg_catalog.make_interval()
            ELSE pg_catalog.clock_timestamp() - t.last_refresh END AS lag,
       t.last_duration, t.last_rows AS rows, t.last_concurrent AS concurrent,
       w.reason IS NOT NULL AS due,
       CASE WHEN l.running THEN 'the refresh under way'
            WHEN w.reason IS NOT NULL THEN 'refresh_views(): ' || w.reason
            ELSE 'changes in ' || pg_catalog.array_to_string(i.mirrors || i.views, ', ')
                 || coalesce(', or ' || pg_catalog.date_trunc('second', t.last_refresh + t.max_age),
                             '') END AS waits_for,
       CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN t.last_error
            ELSE pg_catalog.left(t.last_error, 5) || ': '
                 || pipedrive_internal.condition(pg_catalog.left(t.last_error, 5)) END AS error,
       t.last_error_at AS error_at
  FROM pipedrive_internal.tracked_view t
  JOIN pg_catalog.pg_class c ON c.oid = t.view
 CROSS JOIN LATERAL pipedrive_internal.refresh_reason(t.view) AS r (reason)
 CROSS JOIN LATERAL (
       SELECT coalesce(pg_catalog.array_agg(n.input ORDER BY n.input::text)
                           FILTER (WHERE n.kind = 'mirror'), '{}') AS mirrors,
              coalesce(pg_catalog.array_agg(n.input ORDER BY n.input::text)
                           FILTER (WHERE n.kind = 'view'), '{}') AS views
         FROM pipedrive_internal.view_inputs(t.view) n) AS i
 CROSS JOIN LATERAL ( -- a view is as old as what it reads
       SELECT coalesce(r.reason, (
                  WITH RECURSIVE reads (view) AS (
                      SELECT pg_catalog.unnest(i.views)
                       UNION
                      SELECT n.input
                        FROM reads
                       CROSS JOIN LATERAL pipedrive_internal.view_inputs(reads.view) n
                       WHERE n.kind = 'view')
                  SELECT 'refresh of '
                         || pg_catalog.string_agg(d.view::text, ', ' ORDER BY d.view::text)
                    FROM reads d
                   WHERE pipedrive_internal.refresh_reason(d.view) IS NOT NULL)) AS reason) AS w
 CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT FROM pg_catalog.pg_locks k
                       WHERE k.locktype = 'advisory' AND k.objsubid = 2 AND k.granted
                         AND k.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                            WHERE d.datname = pg_catalog.current_database())
                         AND k.classid = 'pipedrive_internal.tracked_view'::regclass
                         AND k.objid = t.view)) AS l (running);
COMMENT ON VIEW pipedrive.tracked_views IS
    'tracked materialized views: what they read directly, how long they have been behind that '
    '(lag), the last refresh or its error, and what they wait for';
