-- A mirror and its history made in SQL (script/bench sets :deals and :changes): what the ready views and dashboards take.
SET client_min_messages = warning;
SELECT setseed(0.5);
SELECT pipedrive.create_mirrors('crm');
INSERT INTO crm_mirror.pipelines (id, name, order_nr) SELECT n, 'Pipeline ' || n, n FROM generate_series(1, 3) AS n;
INSERT INTO crm_mirror.stages (id, name, order_nr, pipeline_id, deal_probability, is_deal_rot_enabled, days_to_rotten)
SELECT n, 'Stage ' || n, n, 1 + n % 3, 100, true, 30 FROM generate_series(1, 15) AS n;
INSERT INTO crm_mirror.users (id, name, active_flag) SELECT n, 'User ' || n, true FROM generate_series(1, 50) AS n;
INSERT INTO crm_mirror.organizations (id, name) SELECT n, 'Organization ' || n FROM generate_series(1, :deals / 5) AS n;
INSERT INTO crm_mirror.deals (id, title, status, value, currency, pipeline_id, stage_id, owner_id, org_id, is_archived, add_time, update_time)
SELECT n, 'Deal ' || n, (ARRAY['open', 'won', 'lost'])[1 + n % 3], n % 1000, (ARRAY['EUR', 'USD', 'AUD'])[1 + n % 3],
       1 + n % 3, 1 + n % 15, 1 + n % 50, 1 + n % (:deals / 5), n % 10 = 0,
       CASE WHEN n % 100 > 0 THEN timestamptz '2025-01-01' + n % 365 * interval '1 day' END, timestamptz '2026-03-01'
  FROM generate_series(1, :deals) AS n;
INSERT INTO crm_mirror.activities (id, owner_id, org_id, deal_id, done, due_date, add_time, update_time)
SELECT n, 1 + n % 50, 1 + n % (:deals / 5), n, n % 2 = 0, date '2026-01-01' + n % 200, '2026-01-01', '2026-02-01' FROM generate_series(1, :deals) AS n;
INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source, recorded_at)
SELECT m.mirror_id, 'deals', 1 + n % :deals, f.field, to_jsonb(1 + (n + n / :deals - 1) % f.values), to_jsonb(1 + (n + n / :deals) % f.values),
       timestamptz '2026-01-01' + n * interval '1 second', 'sync', timestamptz '2026-01-01' + n * interval '1.5 seconds'
  FROM pipedrive_internal.mirror m, generate_series(1, :changes) AS n
 CROSS JOIN LATERAL (SELECT CASE WHEN n % 5 = 0 THEN 'owner_id' ELSE 'stage_id' END, CASE WHEN n % 5 = 0 THEN 50 ELSE 15 END) AS f (field, values)
 WHERE m.entity = 'deals';
UPDATE pipedrive_internal.mirror_state SET loaded = true, last_sync = now();
ANALYZE;
SELECT count(*) FROM pipedrive.create_dashboards('crm_mirror');
