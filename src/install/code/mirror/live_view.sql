-- <table>_live: a mirror with what changed in Pipedrive since its last sync.

-- With another token than the mirror was synced with, the view would mix two companies. No request:
-- sync() has written down which versions of server and mapping it asked about. Whose mapping the
-- view reads with only its owner may see, and everybody who reads the view runs this.
CREATE OR REPLACE FUNCTION pipedrive_internal.reads_own_account(which integer, reader name)
RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    used record;
BEGIN
    SELECT s.srvname, m.target, r.rolname,
           CASE WHEN u.oid IS NOT NULL THEN format('%s:%s:%s', u.oid, s.xmin, u.xmin) END AS stamp
      INTO used
      FROM pipedrive_internal.mirror m
      JOIN pg_foreign_table t ON t.ftrelid = m.source
      JOIN pg_foreign_server s ON s.oid = t.ftserver
      JOIN pg_class v ON v.oid = pipedrive_internal.mirror_view(m.mirror_id, 'live'::text)
      JOIN pg_roles r ON CASE WHEN coalesce((SELECT o.option_value::boolean
                                               FROM pg_options_to_table(v.reloptions) AS o
                                              WHERE o.option_name = 'security_invoker'), false)
                              THEN r.rolname = reader ELSE r.oid = v.relowner END
      LEFT JOIN pg_user_mapping u ON u.umserver = s.oid AND u.umuser IN (r.oid, 0)
     WHERE m.mirror_id = which ORDER BY u.umuser DESC LIMIT 1;
    IF used.stamp IS NULL -- no mapping: the scan says so; no view: this is a copy of one
       OR EXISTS (SELECT FROM pipedrive_internal.server_account a
                   WHERE a.server = used.srvname AND a.stamp = used.stamp) THEN
        RETURN true;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('whose account server "%s" shows to "%s" is not known', used.srvname,
                         used.rolname),
        DETAIL = 'Server or user mapping were altered since it was asked for. With the token of '
                 'another company this would mix its rows with those of the mirror.',
        HINT = format('CALL pipedrive.sync(%L) of that role asks (2 tokens).', used.target);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.reads_own_account(integer, name) IS
    'true, or the error where <table>_live would read an account that no sync() has asked about';

-- Of an existing view, all columns stay, in their places: one that is kept no more reads NULL, so
-- that what reads the view stands in nobody's way.
CREATE OR REPLACE FUNCTION pipedrive_internal.live_query(
    m pipedrive_internal.mirror, existing regclass, without name)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$
  WITH tail AS MATERIALIZED (
       SELECT %1$s FROM %3$s
        WHERE update_time >= (SELECT CASE WHEN s.watermark IS NULL THEN NULL
                                          WHEN pipedrive_internal.reads_own_account(%4$s, current_user)
                                          THEN s.watermark - x.overlap END
                                FROM pipedrive_internal.mirror_state s
                                JOIN pipedrive_internal.mirror x USING (mirror_id)
                               WHERE s.mirror_id = %4$s))
SELECT %2$s FROM tail
 UNION ALL
SELECT %1$s FROM %5$s AS kept
 WHERE NOT EXISTS (SELECT FROM tail WHERE tail.%6$I = kept.%6$I)$query$,
                  string_agg(CASE WHEN o.kept IS NOT TRUE
                                  THEN format('NULL::%s AS ', coalesce(v.type, o.type))
                                  ELSE '' END || quote_ident(coalesce(v.name, o.name)), ', '
                             ORDER BY v.n, o.n),
                  string_agg(quote_ident(coalesce(v.name, o.name)), ', ' ORDER BY v.n, o.n),
                  m.source, m.mirror_id, m.target, m.key_column)
      FROM (SELECT a.attname::text AS name, a.attnum AS n,
                   format_type(a.atttypid, a.atttypmod) AS type
              FROM pg_attribute a
             WHERE a.attrelid = existing AND a.attnum > 0 AND NOT a.attisdropped) AS v
      FULL JOIN (SELECT c.name, c.n, true AS kept, NULL::text AS type
                   FROM unnest(pipedrive_internal.mirror_columns(m.target)) WITH ORDINALITY AS c (name, n)
                  WHERE c.name IS DISTINCT FROM without::text
                  UNION ALL
                 SELECT f.name, 10000 + a.attnum, false, format_type(a.atttypid, a.atttypmod)
                   FROM unnest(pipedrive_internal.fieldless_columns(m)) AS f (name)
                   JOIN pg_attribute a ON a.attrelid = m.target AND a.attname = f.name
                  WHERE f.name IS DISTINCT FROM without::text) AS o ON o.name = v.name
$$;
COMMENT ON FUNCTION pipedrive_internal.live_query(pipedrive_internal.mirror, regclass, name) IS
    'SELECT for <table>_live: the columns of the existing view first, without the one named';

