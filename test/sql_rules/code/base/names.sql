-- Names without a schema, and names of nothing.

CREATE OR REPLACE FUNCTION pipedrive_internal.sloppy(p pipedrive_internal.pair) RETURNS pair -- bad: schema
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM twice(p.a); -- bad: schema
    PERFORM 1 FROM thing; -- bad: schema
    INSERT INTO thing (id) VALUES (1); -- bad: schema
    EXECUTE 'SELECT pipedrive_internal.twice(t.id) FROM pipedrive.thing t JOIN thing u USING (id)'; -- bad: schema
    PERFORM pipedrive_internal.thrice(p.a); -- bad: exists
    PERFORM 1 FROM pipedrive.pair; -- bad: exists
    RETURN p::pair; -- bad: schema
END
$$;
COMMENT ON FUNCTION pipedrive_internal.sloppy(pipedrive_internal.pair) IS 'trusts search_path, however long the line is';
-- bad at 9: narrow
-- bad at 15: narrow
-- bad at 3: narrow
