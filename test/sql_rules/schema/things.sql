-- What is made once, and what is not.

CREATE TABLE pipedrive.thing (
    id bigint PRIMARY KEY,
    target regclass,
    name text
);
COMMENT ON TABLE pipedrive.thing IS 'a good table';

CREATE TYPE pipedrive_internal.pair AS (a bigint, b bigint);
COMMENT ON TYPE pipedrive_internal.pair IS 'a good type';

CREATE TABLE stray (id bigint); -- bad: schema
COMMENT ON TABLE stray IS 'it is wherever search_path begins';

CREATE TABLE pipedrive._hidden (id bigint REFERENCES thing); -- bad: schema
COMMENT ON TABLE pipedrive._hidden IS 'two faults on one line are one mark';

CREATE TABLE pipedrive.silent (id bigint); -- bad: comment

CREATE OR REPLACE FUNCTION pipedrive_internal.here() RETURNS bigint -- bad: again
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 1::bigint $$;
COMMENT ON FUNCTION pipedrive_internal.here() IS 'updates would leave it behind';
