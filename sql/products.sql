\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Products, and the small lists that other tables refer to.
--
DROP SCHEMA IF EXISTS crm_mirror CASCADE;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (products, activity_types, currencies) FROM SERVER crm INTO crm;
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'crm.products'::regclass AND attnum > 0 ORDER BY attnum;
SELECT p.entity, p.n = CASE p.entity WHEN 'products' THEN (SELECT count(*) FROM sim.rows('products')) ELSE jsonb_array_length(jsonb_path_query_array(sim.call('GET', 'rows/' || p.entity)::jsonb, '$[*] ? (@.active_flag == true)')) END AS whole
  FROM (SELECT 'products' AS entity, count(*) AS n FROM crm.products UNION ALL SELECT 'activity_types', count(*) FROM crm.activity_types WHERE active_flag
         UNION ALL SELECT 'currencies', count(*) FROM crm.currencies WHERE active_flag) AS p ORDER BY 1;
SELECT id, name, code, unit, tax, category, is_linkable, billing_frequency, billing_frequency_cycles, jsonb_array_length(prices) AS prices, list_price, list_price_currency, grade, certificates
  FROM crm.products WHERE id <= 6 ORDER BY id;
SELECT count(*) AS others FROM crm.products p JOIN sim.rows('products') AS r ON r.id = p.id
 WHERE (p.name, p.tax, p.owner_id, p.prices, p.is_deleted) IS DISTINCT FROM (r.data ->> 'name', (r.data ->> 'tax')::numeric, (r.data ->> 'owner_id')::bigint, r.data -> 'prices', (r.data ->> 'is_deleted')::boolean);
SELECT id, name, key_string, active_flag, is_custom_flag, add_time FROM crm.activity_types WHERE active_flag ORDER BY id;
SELECT code, name, decimal_points, active_flag FROM crm.currencies WHERE active_flag ORDER BY code COLLATE "C";
-- Conditions, and the requests that they become.
SELECT min(owner_id) AS owner FROM crm.products \gset
SELECT sim.requests('SELECT name FROM crm.products WHERE id = 3');
SELECT sim.requests('SELECT name FROM crm.products WHERE id IN (3, 4, 5)');
SELECT sim.requests('SELECT name, list_price FROM crm.products WHERE owner_id = ' || :owner);
SELECT sim.requests('SELECT name FROM crm.products WHERE update_time >= ''2026-03-01''');
SELECT sim.requests('SELECT name FROM crm.products WHERE update_time < ''2026-03-01''');
SELECT sim.requests('SELECT name FROM crm.products WHERE update_time >= ''2026-01-01'' AND update_time < ''2026-03-01''');
SELECT sim.requests('SELECT name FROM crm.products WHERE add_time >= ''2026-03-01''');
SELECT sim.requests('SELECT code FROM crm.currencies WHERE id = 1');
CREATE FUNCTION sim.same(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    pushed bigint[];
    plain bigint[];
BEGIN
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM crm.products WHERE %s', condition) INTO pushed;
    SET pipedrive_fdw.enable_pushdown = off;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM crm.products WHERE %s', condition) INTO plain;
    RESET pipedrive_fdw.enable_pushdown;
    RETURN format('%s: %s', condition, CASE WHEN pushed IS DISTINCT FROM plain THEN 'different' WHEN plain IS NULL THEN 'none' ELSE 'the same' END);
END $$;
SELECT sim.same(c) FROM unnest(ARRAY['id = 3', 'id IN (3, 4, 999999)', 'owner_id = ' || :owner, 'owner_id = ' || :owner || ' AND update_time >= ''2026-01-01''', 'update_time >= ''2026-01-01''',
    'update_time < ''2026-01-01''', 'update_time BETWEEN ''2025-06-01'' AND ''2026-01-01''', 'add_time >= ''2026-01-01''', 'category = ''Hardware''', 'grade IS NULL AND owner_id = ' || :owner]) AS c;
-- A mirror, by sync and by events of both versions. The small lists have one when it is asked for.
SELECT * FROM pipedrive.create_mirrors('crm');
CALL pipedrive.sync();
SELECT format('SELECT count(*) AS differences FROM ((SELECT %1$s FROM crm.products EXCEPT SELECT %1$s FROM crm_mirror.products) UNION ALL (SELECT %1$s FROM crm_mirror.products EXCEPT SELECT %1$s FROM crm.products)) AS d',
              pipedrive_internal.column_list('crm_mirror.products')) AS compared \gset
:compared;
CALL sim.mutate('[{"action": "change", "entity": "products", "id": 3, "at": "2026-06-01T09:00:00Z", "fields": {"name": "Renamed"}},
                  {"action": "create", "entity": "products", "id": 90001, "at": "2026-06-01T09:00:00Z", "fields": {"name": "New"}},
                  {"action": "delete", "entity": "products", "id": 4, "at": "2026-06-01T09:00:00Z"}]');
CALL pipedrive.sync();
CALL pipedrive.reconcile();
:compared;
-- Events say it before the next sync does, in both versions.
CREATE FUNCTION sim.deliver(version text) RETURNS TABLE (outcome text, n bigint) LANGUAGE sql AS $$
    SELECT o, count(*) FROM (SELECT pipedrive.ingest_webhook(e -> 'body') AS o FROM jsonb_array_elements(sim.call('GET', 'webhooks?version=' || version)::jsonb) AS e WHERE e ->> 'entity' IN ('product', 'products')) AS d GROUP BY 1 ORDER BY 1
$$;
SELECT sim.call('DELETE', 'webhooks') IS NULL AS never;
CALL sim.mutate('[{"action": "change", "entity": "products", "id": 5, "at": "2026-06-02T09:00:00Z", "fields": {"name": "By event", "is_linkable": false, "tax": 7}},
                  {"action": "create", "entity": "products", "id": 90002, "at": "2026-06-02T09:00:00Z", "fields": {"name": "New by event"}},
                  {"action": "delete", "entity": "products", "id": 6, "at": "2026-06-02T09:00:00Z"}]');
SELECT * FROM sim.deliver('2.0');
SELECT id, name, is_linkable, tax, _source FROM crm_mirror.products WHERE id IN (5, 6, 90002) ORDER BY id;
CALL pipedrive.sync();
:compared;
SELECT sim.call('DELETE', 'webhooks') IS NULL AS never;
CALL sim.mutate('[{"action": "change", "entity": "products", "id": 5, "at": "2026-06-03T09:00:00Z", "fields": {"name": "By an old event", "is_linkable": true}},
                  {"action": "delete", "entity": "products", "id": 7, "at": "2026-06-03T09:00:00Z"}]');
SELECT * FROM sim.deliver('1.0');
SELECT id, name, is_linkable, tax, _source FROM crm_mirror.products WHERE id IN (5, 7) ORDER BY id;
CALL pipedrive.sync();
:compared;
-- nothing is told of what did not change
SELECT id, field, count(*) FROM pipedrive.changes WHERE id IN ('5', '6', '7') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT pipedrive.create_mirror('crm.currencies', 'crm_mirror.currencies');
CALL pipedrive.sync('crm_mirror.currencies');
SELECT count(*) FROM crm_mirror.currencies WHERE active_flag;
SELECT pipedrive.drop_mirror(target) FROM pipedrive_internal.mirror;
DROP SCHEMA crm_mirror;
