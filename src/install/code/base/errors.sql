-- Errors that become text: in a column, in the answer of a function. The reason comes along, and no
-- value of a row does: such text is read by people who may not read the row.

CREATE OR REPLACE FUNCTION pipedrive_internal.may_quote(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT state !~ '^(HV|08|0A|25|28|2B|3D|3F|40|42|53|54|55|57|58|XX)'
$$;
COMMENT ON FUNCTION pipedrive_internal.may_quote(text) IS
    'whether errors of a SQLSTATE quote data: PostgreSQL''s own of classes 22 and 23, and '
    'whatever a trigger raises; this library''s own do not';

CREATE OR REPLACE FUNCTION pipedrive_internal.without_values(state text, said text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
    SELECT CASE -- what was found in a column: its kind is told
                WHEN state = 'HV004' THEN regexp_replace(said, '(found [a-z]+) .*', '\1.')
                WHEN state LIKE '23%' OR NOT pipedrive_internal.may_quote(state) THEN said
                WHEN state LIKE '22%' 
                     THEN regexp_replace(regexp_replace(said, '".*"', '"..."'), ': .*', '')
                ELSE pipedrive_internal.condition(state) END -- the words are those of some trigger
$$;
COMMENT ON FUNCTION pipedrive_internal.without_values(text, text) IS
    'a message without what it may quote of a row, by its SQLSTATE';

CREATE OR REPLACE FUNCTION pipedrive_internal.error_text(
    state text, message text, detail text, hint text, context text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
DECLARE
    -- the words of a trigger may be anything, whatever its SQLSTATE says; frames stand innermost
    -- first
    foreign_words boolean := (
        regexp_replace(context, 'PL/pgSQL function pipedrive(_internal)?\..*', '')
            ~ 'PL/pgSQL function |PL/(?!pgSQL)') IS TRUE;
    -- "Failing row contains (...)", "Key (email)=(...)", "Token ... is invalid"; 22023 is ours
    hidden boolean := foreign_words OR pipedrive_internal.may_quote(state) AND state <> '22023';
    place text := replace(substring(context FROM '(?:converting column|reading page)[^\n]*'),
                          ', page 0 ', ' ');
    reason text := nullif(CASE WHEN NOT hidden
                               THEN pipedrive_internal.without_values(state, detail) END, '');
    advice text := nullif(CASE WHEN NOT hidden THEN hint END, '');
BEGIN
    RETURN left(CASE WHEN foreign_words THEN pipedrive_internal.condition(state)
                     ELSE pipedrive_internal.without_values(state, message) END
                || coalesce(' (' || place || ')', '')
                || coalesce(': ' || rtrim(reason, '.') || '.',
                            CASE WHEN advice <> '' THEN '.' END, '')
                || coalesce(' ' || advice, ''), 2000);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.error_text(text, text, text, text, text) IS
    'an error as one text: message, place in the answer, detail and hint, without values of rows';
