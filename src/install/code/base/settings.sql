-- The settings of an installation (table pipedrive.settings).

CREATE OR REPLACE FUNCTION pipedrive_internal.setting(setting text, fallback text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT s.value FROM pipedrive.settings s WHERE s.name = setting), fallback)
$$;
COMMENT ON FUNCTION pipedrive_internal.setting(text, text) IS 'value of a setting, or its default';

-- When what is kept for so long ends: NULL for never. A span into the future would delete
-- everything.
CREATE OR REPLACE FUNCTION pipedrive_internal.retention_cutoff(setting text, fallback text)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    given text := pipedrive_internal.setting(setting, fallback);
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
COMMENT ON FUNCTION pipedrive_internal.retention_cutoff(text, text) IS
    'time before which a setting lets things be deleted; NULL: never';
