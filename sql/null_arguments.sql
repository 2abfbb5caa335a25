\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- NULL in any argument of any function of ours is an error with an SQLSTATE, or an answer: never a crash and never an internal error.
--
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages, deals) FROM SERVER crm INTO crm;
SELECT pipedrive.create_mirror('crm.stages');
DROP ROLE IF EXISTS regress_pipedrive_nobody;
CREATE ROLE regress_pipedrive_nobody;
GRANT USAGE ON SCHEMA sim TO PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pipedrive, pipedrive_internal TO regress_pipedrive_nobody;
CREATE TABLE sim.null_call (role text, call text, state text, message text);
GRANT ALL ON sim.null_call TO PUBLIC;
-- A value that an argument of a type may well have.
CREATE FUNCTION sim.plausible(type oid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE type WHEN 'name'::regtype THEN '''crm''' WHEN 'text'::regtype THEN '''x''' WHEN 'regclass'::regtype THEN '''crm.stages'''
                     WHEN 'boolean'::regtype THEN 'true' WHEN 'jsonb'::regtype THEN '''{"id": 1}''' WHEN 'json'::regtype THEN '''{"id": 1}'''
                     WHEN 'interval'::regtype THEN '''1 day''' WHEN 'timestamptz'::regtype THEN '''2026-01-01 00:00Z''' WHEN 'date'::regtype THEN '''2026-01-01'''
                     WHEN 'regnamespace'::regtype THEN '''crm''' WHEN 'bytea'::regtype THEN '''x''' WHEN 'oid'::regtype THEN '''20'''
                     ELSE CASE WHEN (SELECT t.typcategory FROM pg_type t WHERE t.oid = type) = 'A' THEN '''{}'''
                               WHEN (SELECT t.typcategory FROM pg_type t WHERE t.oid = type) = 'N' THEN '''1''' ELSE 'NULL' END
           END || CASE WHEN type = '"any"'::regtype THEN '::text' ELSE '::' || type::regtype END
$$;
-- Every call: NULL everywhere, then in each place. Zero is all of them.
CREATE FUNCTION sim.null_calls() RETURNS TABLE (call text) LANGUAGE sql AS $$
    SELECT format('%s %s.%I(%s)', CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END, p.pronamespace::regnamespace, p.proname,
                  (SELECT string_agg(CASE WHEN nth IN (0, a.n) THEN CASE WHEN a.type = '"any"'::regtype THEN 'NULL::text' ELSE 'NULL::' || a.type::regtype END
                                          ELSE sim.plausible(a.type) END, ', ' ORDER BY a.n)
                     FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, n)))
      FROM pg_proc p CROSS JOIN LATERAL generate_series(0, p.pronargs) AS nth
     WHERE p.pronamespace IN ('pipedrive'::regnamespace, 'pipedrive_internal'::regnamespace) AND p.pronargs > 0
       AND p.prorettype NOT IN ('fdw_handler'::regtype, 'event_trigger'::regtype) ORDER BY p.oid, nth
$$;
GRANT EXECUTE ON FUNCTION sim.null_calls(), sim.plausible(oid) TO PUBLIC;
CREATE PROCEDURE sim.try_null_calls() LANGUAGE plpgsql AS $$
DECLARE
    c text;
BEGIN
    FOR c IN SELECT * FROM sim.null_calls() LOOP
        BEGIN
            EXECUTE c;
            RAISE EXCEPTION USING ERRCODE = '00000', MESSAGE = 'answered'; -- and undone
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO sim.null_call VALUES (current_user, c, SQLSTATE, SQLERRM);
        END;
    END LOOP;
END $$;
SET client_min_messages = error;
CALL sim.try_null_calls();
SET ROLE regress_pipedrive_nobody;
SET client_min_messages = error;
CALL sim.try_null_calls();
RESET ROLE;
-- All of them were made, and nobody said "internal error".
SELECT count(DISTINCT role) AS roles, count(*) > 400 AS many, count(DISTINCT call) = (SELECT count(DISTINCT n.call) FROM sim.null_calls() n) AS every_call FROM sim.null_call;
SELECT role = 'regress_pipedrive_nobody' AS nobody, call, message FROM sim.null_call WHERE state LIKE 'XX%' ORDER BY role, call;
-- Those that are written in C and need the value say which one is missing.
SELECT state, message, call FROM sim.null_call WHERE role <> 'regress_pipedrive_nobody' AND call ~ '\.(request|walk)\(' ORDER BY call COLLATE "C";
DROP OWNED BY regress_pipedrive_nobody;
DROP ROLE regress_pipedrive_nobody;
