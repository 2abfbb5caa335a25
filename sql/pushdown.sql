\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Which WHERE clauses become request parameters. A matrix: predicate -> class and requests, and for every row
-- the ids must be the same with push-down, without it, and on a local copy of the table.
--
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
CREATE SCHEMA copy;
SET pipedrive_fdw.enable_pushdown = off;
CREATE TABLE copy.deals AS SELECT * FROM crm.deals;
CREATE TABLE copy.persons AS SELECT * FROM crm.persons;
CREATE TABLE copy.organizations AS SELECT * FROM crm.organizations;
CREATE TABLE copy.activities AS SELECT * FROM crm.activities;
CREATE TABLE copy.pipelines AS SELECT * FROM crm.pipelines;
CREATE TABLE copy.stages AS SELECT * FROM crm.stages;
CREATE TABLE copy.users AS SELECT * FROM crm.users;
RESET pipedrive_fdw.enable_pushdown;
-- The copies are complete: the simulator's own rows agree.
SELECT entity, rows, truth, rows = truth AS same
  FROM (VALUES ('deals', sim.ids('SELECT id FROM copy.deals')), ('persons', sim.ids('SELECT id FROM copy.persons')),
               ('organizations', sim.ids('SELECT id FROM copy.organizations')),
               ('activities', sim.ids('SELECT id FROM copy.activities')), ('pipelines', sim.ids('SELECT id FROM copy.pipelines')),
               ('stages', sim.ids('SELECT id FROM copy.stages')), ('users', sim.ids('SELECT id FROM copy.users'))) AS c (entity, ids),
       LATERAL (SELECT array_length(ids, 1)) AS n (rows),
       LATERAL (SELECT array_length(sim.ids(format('SELECT id FROM sim.rows(%L)', entity)), 1)) AS t (truth);
