-- Keys of rows: whatever their type, what keeps a row by its key elsewhere has it as text.

CREATE OR REPLACE FUNCTION pipedrive_internal.canonical_key(spelled text, type regtype) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE type
           WHEN 'bigint'::regtype
               THEN CASE WHEN octet_length(spelled) BETWEEN 1 AND 18 AND spelled !~ '[^0-9]'
                         THEN spelled::bigint::text END
           WHEN 'uuid'::regtype
               THEN CASE WHEN spelled ~* '^([0-9a-f]{4}-?){7}[0-9a-f]{4}$'
                         THEN spelled::uuid::text END
           ELSE nullif(spelled, '') END;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.canonical_key(text, regtype) IS
    'the one spelling of a key that may be spelled in several, as its type writes it; NULL for '
    'what is no key of that type';
