-- CALL sync() and CALL reconcile(): one mirror after the other, batch by batch, and what is said at
-- the end. A failure of one mirror does not stop the others, and is an error in the end.
--
-- Procedures that commit cannot set search_path: every name in them is qualified.

-- Those that failed last time come last, so that one that always times out does not starve others.
CREATE OR REPLACE FUNCTION pipedrive_internal.chosen_mirrors(chosen regclass) RETURNS integer[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found integer[];
    others text;
BEGIN
    SELECT array_agg(m.mirror_id ORDER BY s.last_error IS NOT NULL, s.last_error_at, m.mirror_id)
      INTO found
      FROM pipedrive_internal.mirror m JOIN pipedrive_internal.mirror_state s USING (mirror_id)
     WHERE CASE WHEN chosen IS NULL THEN pipedrive_internal.may_write(m.source, m.target)
                ELSE m.target = chosen OR m.source = chosen END;
    SELECT string_agg(m.target::text, ', ' ORDER BY m.target::text) INTO others
      FROM pipedrive_internal.mirror m JOIN pg_class c ON c.oid = m.target
     WHERE chosen IS NULL AND NOT m.mirror_id = ANY (coalesce(found, '{}'));
    PERFORM pipedrive_internal.tell_lost(m.source) FROM pipedrive_internal.mirror m
      WHERE chosen IS NULL AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = m.target);
    IF others IS NOT NULL THEN
        RAISE WARNING USING
            MESSAGE = format('left out, as they belong to other roles: %s', others),
            HINT = 'Each owner, or a role whose rights the owner has, calls sync().';
    END IF;
    PERFORM pipedrive_internal.require_table(m.source, m.target)
       FROM pipedrive_internal.mirror m WHERE chosen IN (m.source, m.target);
    IF found IS NULL AND chosen IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('"%s" is not mirrored', chosen),
            HINT = 'SELECT pipedrive.create_mirror(...) makes a mirror.';
    END IF;
    RETURN coalesce(found, '{}');
END
$$;
COMMENT ON FUNCTION pipedrive_internal.chosen_mirrors(regclass) IS
    'mirrors by local or foreign table; for NULL all that the current user may write';

CREATE OR REPLACE FUNCTION pipedrive_internal.mirror_server(which integer) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pipedrive_internal.server_of(m.source) FROM pipedrive_internal.mirror m WHERE m.mirror_id = which
$$;
COMMENT ON FUNCTION pipedrive_internal.mirror_server(integer) IS 'server of a mirror';

CREATE OR REPLACE PROCEDURE pipedrive_internal.run_mirror(which integer, what text, mode text, token_limit bigint,
                             allow_deletes boolean, INOUT result pipedrive_internal.step)
LANGUAGE plpgsql AS $$
DECLARE
    target pg_catalog.regclass;
    allowed bigint;
    step pipedrive_internal.step;
BEGIN
    result := ROW('done', 0, 0, 0)::pipedrive_internal.step;
    SELECT COALESCE(token_limit, m.max_tokens), m.target INTO allowed, target
      FROM pipedrive_internal.mirror m WHERE m.mirror_id OPERATOR(pg_catalog.=) which;
    LOOP
        -- held for one batch: between batches the state in the table is enough
        IF NOT pg_catalog.pg_try_advisory_xact_lock(1885958756, which) THEN
            RAISE NOTICE 'mirror "%" is being synced by another session', target;
            result.status := 'busy';
            RETURN;
        END IF;
        step := pipedrive_internal.try_step(which, what, mode, allowed OPERATOR(pg_catalog.-) result.tokens,
                                    allow_deletes);
        result := ROW(step.status, result.tokens OPERATOR(pg_catalog.+) step.tokens,
                      result.rows OPERATOR(pg_catalog.+) step.rows,
                      result.pages OPERATOR(pg_catalog.+) step.pages)::pipedrive_internal.step;
        IF step.status OPERATOR(pg_catalog.=) 'done' AND pipedrive_internal.tell_held_back(which, what) THEN
            result.status := 'error';
        END IF;
        COMMIT;
        IF step.status OPERATOR(pg_catalog.=) 'budget' THEN
            RAISE NOTICE 'mirror "%": stopped at % tokens, the next call goes on from here',
                target, result.tokens;
        END IF;
        EXIT WHEN step.status OPERATOR(pg_catalog.<>) 'more';
    END LOOP;
END
$$;
COMMENT ON PROCEDURE
    pipedrive_internal.run_mirror(integer, text, text, bigint, boolean, pipedrive_internal.step) IS
    'batches of one mirror, each committed; how it ended, and what all of them cost';

-- Where the server cannot be reached, its other mirrors are left for the next run.
CREATE OR REPLACE PROCEDURE pipedrive_internal.run(what text, chosen regclass, mode text, token_limit bigint,
                      allow_deletes boolean)
LANGUAGE plpgsql AS $$
DECLARE
    mirrors pg_catalog.int4[] := pipedrive_internal.chosen_mirrors(chosen);
    before pg_catalog.int8 := pipedrive_internal.changes_in(mirrors);
    down pg_catalog.name[] := ARRAY[]::pg_catalog.name[];
    results pipedrive_internal.step[] := ARRAY[]::pipedrive_internal.step[];
    result pipedrive_internal.step;
    which integer;
