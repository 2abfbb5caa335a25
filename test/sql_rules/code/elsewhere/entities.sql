-- Facts of entities.

CREATE OR REPLACE FUNCTION pipedrive_internal.knows(entity text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF entity = 'deals' THEN -- bad: entity
        RETURN entity = ANY ('{persons,x}'); -- bad: entity
    END IF;
    EXECUTE 'SELECT ''stages'''; -- bad: entity
    RETURN entity IN ('pipelines', 'y'); -- bad: entity
END
$$;
COMMENT ON FUNCTION pipedrive_internal.knows(text) IS 'knows deals, which is no list';
