-- What runs regularly: pg_cron jobs, and what they clean up.

CREATE FUNCTION _jobs(sync_every text, views_every text, apply_every text, reconcile_every text, retention_every text)
RETURNS TABLE (job text, schedule text, command text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('pipedrive_%s_%s', current_database(), j.what), btrim(j.schedule), j.command
      FROM (VALUES ('sync', sync_every, 'CALL pipedrive.sync()'),
                   ('apply', apply_every, 'CALL pipedrive.apply_inbox()'),
                   ('views', views_every, 'CALL pipedrive.refresh_views()'),
                   ('reconcile', reconcile_every, 'CALL pipedrive.reconcile()'),
                   ('retention', retention_every, 'CALL pipedrive.apply_retention()')) AS j (what, schedule, command)
$$;
COMMENT ON FUNCTION _jobs(text, text, text, text, text) IS 'names, times and commands of the jobs';

CREATE FUNCTION _has_cron() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron')
$$;
COMMENT ON FUNCTION _has_cron() IS 'whether pg_cron is in this database';

CREATE FUNCTION _explain_no_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place text := current_setting('cron.database_name', true);
BEGIN
    IF place = current_database() THEN
        RAISE NOTICE 'pg_cron is loaded, but not created in this database: nothing is changed' USING HINT = 'CREATE EXTENSION pg_cron, then call this again.';
    ELSIF place IS NOT NULL THEN
        RAISE NOTICE 'pg_cron lives in database "%": nothing is changed', place USING HINT = 'Run the statements of column "statement" there.';
    ELSE
        RAISE NOTICE 'pg_cron is not installed: nothing is changed'
            USING HINT = 'Let cron or a systemd timer run the commands with psql, or install pg_cron and run the statements of column "statement" in its database.';
    END IF;
END
$$;
COMMENT ON FUNCTION _explain_no_cron() IS 'says why nothing was scheduled';

CREATE FUNCTION schedule(sync_every text DEFAULT '*/5 * * * *', views_every text DEFAULT '* * * * *', apply_every text DEFAULT '* * * * *',
                         reconcile_every text DEFAULT '17 3 * * 0', retention_every text DEFAULT '43 2 * * *')
RETURNS TABLE (job text, schedule text, command text, scheduled boolean, statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    j record;
BEGIN
    IF NOT pipedrive._has_cron() THEN
        PERFORM pipedrive._explain_no_cron();
        RETURN QUERY SELECT k.job, k.schedule, k.command, false,
                            format('SELECT cron.schedule_in_database(%L, %L, %L, %L)', k.job, k.schedule, k.command, current_database())
                       FROM pipedrive._jobs(sync_every, views_every, apply_every, reconcile_every, retention_every) k WHERE k.schedule IS NOT NULL;
        RETURN;
    END IF;
    FOR j IN SELECT * FROM pipedrive._jobs(sync_every, views_every, apply_every, reconcile_every, retention_every) LOOP
        IF j.schedule IS NULL THEN -- not wanted: nor any longer
            EXECUTE 'SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = $1 AND username = current_user' USING j.job;
            CONTINUE;
        END IF;
        statement := format('SELECT cron.schedule(%L, %L, %L)', j.job, j.schedule, j.command);
        EXECUTE statement;
        RETURN QUERY SELECT j.job, j.schedule, j.command, true, statement;
    END LOOP;
END
$$;
COMMENT ON FUNCTION schedule(text, text, text, text, text) IS
    'puts sync, webhook inbox, materialized views, reconcile and retention of this database on pg_cron, with cron''s five fields (in GMT unless cron.timezone says otherwise), NULL: not; again: changes the times. Without pg_cron in this database nothing is done and statement says what to run where it is';

CREATE FUNCTION unschedule() RETURNS TABLE (job text, unscheduled boolean, statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT pipedrive._has_cron() THEN
        PERFORM pipedrive._explain_no_cron();
        RETURN QUERY SELECT k.job, false, format('SELECT cron.unschedule(%L)', k.job) FROM pipedrive._jobs(NULL::text, NULL::text, NULL::text, NULL::text, NULL::text) k;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE $query$
        SELECT c.jobname::text, cron.unschedule(c.jobid), format('SELECT cron.unschedule(%L)', c.jobname)
          FROM pipedrive._jobs(NULL::text, NULL::text, NULL::text, NULL::text, NULL::text) k JOIN cron.job c ON c.jobname = k.job AND c.username = current_user $query$;
END
$$;
COMMENT ON FUNCTION unschedule() IS 'takes the jobs of schedule() off pg_cron; without pg_cron in this database statement says what to run where it is';

-- Retention ---------------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION _partition_month(partition regclass) RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
    SELECT to_date(right(c.relname, 6), 'YYYYMM') FROM pg_class c WHERE c.oid = partition AND c.relname ~ '^changes_\d{6}$'
$$;
COMMENT ON FUNCTION _partition_month(regclass) IS 'first day of the month of a partition of changes; NULL for others';

-- A partition of its own for a month (UTC). Rows that the default partition took for it move along, which keeps writers waiting meanwhile.
CREATE FUNCTION _create_change_partition(month date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    partition text := 'changes_' || to_char(month, 'YYYYMM');
    lower timestamptz := month::timestamp AT TIME ZONE 'UTC';
    upper timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass('pipedrive.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE pipedrive.changes IN SHARE UPDATE EXCLUSIVE MODE;
    LOCK TABLE pipedrive.changes_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE pipedrive.%I (LIKE pipedrive.changes INCLUDING DEFAULTS INCLUDING COMMENTS)', partition);
    EXECUTE format('COMMENT ON TABLE pipedrive.%I IS %L', partition, 'changes recorded in ' || to_char(month, 'YYYY-MM'));
    EXECUTE format('WITH moved AS (DELETE FROM pipedrive.changes_default WHERE recorded_at >= $1 AND recorded_at < $2 RETURNING *)
                    INSERT INTO pipedrive.%I SELECT * FROM moved', partition) USING lower, upper;
    EXECUTE format('CREATE INDEX %I ON pipedrive.%I (mirror_id, id, field, changed_at)', partition || '_id', partition);
    EXECUTE format('ALTER TABLE pipedrive.changes ATTACH PARTITION pipedrive.%I FOR VALUES FROM (%L) TO (%L)', partition, lower, upper);
    RETURN true;
END
$$;
COMMENT ON FUNCTION _create_change_partition(date) IS 'makes the partition of changes for a month, unless it exists';

-- One step of apply_retention(), which commits each. A lock that does not come within seconds is left to the next time.
CREATE FUNCTION _retention_step(step text, target text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET lock_timeout = '5s' AS $$
BEGIN
    CASE step
    WHEN 'create' THEN PERFORM pipedrive._create_change_partition(target::date);
    WHEN 'drop' THEN EXECUTE format('DROP TABLE %s', target);
    WHEN 'run' THEN EXECUTE target;
    END CASE;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RAISE NOTICE 'retention: "% %" waits for another time: %', step, target, SQLERRM;
END
$$;
COMMENT ON FUNCTION _retention_step(text, text) IS 'one step of apply_retention()';

CREATE FUNCTION _retention_steps() RETURNS TABLE (step text, target text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
    WITH keep AS (
        SELECT nullif(pipedrive._setting('changes_retention'::text, 'forever'::text), 'forever')::interval AS changes,
               pipedrive._setting('refresh_log_retention'::text, '30 days'::text)::interval AS refresh_log,
               pipedrive._setting('cron_log_retention'::text, '7 days'::text)::interval AS cron_log
    )
    SELECT 'create', to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month', 'YYYY-MM-DD')
      FROM generate_series(0, 2) AS n
     UNION ALL
    SELECT 'drop', i.inhrelid::regclass::text
      FROM keep CROSS JOIN pg_inherits i
     WHERE i.inhparent = 'pipedrive.changes'::regclass
       AND (pipedrive._partition_month(i.inhrelid) + interval '1 month') AT TIME ZONE 'UTC' <= now() - keep.changes
     UNION ALL
    SELECT 'run', format('DELETE FROM pipedrive.changes_default WHERE recorded_at < %L', now() - keep.changes) FROM keep WHERE keep.changes IS NOT NULL
     UNION ALL
    SELECT 'run', format('DELETE FROM pipedrive.refresh_log WHERE started < %L', now() - keep.refresh_log) FROM keep
     UNION ALL
    SELECT 'run', 'SELECT pipedrive._forget_dropped_views()'
     UNION ALL
    SELECT 'run', CASE p.prokind WHEN 'p' THEN 'CALL ' ELSE 'SELECT ' END || 'pipedrive.purge_inbox()'
      FROM pg_proc p WHERE p.pronamespace = 'pipedrive'::regnamespace AND p.proname = 'purge_inbox' AND p.pronargs = p.pronargdefaults
     UNION ALL
    SELECT 'run', format('DELETE FROM cron.job_run_details r USING cron.job j, pipedrive._jobs(NULL::text, NULL::text, NULL::text, NULL::text, NULL::text) k
                           WHERE r.jobid = j.jobid AND j.jobname = k.job AND r.end_time < %L', now() - keep.cron_log)
      FROM keep WHERE pipedrive._has_cron()
$$;
COMMENT ON FUNCTION _retention_steps() IS 'what apply_retention() would do now';

CREATE PROCEDURE apply_retention()
LANGUAGE plpgsql AS $$
DECLARE
    steps pg_catalog.text[] := ARRAY(SELECT ARRAY[s.step, s.target] FROM pipedrive._retention_steps() s);
    s pg_catalog.text[];
BEGIN
    COMMIT; -- inside a transaction block this is the error, before anything is done
    FOREACH s SLICE 1 IN ARRAY steps LOOP
        PERFORM pipedrive._retention_step(s[1], s[2]);
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE apply_retention() IS
    'deletes what is older than settings refresh_log_retention (30 days), changes_retention (default: forever), cron_log_retention (7 days) and the inbox''s own, and makes the partitions of changes for this and the next two months';
