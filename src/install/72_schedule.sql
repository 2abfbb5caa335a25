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

-- pg_cron shows each role its own jobs only: this one runs as the extension's owner, and tells names of roles and of our jobs.
CREATE FUNCTION _jobs_of_others(caller name) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    EXECUTE 'SELECT string_agg(o.line, ''; '' ORDER BY o.line)
               FROM (SELECT format(''%s: %s'', c.username, string_agg(c.jobname, '', '' ORDER BY c.jobname)) AS line
                       FROM cron.job c
                       JOIN pipedrive._jobs(NULL::text, NULL::text, NULL::text, NULL::text, NULL::text) k ON k.job = c.jobname
                      WHERE c.username <> $1
                      GROUP BY c.username) AS o' INTO found USING caller;
    RETURN found;
END
$$;
COMMENT ON FUNCTION _jobs_of_others(name) IS 'jobs of schedule() that other roles have in this database; NULL for none';
REVOKE ALL ON FUNCTION _jobs_of_others(name) FROM PUBLIC;

CREATE FUNCTION schedule(sync_every text DEFAULT '*/5 * * * *', views_every text DEFAULT '* * * * *', apply_every text DEFAULT '* * * * *',
                         reconcile_every text DEFAULT '17 3 * * 0', retention_every text DEFAULT '43 2 * * *')
