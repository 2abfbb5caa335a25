-- See test/plpgsql/run. One line a function: 'ok' or 'not ok' with what is wrong.
SET client_min_messages = warning;
CREATE EXTENSION pipedrive_fdw;
CREATE EXTENSION plpgsql_check;

-- What functions read and somebody else makes: temporary tables of a sync, and pg_cron's.
CREATE TEMP TABLE pipedrive_gone (id text, gone boolean);
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid bigint, schedule text, command text, database text, username text, jobname text);
CREATE TABLE cron.job_run_details (jobid bigint, runid bigint, end_time timestamptz);
CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';

-- The exceptions: a routine (NULL: any), what is said of it, and why that is no fault.
CREATE TEMP TABLE explained (routine text, message text, reason text);
INSERT INTO explained VALUES
    (NULL, 'performance: target type is different type than source type: cast "integer" value to "bigint" type:%',
     'a constant, once a call; no value is lost'),
    (NULL, 'performance: routine is marked as VOLATILE, should be STABLE: attention: cannot to determine volatility of used dynamic SQL%',
     'what it executes writes, makes objects or takes locks'),
    (NULL, 'security: text type variable is not sanitized:%format(''%\%_$_%',
     'the checker does not follow numbered arguments, and takes a name that %2$I quotes for text; script/check-sql looks at each'),
    ('pipedrive_internal.listed_as', 'performance: routine is marked as VOLATILE, should be STABLE',
     'it has to see what the statement before it has staged, whoever calls it'),
    ('pipedrive.unschedule', 'performance: immutable expression without parameters found: the EXECUTE command is not necessary probably:%',
     'pg_cron may not be there'),
    ('pipedrive_internal.run_mirror', 'warning extra: composite OUT variable "result" is not single argument',
     'an INOUT argument that is a row; CALL fills it (regress file mirror_errors)'),
    ('pipedrive_internal.run', 'warning: too many attributes for target variables:%',
     'the same CALL: the checker counts the columns of the row'),
    ('pipedrive.grant_mirrors', 'security: text type variable is not sanitized:%format(''GRANT %s ON %s TO %s''%',
     'the rights are words that stand in the function, the rest is regclass and regrole'),
    ('pipedrive_internal.alter_source', 'security: text type variable is not sanitized:%EXECUTE: statement',
     'made by table_changes() with %I and %L; it runs with the rights of who may call it, who could run it himself'),
    ('pipedrive_internal.create_dashboard', 'security: text type variable is not sanitized:%',
     'query and columns stand in dashboards(); schema and time zone are put in with %I and %L'),
    ('pipedrive_internal.create_history_view', 'security: text type variable is not sanitized:%',
     'name is made with %I.%I; history_query() quotes what it puts in'),
    ('pipedrive_internal.make_live_view', 'security: text type variable is not sanitized:%',
     'name is made with %I.%I by its callers, or a regclass; live_query() quotes what it puts in'),
    ('pipedrive_internal.free_live_column', 'security: text type variable is not sanitized:%', 'live_query() quotes what it puts in'),
    ('pipedrive_internal.rebuild_live_view', 'security: text type variable is not sanitized:%EXECUTE: format(''GRANT %',
     'a word of aclexplode(), the text of a regclass and a quoted name'),
    ('pipedrive_internal.retention_step', 'security: text type variable is not sanitized:%',
     'steps are made by retention_steps(): a regclass, or a statement that stands there; only the owner and keepers may call it, as themselves'),
    ('pipedrive_internal.rows_as_they_are', 'security: text type variable is not sanitized:%', 'column_list() quotes');

CREATE TEMP VIEW ours AS
SELECT p.oid, p.oid::regprocedure AS routine, p.prorettype, l.lanname
  FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid JOIN pg_language l ON l.oid = p.prolang
 WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
   AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pipedrive_fdw');

-- A trigger function for each table that it is on; of a polymorphic one, record stands for any row.
CREATE TEMP TABLE found AS
SELECT o.routine::text, c.relation, c.line, c.message
  FROM ours o
  LEFT JOIN LATERAL (SELECT DISTINCT t.tgrelid AS relation FROM pg_trigger t
                      WHERE t.tgfoid = o.oid AND t.tgparentid = 0) AS t ON true
 CROSS JOIN LATERAL (
       SELECT t.relation::regclass AS relation, f.lineno AS line,
              concat_ws(': ', f.level, f.message, f.detail, f.context, f.statement, left(f.query, 600)) AS message
         FROM plpgsql_check_function_tb(o.oid, coalesce(t.relation, 0), fatal_errors => false, all_warnings => true) AS f) AS c
 WHERE o.lanname = 'plpgsql' AND (o.prorettype <> 'trigger'::regtype OR t.relation IS NOT NULL);

INSERT INTO found
SELECT o.routine::text, NULL, NULL, 'error: no trigger calls it'
  FROM ours o
 WHERE o.prorettype = 'trigger'::regtype AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = o.oid);

SET check_function_bodies = on;
DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT routine, pg_get_functiondef(oid) AS definition FROM ours WHERE lanname = 'sql' LOOP
        BEGIN
            EXECUTE o.definition;
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO found VALUES (o.routine, NULL, NULL, 'error: ' || SQLERRM);
        END;
    END LOOP;
END
$$;

SELECT CASE WHEN count(f.message) = 0 THEN format('ok %s', o.routine)
            ELSE format('not ok %s%s', o.routine,
                        string_agg(format(E'\n    %s%s', 'on ' || f.relation || ' ', coalesce('line ' || f.line || ': ', '') || f.message),
                                   '' ORDER BY f.line)) END
  FROM ours o
  LEFT JOIN found f ON f.routine = o.routine::text
                   AND NOT EXISTS (SELECT FROM explained e
                                    WHERE coalesce(e.routine = split_part(f.routine, '(', 1), true) AND f.message LIKE e.message)
 WHERE o.lanname IN ('plpgsql', 'sql')
 GROUP BY o.routine ORDER BY o.routine::text COLLATE "C";

-- Other versions say other things: what they do not say is no news.
SELECT format('not ok the exception of %s is none any more: %s', coalesce(e.routine, 'any'), e.message)
  FROM explained e
 WHERE NOT EXISTS (SELECT FROM found f WHERE coalesce(e.routine = split_part(f.routine, '(', 1), true) AND f.message LIKE e.message)
   AND (SELECT x.extversion FROM pg_extension x WHERE x.extname = 'plpgsql_check') = '2.3';

-- And it does find what is wrong.
SET check_function_bodies = off;
CREATE FUNCTION pg_temp.faulty(n integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT c.no_column FROM pg_class c LIMIT n); END $$;
SELECT CASE WHEN count(*) FILTER (WHERE f.level = 'error') > 0 THEN 'ok' ELSE 'not ok' END || ' a fault is found'
  FROM plpgsql_check_function_tb('pg_temp.faulty(integer)'::regprocedure, all_warnings => true) AS f;
