-- What cannot run twice, in a room that holds the width. -- bad: narrow

CREATE TABLE pipedrive.late (id bigint); -- bad: again
COMMENT ON TABLE pipedrive.late IS 'is there the second time';
CREATE INDEX late_id ON pipedrive.late (id); -- bad: again
ALTER TABLE pipedrive.late ADD COLUMN x text; -- bad: again
INSERT INTO pipedrive.late VALUES (1); -- bad: again
CREATE FUNCTION pipedrive.fresh() RETURNS bigint -- bad: again
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 1::bigint $$;
COMMENT ON FUNCTION pipedrive.fresh() IS 'is there the second time';
CREATE TRIGGER late BEFORE DELETE ON pipedrive.late -- bad: again
    FOR EACH ROW EXECUTE FUNCTION pipedrive_internal.keep();
COMMENT ON TRIGGER late ON pipedrive.late IS 'is there the second time';
DROP TRIGGER early ON pipedrive.late; -- bad: again
DROP EVENT TRIGGER IF EXISTS another;
CREATE EVENT TRIGGER early ON sql_drop EXECUTE FUNCTION pipedrive_internal.keep(); -- bad: again
COMMENT ON EVENT TRIGGER early IS 'another one is dropped';
DO $$ BEGIN EXECUTE 'CREATE TABLE pg_temp.x (id bigint)'; END $$; -- bad: again
SELECT 1; -- bad: again
