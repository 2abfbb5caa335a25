-- Values that come from the API or a webhook, as SQL values. What the documentation calls a number
-- may be a word one day ("last_http_status": "Error"): a cast would make that one value disable
-- everything that reads it, so these give NULL for what is not one. No other cast of such a value.

CREATE OR REPLACE FUNCTION pipedrive_internal.as_bigint(value jsonb) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
DECLARE
    t text := btrim(value #>> '{}');
BEGIN
    -- of an array or object it is no number either; a length that numeric surely holds comes first
    IF length(t) > 40 OR t !~ '^[+-]?[0-9]+(\.0+)?$' OR t IS NULL THEN
        RETURN NULL;
    ELSIF t::numeric NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
        RETURN NULL;
    END IF;
    RETURN t::numeric::bigint;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.as_bigint(jsonb) IS
    'a whole number, as such or as text; NULL for anything else';

CREATE OR REPLACE FUNCTION pipedrive_internal.as_boolean(value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN value #>> '{}' IN ('true', '1', 't') THEN true
                WHEN value #>> '{}' IN ('false', '0', 'f') THEN false END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.as_boolean(jsonb) IS
    'true or false, as such, as 1 and 0 or as text; NULL for anything else';

CREATE OR REPLACE FUNCTION pipedrive_internal.as_time(value jsonb) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
DECLARE
    t text := value #>> '{}';
BEGIN
    IF t ~ '^[0-9]{9,17}(\.[0-9]{1,9})?$' THEN -- seconds, milliseconds or microseconds since 1970
        RETURN to_timestamp(t::numeric / CASE WHEN t::numeric < 1e11 THEN 1
                                              WHEN t::numeric < 1e14 THEN 1000 ELSE 1000000 END);
    ELSIF t ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{5,15})?Z?$' THEN -- UTC, said or not
        RETURN rtrim(t, 'Z')::timestamp AT TIME ZONE 'UTC';
    ELSIF t ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}[+-][0-9:]{2,5}$' THEN
        RETURN t::timestamptz;
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception THEN -- the thirtieth of February, or year zero
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.as_time(jsonb) IS
    'a time: ISO, UTC unless it says otherwise, or a number since 1970; NULL for anything else';
