-- CALL apply_retention(): what is old enough goes, and the partitions of the next months are made.

CREATE OR REPLACE FUNCTION pipedrive_internal.forget_old(
    kept regclass, age_column name, setting text, fallback text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('DELETE FROM %s WHERE %I < $1', kept, age_column)
      USING pipedrive_internal.retention_cutoff(setting, fallback);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.forget_old(regclass, name, text, text) IS
    'deletes rows that are older than a setting says; their number';

-- An event that is still in the inbox could raise the row again when it is run again.
CREATE OR REPLACE FUNCTION pipedrive_internal.forget_tombstones() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz := pipedrive_internal.retention_cutoff('tombstone_retention'::text,
                                                              '90 days'::text);
    n bigint;
BEGIN
    DELETE FROM pipedrive_internal.tombstone t
     WHERE t.recorded_at < cutoff
       AND NOT EXISTS (SELECT FROM pipedrive_internal.mirror m
                         JOIN pipedrive_internal.webhook_object o ON o.entity = m.entity
                         JOIN pipedrive.inbox i ON i.entity = o.object
                        WHERE m.mirror_id = t.mirror_id AND i.entity_id = t.id);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.forget_tombstones() IS
    'forgets deletions older than setting tombstone_retention of which no event is stored; their '
    'number';

CREATE OR REPLACE FUNCTION pipedrive_internal.forget_cron_runs() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE 'DELETE FROM cron.job_run_details r
              USING cron.job j,
                    pipedrive_internal.jobs(NULL::text, NULL::text, NULL::text, NULL::text,
                                            NULL::text) k
              WHERE r.jobid = j.jobid AND j.jobname = k.job AND r.end_time < $1'
      USING pipedrive_internal.retention_cutoff('cron_log_retention'::text, '7 days'::text);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.forget_cron_runs() IS
    'deletes pg_cron''s log of our jobs as setting cron_log_retention says; number of runs';

-- One step of apply_retention(), which commits each. A lock that does not come within seconds is
-- left to the next time.
CREATE OR REPLACE FUNCTION pipedrive_internal.retention_step(step text, target text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
SET lock_timeout = '5s' AS $$
DECLARE
    message text;
    detail text;
    hint text;
    context text;
BEGIN
    CASE step
    WHEN 'create' THEN PERFORM pipedrive_internal.create_change_partition(target::date);
    WHEN 'drop' THEN EXECUTE format('DROP TABLE %s', target);
    WHEN 'run' THEN EXECUTE target;
    ELSE RETURN NULL;
    END CASE;
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RAISE NOTICE 'retention: "% %" waits for another time: %', step, target, SQLERRM;
    RETURN true;
WHEN assert_failure OR OTHERS THEN -- the other steps go on
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RAISE WARNING 'retention: %',
        pipedrive_internal.error_text(SQLSTATE, message, detail, hint, context);
    RETURN false;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.retention_step(text, text) IS
    'one step of apply_retention(); whether it did not fail';

CREATE OR REPLACE FUNCTION pipedrive_internal.retention_steps()
RETURNS TABLE (step text, target text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
    SELECT 'create', to_char(date_trunc('month', now() AT TIME ZONE 'UTC')
                             + n * interval '1 month', 'YYYY-MM-DD')
      FROM generate_series(0, 2) AS n
     UNION ALL
    SELECT 'drop', p::text FROM pipedrive_internal.old_partitions() AS p
     UNION ALL
    SELECT 'run', format('SELECT pipedrive_internal.forget_old(%L::regclass, %L::name, '
                         '%L::text, %L::text)',
                         v.kept, v.age_column, v.setting, v.fallback)
      FROM (VALUES ('pipedrive.changes_default', 'recorded_at', 'changes_retention', 'forever'),
                   ('pipedrive.refresh_log', 'started', 'refresh_log_retention', '30 days'))
           AS v (kept, age_column, setting, fallback)
     UNION ALL
    SELECT 'run', v.call
      FROM (VALUES ('SELECT pipedrive_internal.forget_dropped_views()'),
                   ('SELECT pipedrive_internal.purge_settled()'),
                   ('SELECT pipedrive_internal.purge_queued()'),
                   ('SELECT pipedrive_internal.forget_tombstones()')) AS v (call)
     UNION ALL
    SELECT 'run', 'SELECT pipedrive_internal.forget_cron_runs()' WHERE pipedrive_internal.has_cron()
$$;
COMMENT ON FUNCTION pipedrive_internal.retention_steps() IS 'what apply_retention() would do now';

CREATE OR REPLACE PROCEDURE pipedrive.apply_retention()
LANGUAGE plpgsql AS $$
DECLARE
    steps pg_catalog.text[] := ARRAY(SELECT ARRAY[s.step, s.target]
                                       FROM pipedrive_internal.retention_steps() s);
    s pg_catalog.text[];
    failed pg_catalog.int4 := 0;
BEGIN
    COMMIT; -- inside a transaction block this is the error, before anything is done
    FOREACH s SLICE 1 IN ARRAY steps LOOP
        IF NOT pipedrive_internal.retention_step(s[1], s[2]) THEN
            failed := failed OPERATOR(pg_catalog.+) 1;
        END IF;
        COMMIT;
    END LOOP;
    IF failed OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = pg_catalog.format('%s of %s steps of retention failed', failed,
                                        pg_catalog.array_length(steps, 1)),
            HINT = 'The warnings before this tell why. The other steps are done.';
    END IF;
END
$$;
COMMENT ON PROCEDURE pipedrive.apply_retention() IS
    'deletes what is older than settings refresh_log_retention (30 days), changes_retention '
    '(default: forever), inbox_retention (7 days), queue_retention (30 days), tombstone_retention '
    '(90 days) and cron_log_retention (7 days), and makes the partitions of changes for this and '
    'the next two months; a step that fails is a warning and, when the others are done, an error';
