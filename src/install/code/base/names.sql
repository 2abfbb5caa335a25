-- Names that are given or made: of schemas, and of what is called after something else.

-- The base is cut, not the ending: a name of 63 bytes must not come out as itself.
CREATE OR REPLACE FUNCTION pipedrive_internal.derived_name(
    base text, ending text, beginning text DEFAULT '')
RETURNS name
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (beginning || left(base, max(n)) || ending)::name
      FROM generate_series(0, least(length(base), 63)) AS n
     WHERE octet_length(beginning || left(base, n) || ending) <= 63
$$;
COMMENT ON FUNCTION pipedrive_internal.derived_name(text, text, text) IS
    'a name with something before and after it, within the length of names';

-- CREATE SCHEMA IF NOT EXISTS asks for the right to create one before it looks.
CREATE OR REPLACE FUNCTION pipedrive_internal.ensure_schema(schema_name name, what text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema_name) THEN
        EXECUTE format('CREATE SCHEMA %I', schema_name);
        EXECUTE format('COMMENT ON SCHEMA %I IS %L', schema_name, what);
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.ensure_schema(name, text) IS
    'makes a schema unless there is one';

CREATE OR REPLACE FUNCTION pipedrive_internal.schema_name(spelled text) RETURNS name
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[] := parse_ident(spelled);
BEGIN
    IF cardinality(parts) > 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_name',
            MESSAGE = format('"%s" is no name for a schema', spelled);
    END IF;
    RETURN parts[1]::name;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.schema_name(text) IS 'a schema''s name as SQL spells it';