RETURNS TABLE (job text, schedule text, command text, scheduled boolean, statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    j record;
    others text;
BEGIN
    IF NOT pipedrive._has_cron() THEN
        PERFORM pipedrive._explain_no_cron();
        RETURN QUERY SELECT k.job, k.schedule, k.command, false,
                            format('SELECT cron.schedule_in_database(%L, %L, %L, %L)', k.job, k.schedule, k.command, current_database())
                       FROM pipedrive._jobs(sync_every, views_every, apply_every, reconcile_every, retention_every) k WHERE k.schedule IS NOT NULL;
        RETURN;
    END IF;
    others := pipedrive._jobs_of_others(current_user::name);
    IF others IS NOT NULL THEN
        RAISE WARNING USING MESSAGE = 'other roles have scheduled jobs of this database already', DETAIL = others,
            HINT = 'Each role''s jobs do what that role may do. Where they may do the same, it is done and paid twice: one of them calls unschedule().';
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
    SELECT to_date(right(c.relname, 6), 'YYYYMM') FROM pg_class c WHERE c.oid = partition AND c.relname ~ '^changes_\d{4}(0[1-9]|1[0-2])$'
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
    EXECUTE format('CREATE INDEX %I ON pipedrive.%I (recorded_at)', partition || '_time', partition);
    EXECUTE format('ALTER TABLE pipedrive.changes ATTACH PARTITION pipedrive.%I FOR VALUES FROM (%L) TO (%L)', partition, lower, upper);
    RETURN true;
END
$$;
COMMENT ON FUNCTION _create_change_partition(date) IS 'makes the partition of changes for a month, unless it exists';

-- When what is kept for so long ends: NULL for never. A span into the future would delete everything.
CREATE FUNCTION _retention_cutoff(setting text, fallback text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    given text := pipedrive._setting(setting, fallback);
    cutoff timestamptz;
BEGIN
    IF given = 'forever' THEN
        RETURN NULL;
    END IF;
    BEGIN
        IF given ~ '[[:alpha:]:]' THEN -- "30" would be seconds
            cutoff := now() - given::interval;
        END IF;
    EXCEPTION WHEN data_exception THEN
        NULL; -- no interval, or one that reaches beyond all times
    END;
    IF cutoff < now() THEN
        RETURN cutoff;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('setting "%s" is no time for which something can be kept', setting),
        DETAIL = format('It is "%s".', given),
        HINT = 'Give a positive time span like "30 days", or "forever".';
END
$$;
COMMENT ON FUNCTION _retention_cutoff(text, text) IS 'time before which a setting lets things be deleted; NULL: never';

CREATE FUNCTION _forget_old(kept regclass, age_column name, setting text, fallback text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('DELETE FROM %s WHERE %I < $1', kept, age_column) USING pipedrive._retention_cutoff(setting, fallback);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION _forget_old(regclass, name, text, text) IS 'deletes rows that are older than a setting says; their number';

-- An event that is still in the inbox could raise the row again when it is run again.
CREATE FUNCTION _forget_tombstones() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz := pipedrive._retention_cutoff('tombstone_retention'::text, '90 days'::text);
    n bigint;
BEGIN
    DELETE FROM pipedrive.tombstone t
     WHERE t.recorded_at < cutoff
       AND NOT EXISTS (SELECT FROM pipedrive.mirror m
                         JOIN pipedrive.webhook_object o ON o.entity = m.entity
                         JOIN pipedrive.inbox i ON i.entity = o.object
                        WHERE m.mirror_id = t.mirror_id AND i.entity_id = t.id::text);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION _forget_tombstones() IS 'forgets deletions older than setting tombstone_retention of which no event is stored; their number';

CREATE FUNCTION _forget_cron_runs() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE 'DELETE FROM cron.job_run_details r
              USING cron.job j, pipedrive._jobs(NULL::text, NULL::text, NULL::text, NULL::text, NULL::text) k
              WHERE r.jobid = j.jobid AND j.jobname = k.job AND r.end_time < $1'
      USING pipedrive._retention_cutoff('cron_log_retention'::text, '7 days'::text);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION _forget_cron_runs() IS 'deletes pg_cron''s log of our jobs as setting cron_log_retention says; number of runs';

CREATE FUNCTION _old_partitions() RETURNS SETOF regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz;
BEGIN
    cutoff := pipedrive._retention_cutoff('changes_retention'::text, 'forever'::text);
    RETURN QUERY SELECT i.inhrelid::regclass FROM pg_inherits i
      WHERE i.inhparent = 'pipedrive.changes'::regclass
        AND (pipedrive._partition_month(i.inhrelid) + interval '1 month') AT TIME ZONE 'UTC' <= cutoff;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN; -- told by the step for the default partition
END
$$;
COMMENT ON FUNCTION _old_partitions() IS 'partitions of changes that setting changes_retention lets be dropped';

-- One step of apply_retention(), which commits each. A lock that does not come within seconds is left to the next time.
CREATE FUNCTION _retention_step(step text, target text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET lock_timeout = '5s' AS $$
DECLARE
    message text;
    detail text;
    hint text;
    context text;
BEGIN
    CASE step
    WHEN 'create' THEN PERFORM pipedrive._create_change_partition(target::date);
    WHEN 'drop' THEN EXECUTE format('DROP TABLE %s', target);
    WHEN 'run' THEN EXECUTE target;
    ELSE RETURN NULL;
    END CASE;
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RAISE NOTICE 'retention: "% %" waits for another time: %', step, target, SQLERRM;
    RETURN true;
WHEN assert_failure OR OTHERS THEN -- the other steps go on
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RAISE WARNING 'retention: %', pipedrive._error_text(SQLSTATE, message, detail, hint, context);
    RETURN false;
END
$$;
COMMENT ON FUNCTION _retention_step(text, text) IS 'one step of apply_retention(); whether it did not fail';

CREATE FUNCTION _retention_steps() RETURNS TABLE (step text, target text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
    SELECT 'create', to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month', 'YYYY-MM-DD')
      FROM generate_series(0, 2) AS n
     UNION ALL
    SELECT 'drop', p::text FROM pipedrive._old_partitions() AS p
     UNION ALL
    SELECT 'run', format('SELECT pipedrive._forget_old(%L::regclass, %L::name, %L::text, %L::text)', v.kept, v.age_column, v.setting, v.fallback)
      FROM (VALUES ('pipedrive.changes_default', 'recorded_at', 'changes_retention', 'forever'),
                   ('pipedrive.refresh_log', 'started', 'refresh_log_retention', '30 days')) AS v (kept, age_column, setting, fallback)
     UNION ALL
    SELECT 'run', v.call
      FROM (VALUES ('SELECT pipedrive._forget_dropped_views()'), ('SELECT pipedrive._purge_settled()'),
                   ('SELECT pipedrive._purge_queued()'), ('SELECT pipedrive._forget_tombstones()')) AS v (call)
     UNION ALL
    SELECT 'run', 'SELECT pipedrive._forget_cron_runs()' WHERE pipedrive._has_cron()
$$;
COMMENT ON FUNCTION _retention_steps() IS 'what apply_retention() would do now';

CREATE PROCEDURE apply_retention()
LANGUAGE plpgsql AS $$
DECLARE
    steps pg_catalog.text[] := ARRAY(SELECT ARRAY[s.step, s.target] FROM pipedrive._retention_steps() s);
    s pg_catalog.text[];
    failed pg_catalog.int4 := 0;
BEGIN
    COMMIT; -- inside a transaction block this is the error, before anything is done
    FOREACH s SLICE 1 IN ARRAY steps LOOP
        IF NOT pipedrive._retention_step(s[1], s[2]) THEN
            failed := failed OPERATOR(pg_catalog.+) 1;
        END IF;
        COMMIT;
    END LOOP;
    IF failed OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = pg_catalog.format('%s of %s steps of retention failed', failed, pg_catalog.array_length(steps, 1)), HINT = 'The warnings before this tell why. The other steps are done.';
    END IF;
END
$$;
COMMENT ON PROCEDURE apply_retention() IS
    'deletes what is older than settings refresh_log_retention (30 days), changes_retention (default: forever), inbox_retention (7 days), queue_retention (30 days), tombstone_retention (90 days) and cron_log_retention (7 days), and makes the partitions of changes for this and the next two months; a step that fails is a warning and, when the others are done, an error';
