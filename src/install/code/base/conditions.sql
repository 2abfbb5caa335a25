-- An error told to those who may not read what it is about: its SQLSTATE in words, and nothing of
-- its text. A message quotes data in many ways (a failed cast, a name that is no table, whatever a
-- function raises, in any language), so no rule for taking the data out of one is good enough for
-- everybody's eyes.

CREATE OR REPLACE FUNCTION pipedrive_internal.condition(state text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.words
      FROM (VALUES ('21000', 'a subquery returned more than one row'),
                   ('22001', 'a string is too long for its type'),
                   ('22003', 'a number is out of range'),
                   ('22007', 'invalid date or time'),
                   ('22008', 'a date or time is out of range'),
                   ('22012', 'division by zero'),
                   ('22023', 'invalid parameter value'),
                   ('22P02', 'invalid input for a type'),
                   ('22P05', 'a character has no equivalent in another encoding'),
                   ('23502', 'a value that must not be NULL is'),
                   ('23503', 'foreign key violation'),
                   ('23505', 'duplicate key in a unique index'),
                   ('23514', 'check violation'),
                   ('2BP01', 'other objects depend on it'),
                   ('40001', 'could not serialize access'),
                   ('40P01', 'deadlock'),
                   ('42501', 'insufficient privilege'),
                   ('42601', 'syntax error'),
                   ('42703', 'undefined column'),
                   ('42704', 'undefined object'),
                   ('42883', 'undefined function'),
                   ('42P01', 'undefined table'),
                   ('42804', 'datatype mismatch'),
                   ('53100', 'disk full'),
                   ('53200', 'out of memory'),
                   ('53400', 'a configured limit was reached'),
                   ('55P03', 'a lock was not available'),
                   ('57014', 'canceled, or out of time'),
                   ('P0001', 'raised by a function or trigger'),
                   ('HV004', 'invalid value from Pipedrive'),
                   ('HV00L', 'Pipedrive rejected a request'),
                   ('HV00M', 'invalid reply from Pipedrive'),
                   ('HV00N', 'no connection to Pipedrive'),
                   -- classes
                   ('08', 'connection failure'),
                   ('0A', 'feature not supported'),
                   ('22', 'data exception'),
                   ('23', 'integrity constraint violation'),
                   ('25', 'invalid transaction state'),
                   ('28', 'not authorized'),
                   ('40', 'transaction rollback'),
                   ('42', 'syntax error or access rule violation'),
                   ('53', 'insufficient resources'),
                   ('54', 'program limit exceeded'),
                   ('55', 'object not in prerequisite state'),
                   ('57', 'operator intervention'),
                   ('58', 'system error'),
                   ('F0', 'configuration file error'),
                   ('HV', 'foreign-data wrapper error'),
                   ('P0', 'error of a function'),
                   ('XX', 'internal error'),
                   ('', 'an error that PostgreSQL does not know')) AS c (code, words)
     WHERE c.code IN (state, left(state, 2), '') ORDER BY c.code DESC LIMIT 1
$$;
COMMENT ON FUNCTION pipedrive_internal.condition(text) IS
    'an SQLSTATE in words, by itself or by its class';

CREATE OR REPLACE FUNCTION pipedrive_internal.full_text(
    state text, message text, detail text, hint text)
RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(state || ': ' || message || coalesce(': ' || nullif(detail, ''), '')
                || coalesce(' ' || nullif(hint, ''), ''), 2000)
$$;
COMMENT ON FUNCTION pipedrive_internal.full_text(text, text, text, text) IS
    'an error with all that it quotes, for those who may read that: nothing for everybody shows it';
