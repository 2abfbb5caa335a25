-- What no rule refuses: functions, views, triggers, rows and SQL that is built.

CREATE OR REPLACE FUNCTION pipedrive_internal.twice(n bigint, word text DEFAULT 'x') RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT 2 * n $$;
COMMENT ON FUNCTION pipedrive_internal.twice(bigint, text) IS 'a number, doubled';
GRANT EXECUTE ON FUNCTION pipedrive_internal.twice(bigint, text) TO PUBLIC;

-- Another of the name, with other arguments.
CREATE OR REPLACE FUNCTION pipedrive_internal.twice(n text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH twice (t) AS (SELECT n || n) SELECT t FROM twice
$$;
COMMENT ON FUNCTION pipedrive_internal.twice(text) IS 'a text, doubled';

CREATE OR REPLACE FUNCTION pipedrive_internal.name_of(t pipedrive.thing) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place text := format('%I.%I', 'a', t.name);
    columns text := (SELECT string_agg('t.' || quote_ident(c), ', ')
                       FROM unnest('{a,b}'::text[]) c);
BEGIN
    EXECUTE 'SELECT 1';
    EXECUTE format('SELECT %2$s, %L FROM %1$s', t.target, columns, t.name);
    EXECUTE format('DROP TABLE %s%s', place, CASE WHEN t.id > 0 THEN ' CASCADE' ELSE '' END);
    EXECUTE format('SELECT pipedrive_internal.twice(%s, %L::text)', t.id, 'x');
    RETURN pipedrive_internal.twice(t.id, word => t.name);
EXCEPTION WHEN assert_failure OR OTHERS THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.name_of(pipedrive.thing) IS 'runs what is quoted';

CREATE OR REPLACE PROCEDURE pipedrive.commits(most bigint)
LANGUAGE plpgsql AS $$
DECLARE
    t pg_catalog.text;
BEGIN
    COMMIT;
END
$$;
COMMENT ON PROCEDURE pipedrive.commits(bigint) IS 'cannot set search_path, and looks nothing up';

CREATE OR REPLACE FUNCTION pipedrive_internal.keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN old; END $$;
COMMENT ON FUNCTION pipedrive_internal.keep() IS 'trigger function: does nothing';
DROP TRIGGER IF EXISTS keep ON pipedrive.thing;
CREATE TRIGGER keep BEFORE DELETE ON pipedrive.thing
    FOR EACH ROW EXECUTE FUNCTION pipedrive_internal.keep();
COMMENT ON TRIGGER keep ON pipedrive.thing IS 'does nothing';

CREATE OR REPLACE VIEW pipedrive.things AS
SELECT t.id, pipedrive_internal.twice(t.id, NULL::text) AS twice FROM pipedrive.thing t;
COMMENT ON VIEW pipedrive.things IS 'things, doubled';

DELETE FROM pipedrive.thing;
INSERT INTO pipedrive.thing VALUES (1, NULL, 'deal');
