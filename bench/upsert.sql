-- What a hand-written receiver would do with the same event: write the row.
\set n :n + 1
\set id :first + :client_id * 1000 + random(0, 999)
\set event random(1000000000000000, 9000000000000000)
\set d 1 + :n / 20000 % 9
\set h :n / 2000 % 10
\set m :n / 200 % 10
\set s :n / 20 % 10
\set stage random(1, 15)
\set amount random(1, 100000)

INSERT INTO bench.deals (id, add_time, channel, channel_id, close_time, creator_user_id, currency, expected_close_date, label_ids, lost_reason, lost_time, org_id, origin, origin_id, owner_id, person_id, pipeline_id, probability, stage_change_time, stage_id, status, title, update_time, value, visible_to, won_time, is_archived, archive_time, _synced_at, _source)
VALUES (:id, '2026-03-01T10:00:00Z', NULL, NULL, NULL, 25455458, 'EUR', NULL, '{}', NULL, NULL, 1, 'API', NULL, 25455458, 2, 1, NULL, NULL, :stage, 'open', 'Deal :amount', '2027-0:d-01T1:h:1:m:1:s.000Z', :amount, 3, NULL, false, NULL, clock_timestamp(), 'webhook')
ON CONFLICT (id) DO UPDATE SET add_time = excluded.add_time, channel = excluded.channel, channel_id = excluded.channel_id, close_time = excluded.close_time, creator_user_id = excluded.creator_user_id, currency = excluded.currency, expected_close_date = excluded.expected_close_date, label_ids = excluded.label_ids, lost_reason = excluded.lost_reason, lost_time = excluded.lost_time, org_id = excluded.org_id, origin = excluded.origin, origin_id = excluded.origin_id, owner_id = excluded.owner_id, person_id = excluded.person_id, pipeline_id = excluded.pipeline_id, probability = excluded.probability, stage_change_time = excluded.stage_change_time, stage_id = excluded.stage_id, status = excluded.status, title = excluded.title, update_time = excluded.update_time, value = excluded.value, visible_to = excluded.visible_to, won_time = excluded.won_time, is_archived = excluded.is_archived, archive_time = excluded.archive_time, _synced_at = excluded._synced_at, _source = excluded._source;
