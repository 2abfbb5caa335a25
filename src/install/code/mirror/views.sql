-- Which views come with a mirror, whatever they are called by now.

CREATE OR REPLACE FUNCTION pipedrive_internal.keep_view(
    which integer, view_name text, view_kind text)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive_internal.mirror_view (view, mirror_id, kind)
    VALUES (view_name::regclass, which, view_kind)
        ON CONFLICT (mirror_id, kind) DO UPDATE SET view = excluded.view
$$;
COMMENT ON FUNCTION pipedrive_internal.keep_view(integer, text, text) IS
    'remembers a view of a mirror';

-- What has our name is not ours for that.
CREATE OR REPLACE FUNCTION pipedrive_internal.is_free(name text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass(name) IS NULL AND to_regtype(name) IS NULL THEN
        RETURN true;
    END IF;
    RAISE WARNING USING MESSAGE = format('view %s is not made: the name is taken', name),
        HINT = 'What is there stays as it is. Once it has another name, drop_mirror() with '
               'drop_table => false and attach_mirror() make the view.';
    RETURN false;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.is_free(text) IS
    'whether a view may be made under a name; warns if not';

CREATE OR REPLACE FUNCTION pipedrive_internal.mirror_view(which integer, view_kind text)
RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT v.view FROM pipedrive_internal.mirror_view v JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v'
     WHERE v.mirror_id = which AND v.kind = view_kind
$$;
COMMENT ON FUNCTION pipedrive_internal.mirror_view(integer, text) IS
    'the view of a mirror, unless it was dropped';

CREATE OR REPLACE FUNCTION pipedrive_internal.create_views(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive_internal.mirror;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive_internal.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive_internal.create_live_view(m);
    PERFORM pipedrive_internal.create_history_views(m);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.create_views(integer) IS
    'views beside a mirror: <table>_live; for deals stage_history and owner_history';
