\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\set steps `echo "$PIPEDRIVE_TEST_ROOT/sql/include/mirror_steps.psql"`
\i :prologue
--
-- Whoever writes: what stands in mirrors, history, inbox and catalogue is the same, byte by byte, whatever the session's settings for time
-- zones, dates, intervals and strings are.
--
CREATE PROCEDURE sim.custom_values() LANGUAGE plpgsql AS $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT * FROM (VALUES ('day', 'date', '"2026-08-09"'), ('clock', 'time', '"21:45:00"'), ('span', 'daterange', '{"value": "2026-01-02", "until": "2026-03-04"}'), ('number', 'double', '0.30000000000000004')) AS v (name, type, value) LOOP
        CALL sim.field(format('{"action": "add", "entity": "deals", "code": "%s", "name": "%s", "type": "%s"}', lpad(f.name, 40, 'e'), 'Custom ' || f.name, f.type)::jsonb);
    END LOOP;
    PERFORM pipedrive.refresh_schema('crm');
    CALL sim.mutate('[{"action": "change", "entity": "deals", "id": 3, "at": "2026-04-01T09:30:00Z", "fields": {"custom_fields": {"Custom day": "2026-08-09", "Custom number": 0.1}}}]');
END $$;
-- Everything that is kept, as text, without what a run is free to choose.
CREATE TABLE sim.kept (run text, what text, line text);
CREATE PROCEDURE sim.keep(run text) LANGUAGE plpgsql
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET standard_conforming_strings = on SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT target FROM pipedrive_internal.mirror LOOP
        EXECUTE format('INSERT INTO sim.kept SELECT $1, %L, (to_jsonb(t) - ''_synced_at'')::text FROM %s t', m.target, m.target) USING run;
    END LOOP;
    INSERT INTO sim.kept
    SELECT run, 'change', to_jsonb(c)::text FROM (SELECT entity, id, field, old_value::text, new_value::text, change_source, CASE WHEN changed_at < '2026-05-01' THEN changed_at END AS at FROM pipedrive.changes) AS c
     UNION ALL
    SELECT run, 'inbox', (to_jsonb(i) - '{seq,received_at,processed_at}'::text[])::text FROM pipedrive.inbox i
     UNION ALL
    SELECT run, 'tombstone', (to_jsonb(t) - '{arrival,recorded_at}'::text[])::text FROM (SELECT id, told_by, CASE WHEN as_of < '2026-05-01' THEN as_of END FROM pipedrive_internal.tombstone) AS t
     UNION ALL
    SELECT run, 'mark', id::text FROM pipedrive_internal.refetch
     UNION ALL
    SELECT run, 'state', to_jsonb(s)::text FROM (SELECT entity, watermark, loaded, strategy, phase, since, known_id, last_error FROM pipedrive_internal.mirror_state JOIN pipedrive_internal.mirror USING (mirror_id)) AS s
     UNION ALL
    SELECT run, 'partition', format('%s %s', c.relname, pg_get_expr(c.relpartbound, c.oid)) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'pipedrive.changes'::regclass
     UNION ALL
    SELECT run, 'rows of partition', format('%s %s', tableoid::regclass, recorded_at) FROM pipedrive.changes WHERE recorded_at < '2026-02-01'
     UNION ALL
    SELECT run, 'view', format('%s %s', c.oid::regclass, regexp_replace(pg_get_viewdef(c.oid), '\d{4,}', 'N', 'g')) FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('crm_mirror', 'crm_dashboards', 'pipedrive', 'pipedrive_internal')) AND c.relkind IN ('v', 'm')
     UNION ALL
    SELECT run, 'comment', format('%s %s', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description) FROM pg_description d WHERE pg_describe_object(d.classoid, d.objoid, d.objsubid) ~ 'crm|pipedrive'
     UNION ALL
    SELECT run, 'default', format('%s.%s %s', a.adrelid::regclass, a.adnum, pg_get_expr(a.adbin, a.adrelid)) FROM pg_attrdef a JOIN pg_class c ON c.oid = a.adrelid WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('crm_mirror', 'pipedrive', 'pipedrive_internal'))
     UNION ALL
    SELECT run, 'stage', to_jsonb(h)::text FROM crm_mirror.stage_history h
     UNION ALL
    SELECT run, 'step', format('%s %s', step, CASE WHEN step = 'drop' THEN target END) FROM pipedrive_internal.retention_steps();
END $$;
\set run plain
\o /dev/null
\i :steps
\o
RESET ALL;
SET client_min_messages = warning;
SET timezone = 'Asia/Kolkata';
SET datestyle = 'SQL, DMY';
SET intervalstyle = iso_8601;
SET escape_string_warning = off;
SET standard_conforming_strings = off;
SET bytea_output = escape;
SET extra_float_digits = -15;
SET array_nulls = off;
SET transform_null_equals = on;
SET search_path = '';
\set run hostile
\o /dev/null
\i :steps
\o
RESET ALL;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SELECT what, count(*) FILTER (WHERE run = 'plain') > 0 AS seen, count(*) FILTER (WHERE run = 'plain') = count(*) FILTER (WHERE run = 'hostile') AS same_number FROM sim.kept GROUP BY what ORDER BY what COLLATE "C";
-- what one has and the other has not
SELECT a.run, a.what, a.line FROM sim.kept a
 WHERE NOT EXISTS (SELECT FROM sim.kept b WHERE replace(b.run, 'hostile', 'plain') = replace(a.run, 'hostile', 'plain') AND b.run <> a.run AND b.what = a.what AND b.line = a.line)
 ORDER BY a.what, a.line, a.run LIMIT 40;
-- A backslash in a string of a function means itself, or the function says so.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pipedrive_fdw'
 WHERE regexp_replace(p.prosrc, '--[^\n]*', '', 'g') ~ '\\' AND NOT 'standard_conforming_strings=on' = ANY (coalesce(p.proconfig, '{}')) AND p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c');
-- bounds of months are in UTC, and a month that is too old is gone
SELECT line FROM sim.kept WHERE run = 'hostile' AND what = 'partition' AND line LIKE 'changes_2020%';
SELECT run, line FROM sim.kept WHERE what = 'rows of partition' ORDER BY run, line;
