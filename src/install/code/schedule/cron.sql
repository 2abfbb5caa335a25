-- schedule() and unschedule(): what runs regularly, as jobs of pg_cron.

CREATE OR REPLACE FUNCTION pipedrive_internal.jobs(
    sync_every text, views_every text, apply_every text, reconcile_every text, retention_every text)
RETURNS TABLE (job text, schedule text, command text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('pipedrive_%s_%s', current_database(), j.what), btrim(j.schedule), j.command
      FROM (VALUES ('sync', sync_every, 'CALL pipedrive.sync()'),
                   ('apply', apply_every, 'CALL pipedrive.apply_inbox()'),
                   ('views', views_every, 'CALL pipedrive.refresh_views()'),
                   ('reconcile', reconcile_every, 'CALL pipedrive.reconcile()'),
                   ('retention', retention_every, 'CALL pipedrive.apply_retention()'))
           AS j (what, schedule, command)
$$;
COMMENT ON FUNCTION pipedrive_internal.jobs(text, text, text, text, text) IS
    'names, times and commands of the jobs';

CREATE OR REPLACE FUNCTION pipedrive_internal.has_cron() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron')
$$;
COMMENT ON FUNCTION pipedrive_internal.has_cron() IS 'whether pg_cron is in this database';

CREATE OR REPLACE FUNCTION pipedrive_internal.explain_no_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place text := current_setting('cron.database_name', true);
BEGIN
    IF place = current_database() THEN
        RAISE NOTICE 'pg_cron is loaded, but not created in this database: nothing is changed'
            USING HINT = 'CREATE EXTENSION pg_cron, then call this again.';
    ELSIF place IS NOT NULL THEN
        RAISE NOTICE 'pg_cron lives in database "%": nothing is changed', place
            USING HINT = 'Run the statements of column "statement" there.';
    ELSE
        RAISE NOTICE 'pg_cron is not installed: nothing is changed'
            USING HINT = 'Let cron or a systemd timer run the commands with psql, or install '
                         'pg_cron and run the statements of column "statement" in its database.';
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.explain_no_cron() IS 'says why nothing was scheduled';

-- pg_cron shows each role its own jobs only: this one runs as the extension's owner, and tells
-- names of roles and of our jobs.
CREATE OR REPLACE FUNCTION pipedrive_internal.jobs_of_others(caller name) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    EXECUTE 'SELECT string_agg(o.line, ''; '' ORDER BY o.line)
               FROM (SELECT format(''%s: %s'', c.username,
                                   string_agg(c.jobname, '', '' ORDER BY c.jobname)) AS line
                       FROM cron.job c
                       JOIN pipedrive_internal.jobs(NULL::text, NULL::text, NULL::text, NULL::text,
                                                    NULL::text) k ON k.job = c.jobname
                      WHERE c.username <> $1
                      GROUP BY c.username) AS o' INTO found USING caller;
    RETURN found;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.jobs_of_others(name) IS
    'jobs of schedule() that other roles have in this database; NULL for none';

CREATE OR REPLACE FUNCTION pipedrive.schedule(
    sync_every text DEFAULT '*/5 * * * *', views_every text DEFAULT '* * * * *',
    apply_every text DEFAULT '* * * * *', reconcile_every text DEFAULT '17 3 * * 0',
    retention_every text DEFAULT '43 2 * * *')
RETURNS TABLE (job text, schedule text, command text, scheduled boolean, statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    j record;
    others text;
BEGIN
    IF NOT pipedrive_internal.has_cron() THEN
        PERFORM pipedrive_internal.explain_no_cron();
        RETURN QUERY SELECT k.job, k.schedule, k.command, false,
                            format('SELECT cron.schedule_in_database(%L, %L, %L, %L)', k.job,
                                   k.schedule, k.command, current_database())
                       FROM pipedrive_internal.jobs(sync_every, views_every, apply_every,
                                                    reconcile_every, retention_every) k
                      WHERE k.schedule IS NOT NULL;
        RETURN;
    END IF;
    others := pipedrive_internal.jobs_of_others(current_user::name);
    IF others IS NOT NULL THEN
        RAISE WARNING USING
            MESSAGE = 'other roles have scheduled jobs of this database already',
            DETAIL = others,
            HINT = 'Each role''s jobs do what that role may do. Where they may do the same, it is '
                   'done and paid twice: one of them calls unschedule().';
    END IF;
    FOR j IN SELECT * FROM pipedrive_internal.jobs(sync_every, views_every, apply_every,
                                                   reconcile_every, retention_every) LOOP
        IF j.schedule IS NULL THEN -- not wanted: nor any longer
            EXECUTE 'SELECT cron.unschedule(jobid) FROM cron.job
                      WHERE jobname = $1 AND username = current_user' USING j.job;
            CONTINUE;
        END IF;
        statement := format('SELECT cron.schedule(%L, %L, %L)', j.job, j.schedule, j.command);
        EXECUTE statement;
        RETURN QUERY SELECT j.job, j.schedule, j.command, true, statement;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive.schedule(text, text, text, text, text) IS
    'puts sync, webhook inbox, materialized views, reconcile and retention of this database on '
    'pg_cron, with cron''s five fields (in GMT unless cron.timezone says otherwise), NULL: not; '
    'again: changes the times. Without pg_cron in this database nothing is done and statement '
    'says what to run where it is';

CREATE OR REPLACE FUNCTION pipedrive.unschedule()
RETURNS TABLE (job text, unscheduled boolean, statement text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT pipedrive_internal.has_cron() THEN
        PERFORM pipedrive_internal.explain_no_cron();
        RETURN QUERY SELECT k.job, false, format('SELECT cron.unschedule(%L)', k.job)
                       FROM pipedrive_internal.jobs(NULL::text, NULL::text, NULL::text, NULL::text,
                                                    NULL::text) k;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE $query$
        SELECT c.jobname::text, cron.unschedule(c.jobid),
               format('SELECT cron.unschedule(%L)', c.jobname)
          FROM pipedrive_internal.jobs(NULL::text, NULL::text, NULL::text, NULL::text,
                                       NULL::text) k
          JOIN cron.job c ON c.jobname = k.job AND c.username = current_user $query$;
END
$$;
COMMENT ON FUNCTION pipedrive.unschedule() IS
    'takes the jobs of schedule() off pg_cron; without pg_cron in this database statement says '
    'what to run where it is';
