-- Functions that a rule refuses.

CREATE OR REPLACE FUNCTION pipedrive.looks_up() RETURNS text -- bad: path
LANGUAGE sql AS $$ SELECT 'x'::text $$;
COMMENT ON FUNCTION pipedrive.looks_up() IS 'its caller chooses what its names mean';

CREATE OR REPLACE PROCEDURE pipedrive.commits_and_looks_up()
LANGUAGE plpgsql AS $$
DECLARE
    t text; -- bad: path
BEGIN
    COMMIT;
    PERFORM pipedrive_internal.twice(1::pg_catalog.int8, 'x'); -- bad: literal
    PERFORM pipedrive_internal.twice(n => NULL); -- bad: literal
    PERFORM '1'::int8; -- bad: path
END
$$;
COMMENT ON PROCEDURE pipedrive.commits_and_looks_up() IS 'looks types up';

CREATE OR REPLACE FUNCTION pipedrive.swallows() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NULL;
EXCEPTION WHEN OTHERS THEN -- bad: others
    NULL;
END
$$;
COMMENT ON FUNCTION pipedrive.swallows() IS 'lets a failed assertion of a trigger through';

CREATE OR REPLACE FUNCTION pipedrive.swallows() RETURNS void -- bad: once
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT $$;

CREATE OR REPLACE FUNCTION pipedrive.silent() RETURNS bigint -- bad: comment
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 1::bigint $$;
COMMENT ON FUNCTION pipedrive.silent(text) IS 'has other arguments'; -- bad: signature
REVOKE EXECUTE ON FUNCTION pipedrive.silent(bigint) FROM PUBLIC; -- bad: signature
