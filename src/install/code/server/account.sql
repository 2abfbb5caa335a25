-- Whose account a server shows: learnt at its first sync, and again whenever server or user mapping
-- were altered. Two companies in one database do not get each other's events, and a mirror does not
-- go on with the rows of another company.

CREATE OR REPLACE FUNCTION pipedrive_internal.server_of(source regclass) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.srvname FROM pg_foreign_table t JOIN pg_foreign_server s ON s.oid = t.ftserver
     WHERE t.ftrelid = source
$$;
COMMENT ON FUNCTION pipedrive_internal.server_of(regclass) IS 'server of a foreign table';

CREATE OR REPLACE FUNCTION pipedrive_internal.account_stamp(server name) RETURNS text
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pipedrive_fdw_account_stamp';
COMMENT ON FUNCTION pipedrive_internal.account_stamp(name) IS
    'version of a server and the current user''s mapping: another one once either was altered';

CREATE OR REPLACE FUNCTION pipedrive_internal.was_asked(server name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pipedrive_internal.server_company c
                    WHERE c.server = was_asked.server)
        OR EXISTS (SELECT FROM pipedrive_internal.server_account a
                    WHERE a.server = was_asked.server)
$$;
COMMENT ON FUNCTION pipedrive_internal.was_asked(name) IS
    'whether the company behind a server is known, or cannot be: some accounts do not tell';

CREATE OR REPLACE FUNCTION pipedrive_internal.asked_company(server name, known text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    answer jsonb;
    company text;
BEGIN
    answer := pipedrive_internal.request(server, 'GET'::text, '/v1/users/me'::text)
              #> '{data,company_id}';
    company := CASE WHEN jsonb_typeof(answer) IN ('number', 'string')
                    THEN nullif(answer #>> '{}', '') END;
    IF company IS NULL AND known IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_unable_to_create_reply',
            MESSAGE = 'invalid reply from Pipedrive for "users/me"',
            DETAIL = 'It names no company.';
    END IF;
    RETURN company;
EXCEPTION WHEN insufficient_privilege OR fdw_table_not_found
            OR fdw_unable_to_create_execution THEN
    IF known IS NOT NULL THEN -- it has to be seen that it is still the same
        RAISE;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.asked_company(name, text) IS
    'company of the current user''s account, NULL where it does not tell (one request, 2 tokens)';

CREATE OR REPLACE FUNCTION pipedrive_internal.holds_rows(server name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pipedrive_internal.mirror m
                     JOIN pipedrive_internal.mirror_state s USING (mirror_id)
                     JOIN pg_foreign_table t ON t.ftrelid = m.source
                     JOIN pg_foreign_server f ON f.oid = t.ftserver
                    WHERE f.srvname = holds_rows.server AND s.run_started IS NOT NULL)
$$;
COMMENT ON FUNCTION pipedrive_internal.holds_rows(name) IS
    'whether some mirror of a server was synced, or begun';

CREATE OR REPLACE FUNCTION pipedrive_internal.check_account(server name) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    current_stamp text := pipedrive_internal.account_stamp(server);
    known text;
    company text;
BEGIN
    IF EXISTS (SELECT FROM pipedrive_internal.server_account a
                WHERE a.server = check_account.server AND a.stamp = current_stamp) THEN
        RETURN 0;
    END IF;
    SELECT c.company_id INTO known FROM pipedrive_internal.server_company c
     WHERE c.server = check_account.server;
    company := pipedrive_internal.asked_company(server, known);
    IF known <> company AND pipedrive_internal.holds_rows(server) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('server "%s" shows another company than its mirrors hold', server),
            DETAIL = format('The account belongs to company %s, the mirrors to %s.',
                            company, known),
            HINT = 'Put back the token that was there before; or drop_mirror() all mirrors of the '
                   'server and create them anew.';
    END IF;
    INSERT INTO pipedrive_internal.server_company
    SELECT check_account.server, company WHERE company IS NOT NULL
        ON CONFLICT ON CONSTRAINT server_company_pkey DO NOTHING;
    UPDATE pipedrive_internal.server_company c SET company_id = company
     WHERE c.server = check_account.server AND c.company_id <> company;
    DELETE FROM pipedrive_internal.server_account a WHERE a.server = check_account.server
       AND split_part(a.stamp, ':', 1) = split_part(current_stamp, ':', 1);
    INSERT INTO pipedrive_internal.server_account VALUES (check_account.server, current_stamp)
        ON CONFLICT DO NOTHING;
    RETURN 2;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.check_account(name) IS
    'learns the company behind a server, or sees that it is still the same; tokens spent';

CREATE OR REPLACE FUNCTION pipedrive_internal.check_mirror(m pipedrive_internal.mirror) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    server name := pipedrive_internal.server_of(m.source);
    tokens integer := pipedrive_internal.check_account(server);
    shown text := (SELECT c.company_id FROM pipedrive_internal.server_company c
                    WHERE c.server = pipedrive_internal.server_of(m.source));
    held text := (SELECT s.company_id FROM pipedrive_internal.mirror_state s
                   WHERE s.mirror_id = m.mirror_id);
    filled boolean;
BEGIN
    IF tokens > 0 THEN
        PERFORM pipedrive_internal.count_tokens(
            m.mirror_id, ROW('more', tokens, 0, 0)::pipedrive_internal.step);
    END IF;
    IF shown IS NULL OR shown IS NOT DISTINCT FROM held THEN
        RETURN;
    END IF;
    IF held IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', m.target) INTO filled;
        IF filled THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('"%s" holds the rows of another company than server "%s" shows',
                                 m.target, server),
                DETAIL = format('The account belongs to company %s, the rows to %s.', shown, held);
        END IF;
    END IF;
    UPDATE pipedrive_internal.mirror_state s SET company_id = shown WHERE s.mirror_id = m.mirror_id;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.check_mirror(pipedrive_internal.mirror) IS
    'check_account() for a step of a mirror, which pays; the error for one that holds the rows of '
    'another company';

-- A failure here is left to the mirrors' own steps, which write it down; a server that does not
-- answer is asked once.
CREATE OR REPLACE FUNCTION pipedrive_internal.learn_companies(mirrors integer[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
BEGIN
    FOR m IN SELECT DISTINCT ON (pipedrive_internal.server_of(x.source)) x.*
               FROM pipedrive_internal.mirror x
              WHERE x.mirror_id = ANY (mirrors) AND pipedrive_internal.may_write(x.source, x.target)
              ORDER BY pipedrive_internal.server_of(x.source), x.mirror_id LOOP
        BEGIN
            IF NOT pipedrive_internal.was_asked(pipedrive_internal.server_of(m.source)) THEN
                PERFORM pipedrive_internal.check_mirror(m);
            END IF;
        EXCEPTION WHEN assert_failure OR OTHERS THEN
            CONTINUE;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.learn_companies(integer[]) IS
    'has the companies behind mirrors known before queued events are applied';
