\set prologue `echo "$PIPEDRIVE_TEST_ROOT/sql/include/prologue.psql"`
\i :prologue
--
-- How often field definitions are read: where the API leaves unset fields out, the same query reads
-- them once, and tables with the same definitions read them once for all.
--
CALL sim.switch('{"absent_keys": "absent", "custom_null_keys": "absent",
                  "unknown_custom_key": "ignore"}');
CALL sim.clear();
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, deleted_deals, organizations)
  FROM SERVER crm INTO crm;
SELECT j FROM sim.journal(true) AS j WHERE j ~ 'Fields' ORDER BY j;
SELECT entity FROM pipedrive_internal.fields ORDER BY entity;
CALL sim.clear();
SELECT count(*) AS changes FROM pipedrive.field_changes('crm');
SELECT j FROM sim.journal(true) AS j WHERE j ~ 'Fields' ORDER BY j;
CALL sim.clear();
SELECT count(*) AS changes FROM pipedrive.refresh_schema('crm');
SELECT j FROM sim.journal(true) AS j WHERE j ~ 'Fields' ORDER BY j;
-- The second time a query finds nothing that it has to ask for.
CREATE FUNCTION sim.readings(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    CALL sim.clear();
    FOR i IN 1 .. 3 LOOP
        EXECUTE query;
    END LOOP;
    RETURN (SELECT format('%s of the definitions, %s of rows', count(*) FILTER (WHERE j ~ 'Fields'),
                          count(*) FILTER (WHERE j !~ 'Fields')) FROM sim.journal(true) AS j);
END $$;
\c -
SET client_min_messages = warning;
SELECT sim.readings('SELECT score FROM crm.deals WHERE id = 3');
SELECT sim.readings('SELECT * FROM crm.deals');
SELECT sim.readings('SELECT * FROM crm.deals WHERE NOT is_archived AND id < 20');
SELECT sim.readings('SELECT * FROM crm.organizations');
SELECT sim.readings('SELECT * FROM crm.deleted_deals');
-- The same session notices a field that is removed by the first row that had a value.
SELECT count(score) > 0 AS has_values FROM crm.deals;
CALL sim.field('{"action": "remove", "entity": "deals", "code": "Score"}');
SELECT sim.error('SELECT score FROM crm.deals');
SELECT id, title IS NOT NULL AS titled FROM crm.deals WHERE id = 3;
CALL sim.reset();