CREATE OR REPLACE FUNCTION pipedrive_internal.make_live_view(m pipedrive_internal.mirror, name text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE VIEW %s AS %s', name, pipedrive_internal.live_query(m, NULL::regclass, NULL::name));
    EXECUTE format('COMMENT ON VIEW %s IS %L', name,
                   format('%s with what changed in Pipedrive since its last sync; reads the API',
                          m.target));
    PERFORM pipedrive_internal.keep_view(m.mirror_id, name, 'live'::text);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.make_live_view(pipedrive_internal.mirror, text) IS
    'makes <table>_live under a name';

CREATE OR REPLACE FUNCTION pipedrive_internal.create_live_view(m pipedrive_internal.mirror)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    IF 'update_time' = ANY (pipedrive_internal.mirror_columns(m.target))
       AND EXISTS (SELECT FROM pipedrive.entity_columns e
                    WHERE e.entity = m.entity AND e.parameter LIKE 'updated_since%') THEN
        SELECT format('%I.%I', n.nspname, pipedrive_internal.derived_name(c.relname::text, '_live'::text))
          INTO name
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.target;
        IF pipedrive_internal.is_free(name) THEN
            PERFORM pipedrive_internal.make_live_view(m, name);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.create_live_view(pipedrive_internal.mirror) IS
    'view <table>_live beside a mirror, where the API can tell what changed';

-- Where that would have to wait, or is not allowed, the view says itself what is wrong.
CREATE OR REPLACE FUNCTION pipedrive_internal.hide_live_column(m pipedrive_internal.mirror)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    view regclass := pipedrive_internal.mirror_view(m.mirror_id, 'live'::text);
BEGIN
    IF view IS NOT NULL AND pipedrive_internal.unwritable(m.target, m.key_column, m.key_type) IS NULL THEN
        EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', view,
                       pipedrive_internal.live_query(m, view, NULL::name));
    END IF;
EXCEPTION WHEN lock_not_available OR insufficient_privilege THEN
    RETURN;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.hide_live_column(pipedrive_internal.mirror) IS
    'lets columns that are left out read NULL in <table>_live';

CREATE OR REPLACE FUNCTION pipedrive_internal.free_live_column(
    m pipedrive_internal.mirror, column_name name)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view regclass := pipedrive_internal.mirror_view(m.mirror_id, 'live'::text);
BEGIN
    IF pipedrive_internal.unwritable(m.target, m.key_column, m.key_type) IS NULL
       AND EXISTS (SELECT FROM pg_attribute v
                    WHERE v.attrelid = view AND v.attname = free_live_column.column_name) THEN
        EXECUTE format('ALTER VIEW %s RENAME COLUMN %I TO %I', view, column_name,
                       pipedrive_internal.spare_name(view, column_name));
        EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', view,
                       pipedrive_internal.live_query(m, view, column_name));
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.free_live_column(pipedrive_internal.mirror, name) IS
    'lets go of a column of the foreign table that is to be dropped';

-- Made anew under its name, with its owner and grants, so that columns that read NULL are gone.
CREATE OR REPLACE FUNCTION pipedrive_internal.rebuild_live_view(
    m pipedrive_internal.mirror, view regclass)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := view::text;
    c pg_class := (SELECT k FROM pg_class k WHERE k.oid = view);
    g record;
BEGIN
    EXECUTE format('DROP VIEW %s', name);
    PERFORM pipedrive_internal.make_live_view(m, name);
    EXECUTE format('ALTER VIEW %s OWNER TO %I', name, pg_get_userbyid(c.relowner));
    FOR g IN SELECT a.privilege_type, a.is_grantable,
                    CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                   ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS who
               FROM aclexplode(c.relacl) AS a WHERE a.grantee <> c.relowner LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s', g.privilege_type, name, g.who,
                       CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
    RETURN true;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.rebuild_live_view(pipedrive_internal.mirror, regclass) IS
    'makes <table>_live anew, unless something reads it';

CREATE OR REPLACE FUNCTION pipedrive_internal.live_view_is_current(
    m pipedrive_internal.mirror, view regclass)
RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
             WHERE a.attrelid = view AND a.attnum > 0)
           = (SELECT array_agg(c ORDER BY c::name)
                FROM unnest(pipedrive_internal.mirror_columns(m.target)
                            || pipedrive_internal.fieldless_columns(m)) AS c)
       AND (SELECT count(DISTINCT d.refobjsubid)
              FROM pg_rewrite w
              JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
             WHERE w.ev_class = view AND d.refobjid = m.source AND d.refobjsubid > 0)
           = cardinality(pipedrive_internal.mirror_columns(m.target))
$$;
COMMENT ON FUNCTION pipedrive_internal.live_view_is_current(pipedrive_internal.mirror, regclass) IS
    'whether <table>_live shows the columns of its mirror, and none that has a field as NULL';

CREATE OR REPLACE FUNCTION pipedrive_internal.renew_live_view(m pipedrive_internal.mirror)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view regclass := pipedrive_internal.mirror_view(m.mirror_id, 'live'::text);
BEGIN
    IF view IS NULL THEN
        PERFORM pipedrive_internal.create_live_view(m);
    ELSIF pipedrive_internal.live_view_is_current(m, view) THEN
        RETURN;
    ELSIF NOT EXISTS (SELECT FROM pg_attribute a
                       WHERE a.attrelid = view AND a.attnum > 0
                         AND NOT a.attname::text = ANY (pipedrive_internal.mirror_columns(m.target)
                                                        || pipedrive_internal.fieldless_columns(m)))
          OR NOT pipedrive_internal.rebuild_live_view(m, view) THEN
        EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', view,
                       pipedrive_internal.live_query(m, view, NULL::name));
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.renew_live_view(pipedrive_internal.mirror) IS
    'gives <table>_live the columns of its mirror';
