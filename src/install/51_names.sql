-- Names that we make for others' objects.

-- The base is cut, not the ending: a name of 63 bytes must not come out as itself.
CREATE FUNCTION _derived_name(base text, ending text, beginning text DEFAULT '') RETURNS name
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (beginning || left(base, max(n)) || ending)::name
      FROM generate_series(0, least(length(base), 63)) AS n
     WHERE octet_length(beginning || left(base, n) || ending) <= 63
$$;
COMMENT ON FUNCTION _derived_name(text, text, text) IS
    'a name with something before and after it, within the length of names';

-- CREATE SCHEMA IF NOT EXISTS asks for the right to create one before it looks.
CREATE FUNCTION _ensure_schema(schema_name name, what text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema_name) THEN
        EXECUTE format('CREATE SCHEMA %I', schema_name);
        EXECUTE format('COMMENT ON SCHEMA %I IS %L', schema_name, what);
    END IF;
END
$$;
COMMENT ON FUNCTION _ensure_schema(name, text) IS 'makes a schema unless there is one';

CREATE FUNCTION _mirror_schema(source_schema oid) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pipedrive._derived_name(n.nspname::text, '_mirror'::text)
      FROM pg_namespace n WHERE n.oid = source_schema
$$;
COMMENT ON FUNCTION _mirror_schema(oid) IS
    'the schema in which mirrors of the tables of a schema are made unless told otherwise';

CREATE FUNCTION _schema_name(spelled text) RETURNS name
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[] := parse_ident(spelled);
BEGIN
    IF cardinality(parts) > 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_name',
            MESSAGE = format('"%s" is no name for a schema', spelled);
    END IF;
    RETURN parts[1];
END
$$;
COMMENT ON FUNCTION _schema_name(text) IS 'a schema''s name as SQL spells it';

-- A target is a table's name as SQL spells it.
CREATE FUNCTION _mirror_target(source regclass, target text) RETURNS name[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place name;
    base name;
    parts text[] := parse_ident(target);
BEGIN
    SELECT pipedrive._mirror_schema(c.relnamespace), c.relname INTO place, base
      FROM pg_class c WHERE c.oid = source;
    IF cardinality(parts) > 2 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_name',
            MESSAGE = format('"%s" is no name for a local table', target),
            HINT = 'A target is a table, or a schema and a table: deals or crm_mirror.deals.';
    END IF;
    RETURN CASE cardinality(parts) WHEN 2 THEN parts::name[]
                                   WHEN 1 THEN ARRAY[place, parts[1]]::name[]
                                   ELSE ARRAY[place, base] END;
END
$$;
COMMENT ON FUNCTION _mirror_target(regclass, text) IS
    'schema and name of a new mirror: without a schema, and without a name, the default ones';
