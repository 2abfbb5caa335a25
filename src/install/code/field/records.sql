-- One record as the columns of a foreign table.

CREATE OR REPLACE FUNCTION pipedrive.decode_record(
    source regclass, record jsonb, shape text DEFAULT 'rest')
RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_decode_record';
COMMENT ON FUNCTION pipedrive.decode_record(regclass, jsonb, text) IS
    'what the columns of a foreign table would show for one record of the API as it came: shape '
    'rest (as in its list), flat (version 1, events too) or webhook (an event of version 2); '
    'columns of which the record does not say all are left out';

CREATE OR REPLACE FUNCTION pipedrive_internal.decode_event(
    source regclass, record jsonb, shape text)
RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pipedrive_fdw_decode_event';
COMMENT ON FUNCTION pipedrive_internal.decode_event(regclass, jsonb, text) IS
    'decode_record() where a value that does not fit leaves out its column';
