-- HTTP Basic credentials, checked here because the API that PostgREST is leaves them to the
-- function.

CREATE OR REPLACE FUNCTION pipedrive_internal.password_hash(
    password text, salt bytea, rounds integer)
RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    h bytea := sha256(salt || convert_to(password, 'UTF8'));
BEGIN
    FOR i IN 2 .. rounds LOOP
        h := sha256(h || salt);
    END LOOP;
    RETURN h;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.password_hash(text, bytea, integer) IS
    'iterated, salted SHA-256; passwords are 244 random bits, so few rounds do';

CREATE OR REPLACE FUNCTION pipedrive_internal.same_bytes(a bytea, b bytea) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    difference integer := 0;
BEGIN
    FOR i IN 0 .. 31 LOOP -- all of them, whatever is found
        difference := difference | (get_byte(a, i) # get_byte(b, i));
    END LOOP;
    RETURN difference = 0;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.same_bytes(bytea, bytea) IS
    'compares two hashes in a time that tells nothing of them';

CREATE OR REPLACE FUNCTION pipedrive.create_webhook_login(server name)
RETURNS TABLE (user_name text, password text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_salt bytea := uuid_send(gen_random_uuid());
BEGIN
    PERFORM pipedrive_internal.existing_server(create_webhook_login.server);
    user_name := 'pipedrive_' || left(replace(gen_random_uuid()::text, '-', ''), 12);
    password := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    INSERT INTO pipedrive_internal.webhook_login (user_name, server, salt, hash, rounds)
    VALUES (user_name, create_webhook_login.server, new_salt, pipedrive_internal.password_hash(password, new_salt, 64), 64);
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pipedrive.create_webhook_login(name) IS
    'a user name and a random password for the webhooks of a server; the password is shown this '
    'once';

CREATE OR REPLACE FUNCTION pipedrive.drop_webhook_login(user_name text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive_internal.webhook_login l WHERE l.user_name = drop_webhook_login.user_name;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pipedrive.drop_webhook_login(text) IS
    'ends a login: what is delivered with it is refused';

CREATE OR REPLACE FUNCTION pipedrive_internal.login_server(headers text) RETURNS name
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
DECLARE
    given text;
    colon integer;
    l pipedrive_internal.webhook_login;
    hash bytea;
BEGIN
    BEGIN
        given := headers::json ->> 'authorization';
        given := convert_from(decode(substring(given FROM '^[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/=]+)$'), 'base64'), 'UTF8');
        colon := strpos(given, ':');
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        RETURN NULL;
    END;
    IF coalesce(colon, 0) = 0 OR length(given) > 300 THEN
        RETURN NULL;
    END IF;
    SELECT * INTO l FROM pipedrive_internal.webhook_login x WHERE x.user_name = left(given, colon - 1);
    -- an unknown name takes as long as a wrong password
    hash := pipedrive_internal.password_hash(substr(given, colon + 1), coalesce(l.salt, '\x00'), coalesce(l.rounds, 64));
    RETURN CASE WHEN pipedrive_internal.same_bytes(hash, coalesce(l.hash, sha256('\x00'))) THEN l.server END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.login_server(text) IS
    'server whose login the headers of a request carry, NULL for none';
