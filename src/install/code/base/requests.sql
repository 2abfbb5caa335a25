-- Requests to the API from SQL, what they cost, and what their errors mean for the next one.

CREATE OR REPLACE FUNCTION pipedrive_internal.request(
    server name, method text, path text, body jsonb DEFAULT NULL)
RETURNS jsonb
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pipedrive_fdw_request';
COMMENT ON FUNCTION pipedrive_internal.request(name, text, text, jsonb) IS
    'one API call with the current user''s credentials; its answer';

CREATE OR REPLACE FUNCTION pipedrive_internal.tokens_spent() RETURNS bigint
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_tokens_spent';
COMMENT ON FUNCTION pipedrive_internal.tokens_spent() IS
    'API tokens that this session has spent, those of failed statements included';

CREATE OR REPLACE FUNCTION pipedrive_internal.limit_tokens(most bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_session bigint;
BEGIN
    PERFORM pipedrive_internal.tokens_spent(); -- the setting exists once the library is loaded
    of_session := current_setting('pipedrive_fdw.max_tokens_per_query')::bigint;
    PERFORM set_config('pipedrive_fdw.max_tokens_per_query',
                       least(most, CASE WHEN of_session > 0 THEN of_session END, 2147483647)::text,
                       true);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.limit_tokens(bigint) IS
    'until the end of the transaction no statement spends more than that, requests that are tried '
    'again included';

CREATE OR REPLACE FUNCTION pipedrive_internal.url_value(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
    SELECT coalesce(string_agg(CASE WHEN c ~ '^[A-Za-z0-9_.~-]$' THEN c
                                    ELSE upper(regexp_replace(encode(convert_to(c, 'UTF8'), 'hex'),
                                                              '(..)', '%\1', 'g')) END,
                               '' ORDER BY n), '')
      FROM regexp_split_to_table(value, '') WITH ORDINALITY AS s (c, n)
$$;
COMMENT ON FUNCTION pipedrive_internal.url_value(text) IS
    'a text as the value of a parameter in a URL';

CREATE OR REPLACE FUNCTION pipedrive_internal.is_unreachable(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT state LIKE '08%' OR state IN ('HV00N', '28000', '53400')
$$;
COMMENT ON FUNCTION pipedrive_internal.is_unreachable(text) IS
    'whether an error of that SQLSTATE would be met by every request to the server: no connection, '
    'a token that is refused, no tokens left';

-- The API refuses what it was asked for, and would do so again.
CREATE OR REPLACE FUNCTION pipedrive_internal.is_refused(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT state IN ('HV00L', 'HV00R', '42501')
$$;
COMMENT ON FUNCTION pipedrive_internal.is_refused(text) IS
    'whether an error of that SQLSTATE says that the API will not answer a request: a bad one, '
    'a list that is not there, or not allowed';

CREATE OR REPLACE FUNCTION pipedrive_internal.today() RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (now() AT TIME ZONE 'UTC')::date
$$;
COMMENT ON FUNCTION pipedrive_internal.today() IS
    'the day that tokens are counted for, the same in every session';