-- Predicates are tried one by one; the lines below each are the requests really made, less their limit.
CREATE FUNCTION sim.try(entity text, predicate text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    query text := format('SELECT id FROM crm.%I WHERE %s', entity, predicate);
    class text;
    pushed bigint[];
    unpushed bigint[];
    copied bigint[];
    asked text[];
BEGIN
    -- a contradiction is shown as such, whatever its clauses are called
    SELECT coalesce(max(substring(l FROM '^Pipedrive Request: (none .*)')), string_agg(DISTINCT c, ', ' ORDER BY c), 'no filter') INTO class
      FROM sim.plan(query) AS l,
           LATERAL (SELECT CASE split_part(l, ':', 1) WHEN 'Pushed Exactly' THEN 'exact' WHEN 'Pushed as Superset' THEN 'superset'
                                WHEN 'Checked Locally' THEN 'local' END) AS x (c);
    PERFORM sim.call('DELETE', 'journal');
    BEGIN
        pushed := sim.ids(query);
    EXCEPTION WHEN OTHERS THEN
        RETURN NEXT format(E'%s WHERE %s\n    WRONG: error %s', entity, predicate, SQLERRM);
        RETURN QUERY SELECT '    ' || j FROM sim.journal() AS j;
        RETURN;
    END;
    asked := ARRAY(SELECT regexp_replace(regexp_replace(j, '^GET ', ''), '([?])limit=500&|[?&]limit=500', '\1') FROM sim.journal() AS j);
    PERFORM set_config('pipedrive_fdw.enable_pushdown', 'off', false);
    unpushed := sim.ids(query);
    PERFORM set_config('pipedrive_fdw.enable_pushdown', 'on', false);
    copied := sim.ids(replace(query, 'crm.', 'copy.'));
    RETURN NEXT format('%s WHERE %s', entity, predicate);
    RETURN NEXT format('    %s, %s rows%s', class, coalesce(array_length(copied, 1), 0),
                       CASE WHEN pushed = copied AND unpushed = copied THEN ''
                            ELSE format(' WRONG: pushed %s, unpushed %s, copy %s', pushed, unpushed, copied) END);
    IF asked = '{}' THEN RETURN NEXT '    no request'; END IF;
    RETURN QUERY SELECT '    ' || a FROM unnest(asked) AS a;
END $$;
\pset format unaligned
\pset tuples_only on
-- id
SELECT sim.try('deals', p) FROM unnest(ARRAY[
    'id = 7', '7 = id', 'id = 7::int', 'id = 7::smallint', 'id = 3000000000', 'id = 3000000001', 'id = 999999',
    'id = 0', 'id = -5', 'id = 9223372036854775807', 'id IN (3, 1, 2, 2)', 'id IN (3, NULL)', 'id = ANY (ARRAY[5, 6])',
    'id = ANY (ARRAY[5, 6]::int[])', 'id = ANY (''{}''::bigint[])', 'id = ANY (NULL::bigint[])', 'id = ANY (ARRAY[NULL]::bigint[])',
    'id = ANY (ARRAY[[1, 2], [3, 4]])', 'id IN (1, -1, 0)', 'id = NULL', 'id IS NULL', 'id IS NOT NULL', 'id <> 7', 'id < 4', 'id BETWEEN 3 AND 5',
    'id = 7 AND id = 8', 'id = 7 AND id IN (7, 8)', 'id IN (1, 2, 3) AND id IN (2, 3, 4)', 'id = 7 OR id = 8', 'id = 7.0', 'id = 7.5',
    'id::text = ''7''', 'id + 0 = 7', 'id = ALL (ARRAY[7, 7])', 'id <> ALL (ARRAY[1, 2])', 'NOT id = 7', 'id = 7 AND status = ''open''',
    'id IN (1, 2, 3, 4, 10, 22) AND is_archived', 'id IN (1, 2, 3, 4, 10, 22) AND NOT is_archived',
    'id IN (1, 2, 3) AND update_time > ''2026-01-01''', 'id = person_id', '(id, status) = (7, ''open'')', 'id = length(title)',
    'id = 13', 'id = 7 AND random() >= 0', 'id = (7 + random() * 0)::int', 'id = 10', 'id IN (10, 22)']) AS p;
-- status
SELECT sim.try('deals', p) FROM unnest(ARRAY[
    'status = ''open''', '''won'' = status', 'status = ''OPEN''', 'status = ''''', 'status = ''deleted''', 'status = ''archived''', 'status = ''open,won''',
    'status = ''open ''', 'status IN (''won'', ''lost'')', 'status IN (''won'', ''deleted'')', 'status IN (''won'', ''new'')', 'status IN (''won'', NULL)',
    'status IN (''won'', ''lost'', ''open'')', 'status = ANY (ARRAY[''lost''])', 'status = ANY (ARRAY[''lost'', ''won'']) AND status <> ''won''',
    'status = ''open'' AND status = ''won''', 'status IN (''open'', ''won'') AND status IN (''won'', ''lost'')', 'status <> ''open''', 'NOT status = ''open''',
    'status IS NULL', 'status IS NOT NULL', 'status = NULL', 'status LIKE ''o%''', 'status ~ ''^o''', 'upper(status) = ''OPEN''', 'status = ''open'' OR status = ''lost''',
    'status > ''o''', 'status = ''open''::varchar', 'status = ''open''::name', 'status = ''open''::char(10)', 'status COLLATE "C" = ''open''',
    'status = ''deleted'' AND status = ''open''', 'status <> ALL (ARRAY[''open'', ''won''])', 'status IS NOT DISTINCT FROM ''won''']) AS p;
-- equality on references
SELECT sim.try('deals', p) FROM unnest(ARRAY[
    'owner_id = 25455458', 'owner_id = 25455458::int8', 'owner_id IN (25455458)', 'owner_id IN (25455458, 25455459)', 'owner_id = 0', 'owner_id = -1', 'owner_id = NULL', 'owner_id IS NULL',
    'owner_id = 25455458 AND owner_id = 25455459', 'owner_id IN (25455458, 25455459) AND owner_id IN (25455459, 25455460)', 'owner_id <> 25455458',
    'owner_id > 25455460', 'person_id = 5', 'person_id IS NULL', 'person_id = 3000000000', 'person_id = 9223372036854775807', 'org_id = 3', 'org_id = 3 AND person_id = 5',
    'pipeline_id = 2', 'stage_id = 3', 'stage_id = 3 AND pipeline_id = 1', 'stage_id = 3 AND pipeline_id = 2', 'stage_id IN (3, 4)', 'stage_id = 3 OR stage_id = 4',
    'pipeline_id = 1 AND status IN (''open'', ''won'') AND owner_id = 25455458', 'pipeline_id IN (1, 2, 3)', 'pipeline_id = stage_id',
    'pipeline_id = 2.0', 'creator_user_id = 25455458', 'currency = ''EUR''', 'value > 1000', 'value = 0', 'label_ids @> ARRAY[1]::bigint[]',
    'pipeline_id = 1 AND value > 1000', 'pipeline_id = 1 AND title LIKE ''A%''', 'title IS NULL', 'pipeline_id IS NOT DISTINCT FROM 2', 'true', 'false', 'NULL']) AS p;
-- archived
SELECT sim.try('deals', p) FROM unnest(ARRAY[
    'is_archived', 'NOT is_archived', 'is_archived = true', 'is_archived = false', 'is_archived <> true', 'is_archived IS TRUE', 'is_archived IS NOT TRUE', 'is_archived IS FALSE',
    'is_archived IS NOT FALSE', 'is_archived IS NULL', 'is_archived IS UNKNOWN', 'is_archived AND NOT is_archived', 'is_archived = NULL', 'is_archived IN (true)', 'is_archived IN (true, false)',
    'is_archived AND status = ''open''', 'is_archived OR status = ''won''', 'is_archived = (status = ''open'')', 'NOT (NOT is_archived)', 'is_archived AND archive_time IS NOT NULL',
    'archive_time > ''2026-01-01''', 'is_deleted', 'NOT is_deleted']) AS p;
-- update_time
SELECT sim.try('deals', p) FROM unnest(ARRAY[
    'update_time >= ''2026-03-01 00:00:00+00''', 'update_time > ''2026-03-01 00:00:00+00''', 'update_time <= ''2026-03-01 00:00:00+00''', 'update_time < ''2026-03-01 00:00:00+00''',
    'update_time = ''2026-03-01 00:00:00+00''', 'update_time <> ''2026-03-01 00:00:00+00''', '''2026-03-01 00:00:00+00'' <= update_time', '''2026-03-01 00:00:00+00'' > update_time',
    'update_time >= ''2026-03-01 00:00:00.5+00''', 'update_time > ''2026-02-28 23:59:59.999999+00''', 'update_time <= ''2026-02-28 23:59:59.999999+00''', 'update_time < ''2026-02-28 23:59:59.000001+00''',
    'update_time = ''2026-03-01 00:00:00.5+00''', 'update_time <= ''2026-02-28 23:59:58.999999+00''', 'update_time BETWEEN ''2026-03-01'' AND ''2026-03-02''',
    'update_time >= ''2026-03-01'' AND update_time < ''2026-03-01''', 'update_time > ''2026-03-02'' AND update_time < ''2026-03-01''',
    'update_time >= ''2026-02-28 23:59:59'' AND update_time <= ''2026-02-28 23:59:59''', 'update_time > ''2026-02-28 23:59:59'' AND update_time < ''2026-03-01 00:00:00''',
    'update_time >= ''2026-03-01 02:00:00+02''', 'update_time >= ''2026-02-28 16:00:00-08''', 'update_time >= ''infinity''', 'update_time > ''-infinity''', 'update_time >= ''-infinity''', 'update_time <= ''infinity''',
    'update_time < ''infinity''', 'update_time < ''-infinity''', 'update_time <= ''-infinity''', 'update_time = ''infinity''', 'update_time = ''-infinity''', 'update_time IS NULL', 'update_time IS NOT NULL',
    'update_time = NULL', 'update_time > NULL', 'update_time >= ''0044-03-15 BC''', 'update_time <= ''0044-03-15 BC''', 'update_time < ''294276-12-31 23:59:59''', 'update_time > ''294276-12-31 23:59:59''', 'update_time >= ''1969-12-31 23:59:59''',
    'update_time >= DATE ''2026-03-01''', 'update_time < DATE ''2026-03-01''', 'update_time <= DATE ''2026-03-01''', 'update_time = DATE ''2026-03-01''', 'update_time >= TIMESTAMP ''2026-03-01 00:00:00''', 'update_time < TIMESTAMP ''2026-03-01 00:00:00.25''',
    'update_time >= DATE ''infinity''', 'update_time <= DATE ''infinity''', 'update_time < DATE ''5874897-12-31''', 'update_time > DATE ''5874897-12-31''', 'update_time >= DATE ''4713-01-01 BC''',
    'update_time::date = ''2026-03-01''', 'update_time::date >= ''2026-03-01''', 'date_trunc(''month'', update_time) = ''2026-03-01''', 'update_time >= add_time', 'update_time IN (''2026-03-01'', ''2026-02-28 23:59:59'')',
    'update_time >= ''2026-03-01'' AND status = ''open'' AND NOT is_archived', 'update_time > ''2026-01-01'' OR update_time IS NULL', 'NOT update_time < ''2026-03-01''', 'add_time >= ''2026-03-01''', 'close_time >= ''2026-03-01''',
    'update_time >= ''2026-03-01'' AND update_time >= ''2026-02-01'' AND update_time <= ''2026-04-01'' AND update_time < ''2026-03-20''', 'update_time - interval ''1 day'' >= ''2026-02-28''', 'coalesce(update_time, add_time) >= ''2026-03-01''']) AS p;
-- the other entities
SELECT sim.try('persons', p) FROM unnest(ARRAY[
    'id IN (1, 2, 3)', 'owner_id = 25455458', 'org_id = 3', 'org_id IS NULL', 'owner_id = 25455458 AND org_id = 3', 'update_time >= ''2026-03-01''', 'name = ''Anna''', 'email = ''p1.10@example.com''',
    'id = 31', 'id IN (3000000000, 3000000007)', 'open_deals_count > 0', 'add_time < ''2025-01-01''']) AS p;
SELECT sim.try('organizations', p) FROM unnest(ARRAY[
    'id = ANY (ARRAY[1, 2, 3])', 'owner_id = 25455460', 'owner_id = 25455460 AND update_time < ''2026-03-01''', 'update_time IS NULL', 'name ILIKE ''%gmbh''', 'people_count = 0']) AS p;
SELECT sim.try('activities', p) FROM unnest(ARRAY[
    'id = 1', 'done', 'NOT done', 'done = true', 'done = false', 'done IS FALSE', 'done IS NOT TRUE', 'done IS NULL', 'done AND NOT done', 'done <> false', 'done = NULL', 'owner_id = 25455458 AND done',
    'deal_id = 3', 'deal_id IS NULL', 'deal_id IN (3, 4)', 'deal_id = 3 AND NOT done', 'person_id = 4', 'org_id = 2', 'update_time >= ''2026-03-01'' AND done', 'due_date = ''2026-03-01''', 'type = ''call''',
    'lead_id IS NOT NULL', 'busy', 'participants @> ''[{"person_id": 4}]''', 'project_id = 1', 'creator_user_id = 25455458']) AS p;
SELECT sim.try('pipelines', p) FROM unnest(ARRAY['id = 1', 'id IN (1, 2)', 'name = ''Sales''', 'update_time >= ''2020-01-01''', 'NOT is_deleted']) AS p;
SELECT sim.try('stages', p) FROM unnest(ARRAY['pipeline_id = 2', 'pipeline_id IN (1, 2)', 'id = 3', 'pipeline_id = 2 AND order_nr < 3', 'update_time IS NULL', 'pipeline_id = 1 AND pipeline_id = 2', 'pipeline_id = NULL']) AS p;
SELECT sim.try('users', p) FROM unnest(ARRAY['id = 25455458', 'active_flag', 'email = ''user1@example.com''', 'last_login > ''2026-03-05''']) AS p;
-- Comparisons that look pushable and must not be: another operator of the same name, another collation.
CREATE FUNCTION sim.same(bigint, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 10 = $2 % 10';
CREATE OPERATOR sim.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = sim.same);
SELECT sim.try('deals', 'pipeline_id OPERATOR(sim.=) 11::bigint');
SELECT sim.try('deals', 'id OPERATOR(sim.=) 11::bigint');
-- Columns under other names and types: what counts is the field, and whether the types compare as the API does.
CREATE FOREIGN TABLE crm.odd (id bigint, phase bigint OPTIONS (field 'stage_id'), stage_id bigint OPTIONS (field 'pipeline_id'),
    state varchar(10) OPTIONS (field 'status'), pipeline_id int, owner_id numeric, person_id text, changed timestamptz OPTIONS (field 'update_time'), update_time text OPTIONS (field 'add_time'),
    status text COLLATE "C", org_id smallint) SERVER crm OPTIONS (entity 'deals');
CREATE TABLE copy.odd AS SELECT id, stage_id AS phase, pipeline_id AS stage_id, status::varchar(10) AS state, pipeline_id::int AS pipeline_id, owner_id::numeric AS owner_id, person_id::text AS person_id,
    update_time AS changed, add_time::text AS update_time, status COLLATE "C" AS status, NULL::smallint AS org_id FROM copy.deals;
SELECT sim.try('odd', p) FROM unnest(ARRAY['phase = 3', 'stage_id = 2', 'state = ''open''', 'state IN (''won'', ''lost'')', 'pipeline_id = 2', 'owner_id = 25455458', 'person_id = ''5''', 'changed >= ''2026-03-01''', 'status = ''won''',
    'update_time > ''2026''']) AS p;
-- An id shown as text is compared as text.
CREATE FOREIGN TABLE crm.text_id (id text, done text, owner_id text, update_time text) SERVER crm OPTIONS (entity 'activities');
CREATE TABLE copy.text_id AS SELECT id::text, done::text, owner_id::text, update_time::text FROM copy.activities;
CREATE OR REPLACE FUNCTION sim.ids(query text) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(id::bigint ORDER BY id::bigint), ''{}'') FROM (%s) AS q', query) INTO ids;
    RETURN ids;
END $$;
SELECT sim.try('text_id', p) FROM unnest(ARRAY['id = ''7''', 'id IN (''7'', ''8'')', 'id = ''07''', 'id < ''2''', 'done = ''true''', 'owner_id = ''25455458''', 'owner_id IN (''25455458'')', 'update_time = ''2026-03-01 00:00:00+00''']) AS p;
