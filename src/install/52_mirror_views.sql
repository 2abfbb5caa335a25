-- The views beside a mirror: <table>_live, and for deals stage_history and owner_history.

CREATE TABLE mirror_view (
    view regclass PRIMARY KEY,
    mirror_id integer NOT NULL REFERENCES mirror ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('live', 'stage_id', 'owner_id')),
    UNIQUE (mirror_id, kind)
);
COMMENT ON TABLE mirror_view IS 'views that come with a mirror, whatever they are called by now';
COMMENT ON COLUMN mirror_view.kind IS 'live, or the column of deals whose history it shows';
SELECT pg_catalog.pg_extension_config_dump('mirror_view', '');
GRANT SELECT ON mirror_view TO PUBLIC; -- what a view reads is asked by everybody

CREATE FUNCTION _keep_view(which integer, view_name text, view_kind text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pipedrive.mirror_view (view, mirror_id, kind)
    VALUES (view_name::regclass, which, view_kind)
        ON CONFLICT (mirror_id, kind) DO UPDATE SET view = excluded.view
$$;
COMMENT ON FUNCTION _keep_view(integer, text, text) IS 'remembers a view of a mirror';

-- What has our name is not ours for that.
CREATE FUNCTION _is_free(name text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
COMMENT ON FUNCTION _is_free(text) IS 'whether a view may be made under a name; warns if not';

CREATE FUNCTION _mirror_view(which integer, view_kind text) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT v.view FROM pipedrive.mirror_view v JOIN pg_class c ON c.oid = v.view AND c.relkind = 'v'
     WHERE v.mirror_id = which AND v.kind = view_kind
$$;
COMMENT ON FUNCTION _mirror_view(integer, text) IS 'the view of a mirror, unless it was dropped';

-- The values that a column of deals went through, as intervals: one pass, one sort.
--
-- Their order leans on nothing that may be missing: first what a deal began with, then what
-- Pipedrive's log tells of the time before the mirror (by its times; it comes newest first), then
-- what the mirror recorded, as recorded. What a deal began with is the old value of its first
-- change, or without one what it has now. A change that is told twice is one; a value that is not
-- known is a gap.
CREATE FUNCTION _history_query(m pipedrive.mirror, field text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$
SELECT h.deal_id, h.value AS %1$I, h.entered, h.left_at, h.left_at - h.entered AS duration, h.step
  FROM (SELECT s.deal_id, s.value, s.entered, lead(s.entered) OVER w AS left_at,
               row_number() OVER w AS step
          FROM (SELECT e.deal_id, e.origin, e.at, e.tie, e.entered,
                       CASE WHEN e.origin = 0 AND lead(e.origin) OVER w IS NOT NULL
                            THEN lead(e.old_value) OVER w ELSE e.value END AS value,
                       e.origin > 0 AND e.value IS NOT DISTINCT FROM
                           CASE WHEN lag(e.origin) OVER w > 0
                                THEN lag(e.value) OVER w ELSE e.old_value END AS repeated
                  FROM (SELECT d.id AS deal_id, 0 AS origin, NULL::timestamptz AS at,
                               NULL::interval AS tie, d.add_time AS entered,
                               NULL::bigint AS old_value, d.%1$I::bigint AS value
                          FROM %2$s d
                         UNION ALL
                        SELECT c.id, o.origin,
                               CASE o.origin WHEN 1 THEN c.changed_at ELSE c.recorded_at END,
                               CASE o.origin WHEN 1 THEN timestamptz 'epoch' - c.recorded_at
                                             ELSE c.changed_at - timestamptz 'epoch' END,
                               c.changed_at,
                               CASE WHEN c.old_value #>> '{}' ~ '^[0-9]{1,18}$'
                                    THEN (c.old_value #>> '{}')::bigint END,
                               CASE WHEN c.new_value #>> '{}' ~ '^[0-9]{1,18}$'
                                    THEN (c.new_value #>> '{}')::bigint END
                          FROM pipedrive.changes c
                         CROSS JOIN LATERAL (SELECT CASE c.change_source WHEN 'backfill' THEN 1
                                                         ELSE 2 END) AS o (origin)
                         WHERE c.mirror_id = %3$s AND c.field = %1$L) AS e
                WINDOW w AS (PARTITION BY e.deal_id ORDER BY e.origin, e.at, e.tie)) AS s
         WHERE NOT s.repeated
        WINDOW w AS (PARTITION BY s.deal_id ORDER BY s.origin, s.at, s.tie)) AS h
 WHERE h.value IS NOT NULL$query$, field, m.target, m.mirror_id)
$$;
COMMENT ON FUNCTION _history_query(pipedrive.mirror, text) IS
    'SELECT of deal_id, the column, entered, left_at, duration and step for a mirror of deals';

CREATE FUNCTION _create_history_view(m pipedrive.mirror, field text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ending text := replace(field, '_id', '') || '_history';
    name text;
BEGIN
    SELECT format('%I.%I', n.nspname,
                  CASE WHEN c.relname = 'deals' THEN ending
                       ELSE pipedrive._derived_name(c.relname::text, '_' || ending)::text END)
      INTO name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.target;
    IF NOT pipedrive._is_free(name) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE VIEW %s AS %s', name, pipedrive._history_query(m, field));
    EXECUTE format('COMMENT ON VIEW %s IS %L', name,
                   format('for each deal the values of %s: entered, left and duration, in the '
                          'order of step, as far as pipedrive.changes goes back; entered is NULL '
                          'for the first where the deal has no add_time', field));
    PERFORM pipedrive._keep_view(m.mirror_id, name, field);
END
$$;
COMMENT ON FUNCTION _create_history_view(pipedrive.mirror, text) IS
    'views stage_history and owner_history beside a mirror of deals';

CREATE FUNCTION _create_views(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    PERFORM pipedrive._create_live_view(m);
    IF m.entity = 'deals' THEN
        PERFORM pipedrive._create_history_view(m, f) FROM unnest(ARRAY['stage_id', 'owner_id']) AS f
         WHERE ARRAY[f, 'add_time'] <@ pipedrive._mirror_columns(m.target);
    END IF;
END
$$;
COMMENT ON FUNCTION _create_views(integer) IS
    'views beside a mirror: <table>_live; for deals stage_history and owner_history';