BEGIN
    FOREACH which IN ARRAY mirrors LOOP
        PERFORM pipedrive_internal.restore_deleted_list(which);
        COMMIT;
    END LOOP;
    -- queued events first: what they are about is marked, and read by this run
    IF what OPERATOR(pg_catalog.=) 'sync' AND pipedrive_internal.may_apply_inbox() THEN
        PERFORM pipedrive_internal.learn_companies(mirrors);
        COMMIT;
        CALL pipedrive.apply_inbox();
    END IF;
    FOREACH which IN ARRAY mirrors LOOP
        IF pipedrive_internal.mirror_server(which) OPERATOR(pg_catalog.=) ANY (down) THEN
            result := ROW('left', 0, 0, 0)::pipedrive_internal.step;
        ELSE
            CALL pipedrive_internal.run_mirror(which, what, mode, token_limit, allow_deletes, result);
        END IF;
        results := pg_catalog.array_append(results, result);
        IF result.status OPERATOR(pg_catalog.=) 'unreachable' THEN
            down := pg_catalog.array_append(down, pipedrive_internal.mirror_server(which));
        END IF;
    END LOOP;
    PERFORM pipedrive_internal.tell_result(what, mirrors, results, before);
END
$$;
COMMENT ON PROCEDURE pipedrive_internal.run(text, regclass, text, bigint, boolean) IS
    'sync() or reconcile() of the chosen mirrors';

CREATE OR REPLACE FUNCTION pipedrive_internal.changes_in(mirrors integer[]) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(pipedrive_internal.change_serial(i)), 0)::bigint FROM unnest(mirrors) AS i
$$;
COMMENT ON FUNCTION pipedrive_internal.changes_in(integer[]) IS
    'grows with every change of some mirrors';

CREATE OR REPLACE FUNCTION pipedrive_internal.tell_result(what text, mirrors integer[], results pipedrive_internal.step[],
                             changes_before bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done text := CASE what WHEN 'sync' THEN 'synced' ELSE 'reconciled' END;
    plural text := CASE cardinality(mirrors) WHEN 1 THEN 'mirror' ELSE 'mirrors' END;
    r record;
BEGIN
    SELECT count(*) AS n, sum((s).tokens) AS tokens, sum((s).rows) AS rows, sum((s).pages) AS pages,
           count(*) FILTER (WHERE (s).status IN ('error', 'unreachable', 'left')) AS bad,
           string_agg(m.target::text, ', ' ORDER BY m.mirror_id)
               FILTER (WHERE (s).status IN ('error', 'unreachable')) AS failed,
           string_agg(m.target::text, ', ' ORDER BY m.mirror_id)
               FILTER (WHERE (s).status = 'left') AS left_for_later
      INTO r
      FROM unnest(mirrors, results) AS u (which, status, tokens, rows, pages)
     CROSS JOIN LATERAL (SELECT ROW(u.status, u.tokens, u.rows, u.pages)::pipedrive_internal.step) AS x (s)
      JOIN pipedrive_internal.mirror m ON m.mirror_id = u.which;
    IF r.bad > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_error',
            MESSAGE = format('%s of %s %s could not be %s', r.bad, r.n, plural, done),
            DETAIL = format('Failed: %s.', r.failed)
                     || coalesce(' Left for the next run, as their server cannot be reached: '
                                 || r.left_for_later || '.', ''),
            HINT = 'What was done before is kept. See last_error in pipedrive.mirrors.';
    END IF;
    RAISE NOTICE USING MESSAGE = format(
        '%s %s %s: %s rows in %s pages read, %s rows changed, %s tokens', done, r.n, plural,
        coalesce(r.rows, 0), coalesce(r.pages, 0),
        pipedrive_internal.changes_in(mirrors) - changes_before, coalesce(r.tokens, 0));
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.tell_result(text, integer[], pipedrive_internal.step[], bigint) IS
    'the last word of a run: one line of what it did, or an error that counts what failed';

CREATE OR REPLACE PROCEDURE pipedrive.sync(mirror regclass DEFAULT NULL, mode text DEFAULT 'auto',
                      max_tokens bigint DEFAULT NULL, allow_deletes boolean DEFAULT false)
LANGUAGE plpgsql AS $$
BEGIN
    IF mode OPERATOR(pg_catalog.<>) ALL (ARRAY['auto', 'full']) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'mode must be "auto" or "full"';
    END IF;
    CALL pipedrive_internal.run('sync'::pg_catalog.text, mirror, mode, max_tokens, allow_deletes);
END
$$;
COMMENT ON PROCEDURE pipedrive.sync(regclass, text, bigint, boolean) IS
    'applies queued webhook events, then brings one mirror or all up to the account: the first '
    'time everything, then what changed since the watermark, new, deleted and marked rows; '
    'commits after every batch and goes on where it stopped; an error in the end counts what '
    'failed; mode full reads everything again; max_tokens stops a run early; allow_deletes lets '
    'it delete more than setting max_deleted_percent of a mirror';

CREATE OR REPLACE PROCEDURE pipedrive.reconcile(mirror regclass DEFAULT NULL, max_tokens bigint DEFAULT NULL,
                           allow_deletes boolean DEFAULT false)
LANGUAGE plpgsql AS $$
BEGIN
    CALL pipedrive_internal.run('reconcile'::pg_catalog.text, mirror, NULL::pg_catalog.text, max_tokens,
                        allow_deletes);
END
$$;
COMMENT ON PROCEDURE pipedrive.reconcile(regclass, bigint, boolean) IS
    'finds rows that vanished or appeared without a change (deletions the API cannot list, changes '
    'of visibility) by a walk over all ids; commits after every batch and goes on where it '
    'stopped; allow_deletes as for sync()';
