-- SQL that is built of what nobody quoted.

CREATE OR REPLACE FUNCTION pipedrive_internal.executes(what text, t pipedrive.thing) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place text := format('%s', t.name);
    later text := quote_ident(t.name);
    r record;
BEGIN
    EXECUTE what; -- bad: execute
    EXECUTE 'DROP TABLE ' || what; -- bad: execute
    EXECUTE format('DROP TABLE %s', what); -- bad: execute
    EXECUTE format('DROP TABLE %I', what) || what; -- bad: execute
    EXECUTE format('DROP TABLE %s', t.name); -- bad: execute
    EXECUTE format('DROP TABLE %s', place); -- bad: execute
    EXECUTE format('DROP TABLE %s', later); -- bad: execute
    EXECUTE format('DROP TABLE %2$s', t.target, what || '_x'); -- bad: execute
    EXECUTE format('DROP TABLE %s', r.name); -- bad: execute
    EXECUTE format('DROP TABLE %s', (SELECT string_agg(what, ', '))); -- bad: execute
    EXECUTE format('DROP TABLE %s', CASE WHEN true THEN what ELSE '' END); -- bad: execute
    EXECUTE format('DROP TABLE %s', lower(what)); -- bad: execute
    later := what;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.executes(text, pipedrive.thing) IS 'runs what it is given';

CREATE OR REPLACE FUNCTION pipedrive.schedule() RETURNS void -- bad: execute
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN EXECUTE 'SELECT 1'; END $$;
COMMENT ON FUNCTION pipedrive.schedule() IS 'has an exception that it does not need';
