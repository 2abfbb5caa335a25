\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Records of events are given to the decoder as they came: what one of either version says of a column is what the
-- list shows in it. The rules one by one, and odd values, are in test/unit/wire_event_record_test.cpp.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm OPTIONS (labels 'both');
-- some rows of every table that has events, each changed once
CREATE FUNCTION sim.change(entity text, field text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one jsonb;
BEGIN
    FOR one IN EXECUTE format('SELECT to_jsonb(id) FROM crm.%I ORDER BY id LIMIT 20', entity) LOOP
        CALL sim.mutate(jsonb_build_object('action', 'change', 'entity', entity, 'id', one, 'at', '2026-06-01T09:00:00Z', 'fields', jsonb_build_object(field, 'changed')));
    END LOOP;
END $$;
CALL sim.switch('{"v1_lead_events": "yes"}');
SELECT sim.call('DELETE', 'webhooks') IS NULL AS never;
SELECT count(sim.change(e, f)) AS tables FROM (VALUES ('deals', 'title'), ('persons', 'name'), ('organizations', 'name'), ('activities', 'subject'), ('pipelines', 'name'), ('stages', 'name'), ('users', 'name'), ('products', 'name'), ('leads', 'title'), ('notes', 'content')) AS v (e, f);
CREATE TABLE sim.events AS
SELECT e ->> 'entity' COLLATE "C" AS entity, v AS version, CASE v WHEN '1.0' THEN 'flat' ELSE 'webhook' END AS shape, e ->> 'id' AS id,
       coalesce(e #> '{body,data}', e #> '{body,current}') AS record
  FROM unnest('{1.0,2.0}'::text[]) AS v, jsonb_array_elements(sim.call('GET', 'webhooks?version=' || v)::jsonb) AS e;
-- a column as the event says it and as the list shows it
CREATE FUNCTION sim.compare(entity text, shape text, id text, record jsonb) RETURNS TABLE (name text, said jsonb, shown jsonb) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT k, to_jsonb(r) -> k, to_jsonb(t) -> k FROM pipedrive.decode_record(%1$L, $1, $2) AS d, jsonb_populate_record(NULL::crm.%2$I, d) AS r, crm.%2$I AS t, jsonb_object_keys(d) AS k WHERE t.id = %3$L',
                                'crm.' || entity, entity, id) USING record, shape;
END $$;
CREATE TABLE sim.compared AS
SELECT e.entity, e.version, e.id, e.record, c.name COLLATE "C" AS name, c.said, c.shown FROM sim.events AS e, sim.compare(e.entity, e.shape, e.id, e.record) AS c;
SELECT entity, count(*) FILTER (WHERE version = '1.0') > 0 AS version_1, count(*) FILTER (WHERE version = '2.0') > 0 AS version_2 FROM sim.events GROUP BY 1 ORDER BY 1;
-- custom_fields of an event of version 2 has a form of its own; parts of an address that are null may be missing
SELECT DISTINCT ON (entity, version, name) entity, version, id, name, said, shown FROM sim.compared
 WHERE jsonb_strip_nulls(said) IS DISTINCT FROM jsonb_strip_nulls(shown) AND NOT (version = '2.0' AND name = 'custom_fields')
 ORDER BY entity, version, name, id;
-- columns whose key the record has not: what the rules made of others
SELECT c.entity, c.version, string_agg(DISTINCT c.name, ', ' ORDER BY c.name) AS made
  FROM sim.compared AS c JOIN pipedrive.entity_columns AS k ON k.entity = c.entity AND k.column_name = c.name
 WHERE NOT c.record ? k.field GROUP BY 1, 2 ORDER BY 1, 2;
-- columns whose key the record has, and that it does not say
SELECT e.entity, e.version, string_agg(DISTINCT k.column_name COLLATE "C", ', ' ORDER BY k.column_name COLLATE "C") AS unsaid
  FROM sim.events AS e JOIN pipedrive.entity_columns AS k ON k.entity = e.entity AND e.record ? k.field
 WHERE NOT EXISTS (SELECT FROM sim.compared AS c WHERE c.entity = e.entity AND c.version = e.version AND c.name = k.column_name)
 GROUP BY 1, 2 ORDER BY 1, 2;
-- of lists no rule speaks, and rules are of one table
SELECT shape, jsonb_strip_nulls(pipedrive.decode_record('crm.deals', '{"id": 1, "user_id": 7, "label": "4,5", "active_flag": true}', shape)) AS says FROM unnest('{rest,flat,webhook}'::text[]) AS shape;
SELECT shape, pipedrive.decode_record('crm.pipelines', '{"id": 1, "user_id": 7, "label": "4,5", "active_flag": true}', shape) AS says FROM unnest('{rest,flat,webhook}'::text[]) AS shape;
CALL sim.reset();
