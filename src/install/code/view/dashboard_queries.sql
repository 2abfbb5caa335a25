-- The dashboards as rows: name, key, age, comment and query.

-- One row a dashboard. In the query, {entity} is the mirror of that entity, {zone} the time zone,
-- {entity.column} the values that it went through. Columns are named one by one and grouping never
-- relies on a primary key, so that mirrors can change and dumps restore.
CREATE OR REPLACE FUNCTION pipedrive_internal.dashboards()
RETURNS TABLE (name text, unique_columns text, max_age interval, comment text, query text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $dashboards$
VALUES
('pipeline_by_stage', 'pipeline_id, stage_id, currency', NULL::interval,
 'open deals that are not archived, by pipeline and stage (sort by pipeline_order, stage_order), '
 'one row a currency; empty stages have one row without currency. weighted_value: value times the '
 'deal''s probability, else the stage''s, else 100 %',
$$
SELECT p.order_nr AS pipeline_order, coalesce(s.pipeline_id, d.pipeline_id) AS pipeline_id,
       p.name AS pipeline, s.order_nr AS stage_order, coalesce(s.id, d.stage_id) AS stage_id,
       s.name AS stage, d.currency,
       count(d.id) AS deals, coalesce(sum(d.value), 0) AS value,
       trim_scale(coalesce(sum(d.value * coalesce(d.probability, s.deal_probability, 100)), 0)
                  / 100) AS weighted_value
  FROM {stages} s
  FULL JOIN (SELECT id, pipeline_id, stage_id, currency, value, probability FROM {deals}
              WHERE status = 'open' AND is_archived IS NOT TRUE) d ON d.stage_id = s.id
  LEFT JOIN {pipelines} p ON p.id = coalesce(s.pipeline_id, d.pipeline_id)
 GROUP BY p.order_nr, coalesce(s.pipeline_id, d.pipeline_id), p.name, s.order_nr,
          coalesce(s.id, d.stage_id), s.name, d.currency
$$),
('won_lost_by_month', 'month, pipeline_id, currency', NULL,
 'deals won and lost by month of the decision (in time zone {zone}), pipeline and currency, '
 'archived ones too; won_rate: won of those decided',
$$
SELECT date_trunc('month', d.decided AT TIME ZONE {zone})::date AS month, d.pipeline_id,
       p.name AS pipeline, d.currency,
       count(*) FILTER (WHERE d.status = 'won') AS won,
       coalesce(sum(d.value) FILTER (WHERE d.status = 'won'), 0) AS won_value,
       count(*) FILTER (WHERE d.status = 'lost') AS lost,
       coalesce(sum(d.value) FILTER (WHERE d.status = 'lost'), 0) AS lost_value,
       round(count(*) FILTER (WHERE d.status = 'won')::numeric / count(*), 4) AS won_rate
  FROM (SELECT pipeline_id, currency, value, status,
               coalesce(CASE status WHEN 'won' THEN won_time ELSE lost_time END, close_time,
                        update_time) AS decided
          FROM {deals} WHERE status IN ('won', 'lost')) AS d
  LEFT JOIN {pipelines} p ON p.id = d.pipeline_id
 GROUP BY 1, d.pipeline_id, p.name, d.currency
$$),
('activities_by_owner', 'owner_id', '15 minutes',
 'activities by owner as of the last refresh: those not done by when they are due (today in time '
 'zone {zone}; without a date: undated), and those done in the last 7 and 30 days; active users '
 'without activities have a row of zeros',
$$
SELECT coalesce(u.id, a.owner_id) AS owner_id, u.name AS owner,
       count(*) FILTER (WHERE a.open AND a.due < now()) AS overdue,
       count(*) FILTER (WHERE a.open AND a.due >= now()
                          AND a.due_day = (now() AT TIME ZONE {zone})::date) AS due_today,
       count(*) FILTER (WHERE a.open AND a.due >= now()
                          AND a.due_day > (now() AT TIME ZONE {zone})::date) AS upcoming,
       count(*) FILTER (WHERE a.open AND a.due IS NULL) AS undated,
       count(*) FILTER (WHERE a.done_at >= now() - interval '7 days') AS done_last_7_days,
       count(*) FILTER (WHERE a.done_at >= now() - interval '30 days') AS done_last_30_days
  FROM {users} u
  FULL JOIN (SELECT id, owner_id, done IS NOT TRUE AS open,
                    CASE WHEN done
                         THEN coalesce(marked_as_done_time, update_time, add_time) END AS done_at,
                    -- Pipedrive's due_time is UTC; an activity for all day is due until the day
                    -- ends where the readers are
                    CASE WHEN due_time IS NULL THEN (due_date + 1)::timestamp AT TIME ZONE {zone}
                         ELSE (due_date + due_time) AT TIME ZONE 'UTC' END AS due,
                    CASE WHEN due_time IS NULL THEN due_date
                         ELSE ((due_date + due_time) AT TIME ZONE 'UTC'
                               AT TIME ZONE {zone})::date END AS due_day
               FROM {activities}) AS a ON a.owner_id = u.id
 GROUP BY u.id, a.owner_id, u.name, u.active_flag
HAVING count(a.id) > 0 OR u.active_flag IS NOT FALSE
$$),
('stage_conversion', 'stage_id', NULL,
 'what became of the deals that were ever in a stage: moved on to a later stage of its pipeline, '
 'won or lost while in it, still open in it; conversion_rate: moved on or won, of those that '
 'entered; median_time: of the visits that ended. From the history that the mirror has recorded, '
 'without deals that were deleted',
$$
WITH visits AS (
    SELECT h.deal_id, h.stage_id, h.entered, d.status, h.left_at IS NULL AS last,
           coalesce(h.left_at, d.closed) AS until,
           coalesce(max(hs.order_nr) OVER (
                        PARTITION BY h.deal_id, hs.pipeline_id ORDER BY h.step
                        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) > hs.order_nr,
                    false) AS moved_on
      FROM {deals.stage_id} h
      JOIN (SELECT id, status, CASE status WHEN 'won' THEN coalesce(won_time, close_time)
                                           WHEN 'lost' THEN coalesce(lost_time, close_time)
                               END AS closed
              FROM {deals}) AS d ON d.id = h.deal_id
      JOIN {stages} hs ON hs.id = h.stage_id
)
SELECT p.order_nr AS pipeline_order, s.pipeline_id, p.name AS pipeline, s.order_nr AS stage_order,
       s.id AS stage_id, s.name AS stage,
       coalesce(v.entered, 0) AS entered, coalesce(v.moved_on, 0) AS moved_on,
       coalesce(v.won, 0) AS won, coalesce(v.lost, 0) AS lost, coalesce(v.open, 0) AS open,
       round(v.converted::numeric / v.entered, 4) AS conversion_rate,
       justify_hours(t.median_time) AS median_time
  FROM {stages} s
  LEFT JOIN {pipelines} p ON p.id = s.pipeline_id
  LEFT JOIN (SELECT w.stage_id, count(*) AS entered,
                    count(*) FILTER (WHERE w.moved_on) AS moved_on,
                    count(*) FILTER (WHERE w.won) AS won, count(*) FILTER (WHERE w.lost) AS lost,
                    count(*) FILTER (WHERE w.open) AS open,
                    count(*) FILTER (WHERE w.moved_on OR w.won) AS converted
               FROM (SELECT stage_id, bool_or(moved_on) AS moved_on,
                            bool_or(last AND status = 'won') AS won,
                            bool_or(last AND status = 'lost') AS lost,
                            bool_or(last AND status = 'open') AS open
                       FROM visits GROUP BY stage_id, deal_id) AS w
              GROUP BY w.stage_id) AS v ON v.stage_id = s.id
  LEFT JOIN (SELECT stage_id,
                    percentile_cont(0.5) WITHIN GROUP (ORDER BY until - entered) AS median_time
               FROM visits GROUP BY stage_id) AS t ON t.stage_id = s.id
$$),
('deal_ageing', 'pipeline_id, stage_id, bucket_order, currency', '1 hour',
 'open deals that are not archived, by stage, time in the stage as of the last refresh (unknown '
 'where Pipedrive has neither stage_change_time nor add_time), and currency; rotten: how many are '
 'in it for longer than the stage''s days_to_rotten, where rotting is on',
$$
SELECT p.order_nr AS pipeline_order, d.pipeline_id, p.name AS pipeline, s.order_nr AS stage_order,
       d.stage_id, s.name AS stage,
       b.bucket_order, b.bucket, d.currency, count(*) AS deals, coalesce(sum(d.value), 0) AS value,
       count(*) FILTER (WHERE s.is_deal_rot_enabled
                          AND d.age > s.days_to_rotten * interval '24 hours') AS rotten
  FROM (SELECT pipeline_id, stage_id, currency, value,
               now() - coalesce(stage_change_time, add_time) AS age
          FROM {deals} WHERE status = 'open' AND is_archived IS NOT TRUE) AS d
  JOIN (VALUES (1, 'up to 7 days', NULL::interval, interval '168 hours'),
               (2, '8 to 30 days', '168 hours', '720 hours'),
               (3, '31 to 90 days', '720 hours', '2160 hours'),
               (4, '91 to 180 days', '2160 hours', '4320 hours'),
               (5, 'over 180 days', '4320 hours', NULL),
               (6, 'unknown', NULL, NULL)) AS b (bucket_order, bucket, above, up_to)
    ON CASE b.bucket_order WHEN 6 THEN d.age IS NULL
                           ELSE (b.above IS NULL OR d.age > b.above)
                                AND d.age <= coalesce(b.up_to, d.age) END
  LEFT JOIN {stages} s ON s.id = d.stage_id
  LEFT JOIN {pipelines} p ON p.id = d.pipeline_id
 GROUP BY p.order_nr, d.pipeline_id, p.name, s.order_nr, d.stage_id, s.name, b.bucket_order,
          b.bucket, d.currency
$$),
('top_organizations', 'org_id, currency', NULL,
 'organizations with deals, ranked within each currency by what is won and open; open deals '
 'without archived ones. last_activity: when its latest activity was done',
$$
SELECT d.currency,
       rank() OVER (PARTITION BY d.currency ORDER BY d.won_value + d.open_value DESC) AS rank,
       d.org_id, o.name AS organization,
       d.deals, d.open_deals, d.open_value, d.won_deals, d.won_value, d.lost_deals, a.last_activity
  FROM (SELECT org_id, currency, count(*) AS deals,
               count(*) FILTER (WHERE status = 'open' AND is_archived IS NOT TRUE) AS open_deals,
               coalesce(sum(value) FILTER (WHERE status = 'open' AND is_archived IS NOT TRUE), 0)
                   AS open_value,
               count(*) FILTER (WHERE status = 'won') AS won_deals,
               coalesce(sum(value) FILTER (WHERE status = 'won'), 0) AS won_value,
               count(*) FILTER (WHERE status = 'lost') AS lost_deals
          FROM {deals} WHERE org_id IS NOT NULL GROUP BY org_id, currency) AS d
  LEFT JOIN {organizations} o ON o.id = d.org_id
  LEFT JOIN (SELECT org_id,
                    max(coalesce(marked_as_done_time, update_time, add_time)) AS last_activity
               FROM {activities} WHERE done GROUP BY org_id) AS a ON a.org_id = d.org_id
$$)
$dashboards$;
COMMENT ON FUNCTION pipedrive_internal.dashboards() IS
    'the dashboards that create_dashboards() can make';
