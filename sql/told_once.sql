\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- A row that an event made is created once in the history, and what the next sync fills in it is no change.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
CALL sim.reset();
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (activities, deals, organizations, persons) FROM SERVER crm INTO crm;
SELECT count(*) FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
CREATE FUNCTION sim.deliver(version text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT format('%s %s', coalesce(e.v #>> '{body,meta,entity}', e.v #>> '{body,meta,object}'), pipedrive.ingest_webhook(e.v -> 'body'))
      FROM jsonb_array_elements(sim.call('GET', 'webhooks?version=' || version)::jsonb) AS e (v);
    PERFORM sim.call('DELETE', 'webhooks');
END $$;
CREATE FUNCTION sim.told() RETURNS TABLE (entity text, field text, old_value jsonb, new_value jsonb, change_source text, n bigint) LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM pipedrive.changes RETURNING *)
    SELECT g.entity, g.field, g.old_value, g.new_value, g.change_source, count(*) FROM gone g GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3
$$;
CREATE PROCEDURE sim.make(who text) LANGUAGE sql AS $$
    CALL sim.mutate(jsonb_build_array(jsonb_build_object('action', 'create', 'entity', 'deals', 'fields', jsonb_build_object('title', who, 'value', 5, 'stage_id', 2)),
                                      jsonb_build_object('action', 'create', 'entity', 'persons', 'fields', jsonb_build_object('name', who)),
                                      jsonb_build_object('action', 'create', 'entity', 'organizations', 'fields', jsonb_build_object('name', who)),
                                      jsonb_build_object('action', 'create', 'entity', 'activities', 'fields', jsonb_build_object('subject', who))))
$$;
SELECT sim.call('DELETE', 'webhooks') IS NOT NULL AS done;
CALL sim.make('By version 2');
SELECT sim.deliver('2.0');
SELECT * FROM sim.told();
CALL pipedrive.sync();
SELECT * FROM sim.told();
CALL sim.make('By version 1');
SELECT sim.deliver('1.0');
SELECT * FROM sim.told();
CALL pipedrive.sync();
SELECT * FROM sim.told();
-- queued ones too
CALL sim.make('By the queue');
SELECT count(pipedrive.ingest_webhook(e -> 'body', 'queue')) FROM jsonb_array_elements(sim.call('GET', 'webhooks?version=2.0')::jsonb) AS e;
CALL pipedrive.apply_inbox();
SELECT * FROM sim.told();
CALL pipedrive.sync();
SELECT * FROM sim.told();
SELECT sim.call('DELETE', 'webhooks') IS NOT NULL AS done;
-- What an event carried, be it as nothing, changes from then on; so does what a later event filled
CREATE FUNCTION sim.event(second integer, action text, data jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pipedrive.ingest_webhook(jsonb_build_object('meta', jsonb_build_object('version', '2.0', 'id', second, 'entity', 'deal', 'entity_id', '9001', 'action', action, 'company_id', '100200300', 'timestamp', format('2026-06-01T00:00:0%sZ', second)),
        'data', jsonb_build_object('id', 9001, 'update_time', format('2026-06-01T00:00:0%sZ', second)) || data))
$$;
CALL sim.mutate('[{"action": "create", "entity": "deals", "id": 9001, "at": "2026-06-01T00:00:09Z", "fields": {"title": "Barn", "value": 7, "stage_id": 2, "lost_reason": "gone", "origin_id": "x"}}]');
SELECT sim.event(1, 'create', '{"title": "Barn", "lost_reason": null}'), sim.event(2, 'change', '{"value": null, "stage_id": 1}'), sim.event(3, 'change', '{"stage_id": null}');
SELECT r.unfilled ?| '{title,value,stage_id,lost_reason}' AS known, r.unfilled ?& '{currency,status}' AS unknown FROM pipedrive_internal.refetch r;
CALL pipedrive.sync('crm_mirror.deals');
SELECT * FROM sim.told();
-- a mark that is done leaves nothing behind
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 9001, "at": "2026-06-01T00:00:10Z", "fields": {"origin_id": null}}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT field, old_value, new_value FROM sim.told();
CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 9001, "at": "2026-06-01T00:00:11Z", "fields": {"origin_id": "y"}}]');
CALL pipedrive.sync('crm_mirror.deals');
SELECT field, old_value, new_value FROM sim.told();
CALL sim.reset();
