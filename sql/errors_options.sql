\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- Options: what is refused, and what is said about it.
--
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION sim.option(kind text, option text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    statement text := CASE kind
        WHEN 'server' THEN 'CREATE SERVER probe FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (' || CASE WHEN option IN ('company_domain', 'api_base_url') THEN '' ELSE 'company_domain ''acme'', ' END || '%1$I %2$L)'
        WHEN 'mapping' THEN 'CREATE USER MAPPING FOR PUBLIC SERVER crm OPTIONS (%1$I %2$L)'
        WHEN 'table' THEN 'CREATE FOREIGN TABLE sim.probe (id bigint) SERVER crm OPTIONS (%1$I %2$L)'
        WHEN 'column' THEN 'CREATE FOREIGN TABLE sim.probe (id bigint OPTIONS (%1$I %2$L)) SERVER crm OPTIONS (entity ''deals'')'
        WHEN 'import' THEN 'IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (stages) FROM SERVER crm INTO sim OPTIONS (%1$I %2$L)'
        WHEN 'wrapper' THEN 'ALTER FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (ADD %1$I %2$L)' END;
    out text;
BEGIN
    BEGIN
        EXECUTE format(statement, option, value);
        RAISE EXCEPTION 'accepted' USING ERRCODE = 'XX999';
    EXCEPTION
        WHEN SQLSTATE 'XX999' THEN out := 'accepted';
        WHEN OTHERS THEN out := sim.error(format(statement, option, value));
    END;
    RETURN format('%s: %s %L -> %s', kind, option, left(value, 60), out);
END $$;
-- Values of server options.
SELECT sim.option('server', 'company_domain', v) FROM unnest(ARRAY['acme', 'ACME', 'acme.pipedrive.com', 'https://acme.pipedrive.com', 'https://acme.pipedrive.com/', 'http://acme.pipedrive.com', '', 'acme.evil.com', 'acme/..', 'a b', 'acme-', 'é', '@evil.com', repeat('a', 64), 'acme.pipedrive.com.evil.com', 'acme?x']) AS v;
SELECT sim.option('server', 'api_base_url', v) FROM unnest(ARRAY['https://api.pipedrive.com', 'https://acme.pipedrive.com/', 'https://example.com', 'http://127.0.0.1:1234', 'http://localhost', 'http://[::1]:80', 'http://127.9.9.9', 'http://example.com', 'http://api.pipedrive.com', 'http://127.0.0.1.evil.com', 'http://localhost.evil.com',
    'ftp://api.pipedrive.com', 'api.pipedrive.com', '', 'https://', 'https://user:pass@api.pipedrive.com', 'https://api.pipedrive.com/v1', 'https://api.pipedrive.com?x=1', 'https://api.pipedrive.com#x', 'https://api.pipedrive.com:0', 'https://api.pipedrive.com:99999', 'https://api.pipedrive.com:8443', 'https://a b.com', 'https://api.pipedrive.com.', 'https://api.pipedrive.com\@evil.com', 'http://2130706433', 'http://0x7f.1', 'http://0.0.0.0', 'https://pipedrive.com.evil.com', 'https://notpipedrive.com']) AS v;
SELECT sim.option('server', 'page_size', v) FROM unnest(ARRAY['1', '500', '0', '501', '-1', '', 'many', '1.5', '1e2', ' 7', '007', '99999999999999999999', '0x10']) AS v;
SELECT sim.option('server', 'connect_timeout', v) FROM unnest(ARRAY['10', '1ms', '2 s', '1min', '1h', '0', '2h', '-1', '', 'soon', '5 seconds', '1.5s', '10S']) AS v;
SELECT sim.option('server', 'request_timeout', v) FROM unnest(ARRAY['60s', '0ms', '3601']) AS v;
SELECT sim.option('server', 'max_retries', v) FROM unnest(ARRAY['0', '100', '101', '-1', 'x']) AS v;
SELECT sim.option('server', 'max_wait', v) FROM unnest(ARRAY['0', '24h', '25h', '']) AS v;
SELECT sim.option('server', 'max_response_size', v) FROM unnest(ARRAY['1kB', '1 GB', '2GB', '1', '64mb', '', '1TB']) AS v;
SELECT sim.option('server', 'ca_file', v) FROM unnest(ARRAY['/etc/ssl/certs/ca-certificates.crt', '']) AS v;
-- User mapping, table, column, import.
SELECT sim.option('mapping', 'api_token', v) FROM unnest(ARRAY['abcdef', '', 'two words', 'tökén', repeat('x', 513)]) AS v;
SELECT sim.option('table', 'entity', v) FROM unnest(ARRAY['deals', 'deal', 'Deals', 'people', 'organisations', 'xyzzy', '', 'activites']) AS v;
SELECT sim.option('table', 'page_size', v) FROM unnest(ARRAY['7', '0', 'x']) AS v;
SELECT sim.option('column', 'field', v) FROM unnest(ARRAY['id', '']) AS v;
SELECT sim.option('column', 'type', v) FROM unnest(ARRAY['enum', 'enumm', 'varchar', 'number', 'xyzzy', '']) AS v;
SELECT sim.option('import', 'labels', v) FROM unnest(ARRAY['label', 'id', 'both', 'ids', '', 'LABEL']) AS v;
SELECT sim.option('import', 'custom_fields', v) FROM unnest(ARRAY['true', 'off', '1', 'maybe', '']) AS v;
SELECT sim.option('import', 'optional_fields', v) FROM unnest(ARRAY['false', 'perhaps']) AS v;
-- Unknown and misplaced ones.
SELECT sim.option(k, o, 'x') FROM (VALUES ('server', 'company_domian'), ('server', 'pagesize'), ('server', 'xyzzy'), ('server', 'Page_Size'), ('server', 'api_token'), ('server', 'entity'), ('server', 'host'), ('mapping', 'token'), ('mapping', 'api_tokn'), ('mapping', 'password'), ('mapping', 'user'), ('mapping', 'company_domain'),
    ('table', 'entiy'), ('table', 'table'), ('table', 'api_token'), ('table', 'field'), ('column', 'feild'), ('column', 'entity'), ('import', 'label'), ('import', 'custom_field'), ('import', 'page_size'), ('wrapper', 'company_domain'), ('wrapper', 'debug')) AS v (k, o);
-- The token appears in no message.
SELECT sim.option('server', 'api_token', 'secret-0123456789');
SELECT position('secret-0123456789' IN sim.option('mapping', 'api_token', 'secret-0123456789 with blanks') || sim.option('mapping', 'api_tokn', 'secret-0123456789')) - position('secret' IN sim.option('mapping', 'api_token', 'secret')) AS only_in_our_own_echo;
SELECT sim.error('CREATE USER MAPPING FOR PUBLIC SERVER crm OPTIONS (api_token ''secret-0123456789 with blanks'')') ~ 'secret' AS shown;
SELECT sim.error('CREATE USER MAPPING FOR PUBLIC SERVER crm OPTIONS (api_tokn ''secret-0123456789'')') ~ 'secret' AS shown;
SELECT sim.error('CREATE USER MAPPING FOR PUBLIC SERVER crm OPTIONS (api_token '''')');
-- What must be there.
SELECT sim.error('CREATE SERVER probe FOREIGN DATA WRAPPER pipedrive_fdw');
SELECT sim.error('CREATE SERVER probe FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (page_size ''7'')');
SELECT sim.error('ALTER SERVER crm OPTIONS (DROP api_base_url)');
CREATE USER MAPPING FOR PUBLIC SERVER crm;
DROP USER MAPPING FOR PUBLIC SERVER crm;
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (DROP api_token);
CREATE FOREIGN TABLE crm.stages (id bigint) SERVER crm;
SELECT sim.error('SELECT * FROM crm.stages');
ALTER USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (ADD api_token 'sim-token-admin');
SELECT count(*) FROM crm.stages;
-- The table's name is the entity unless an option says otherwise.
CREATE FOREIGN TABLE crm.stage (id bigint) SERVER crm;
SELECT sim.error('SELECT * FROM crm.stage');
CREATE FOREIGN TABLE crm.xyzzy (id bigint) SERVER crm;
SELECT sim.error('SELECT * FROM crm.xyzzy');
-- A column that no field backs is told at its first use, with the closest name.
CREATE FOREIGN TABLE crm.deals (id bigint, titel text, "Status" text, owner bigint, currency_code text OPTIONS (field 'currency'), xyzzy_quux text, hash text OPTIONS (field '00000000000000000000000000000000000000ff'), skore numeric, part text OPTIONS (field 'value', subfield 'amount')) SERVER crm;
SELECT count(*), count(currency_code) FROM crm.deals;
SELECT sim.error(format('SELECT %I FROM crm.deals', attname)) FROM pg_attribute WHERE attrelid = 'crm.deals'::regclass AND attname IN ('titel', 'Status', 'owner', 'xyzzy_quux', 'skore', 'part') ORDER BY attnum;
SELECT sim.error('SELECT hash FROM crm.deals');
SELECT sim.error('SELECT * FROM crm.deals');
SELECT sim.error('SELECT id FROM crm.deals WHERE titel = ''x''');
CREATE FOREIGN TABLE crm.activities (id bigint, due text, typ text) SERVER crm;
SELECT sim.error('SELECT due FROM crm.activities');
SELECT sim.error('SELECT typ FROM crm.activities');
-- EXPLAIN says the same where no request is needed to know it.
SELECT sim.error('EXPLAIN SELECT typ FROM crm.activities');
-- Options that only superusers may set.
DROP ROLE IF EXISTS regress_pipedrive_dba;
CREATE ROLE regress_pipedrive_dba;
GRANT USAGE ON FOREIGN DATA WRAPPER pipedrive_fdw TO regress_pipedrive_dba;
GRANT USAGE ON SCHEMA sim TO regress_pipedrive_dba;
SET ROLE regress_pipedrive_dba;
SELECT sim.error('CREATE SERVER probe FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url ''https://example.com'')');
SELECT sim.error('CREATE SERVER probe FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url ''http://127.0.0.1:1'')');
SELECT sim.error('CREATE SERVER probe FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (company_domain ''acme'', ca_file ''/etc/passwd'')');
CREATE SERVER probe FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url 'https://api.pipedrive.com');
SELECT sim.error('ALTER SERVER probe OPTIONS (SET api_base_url ''https://pipedrive.com.evil.com'')');
SELECT sim.error('ALTER SERVER probe OPTIONS (ADD ca_file ''/tmp/x'')');
ALTER SERVER probe OPTIONS (SET api_base_url 'https://acme.pipedrive.com', ADD page_size '100');
RESET ROLE;
DROP OWNED BY regress_pipedrive_dba;
DROP ROLE regress_pipedrive_dba;
-- Settings.
SELECT sim.error('SET pipedrive_fdw.enable_pushdown = 7');
SELECT sim.error('SET pipedrive_fdw.enable_pushdwn = on');
