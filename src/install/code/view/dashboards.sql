-- create_dashboards(): materialized views over the mirrors of a schema.

-- The view that comes with the mirror; where that was dropped, its query.
CREATE OR REPLACE FUNCTION pipedrive_internal.history_of(mirror regclass, field text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(pipedrive_internal.mirror_view(m.mirror_id, field)::text,
                    format('(%s)', pipedrive_internal.history_query(m, field)))
      FROM pipedrive_internal.mirror m WHERE m.target = mirror
$$;
COMMENT ON FUNCTION pipedrive_internal.history_of(regclass, text) IS
    'a FROM item with the values that a column went through: id, value, entered, left_at and step';

CREATE OR REPLACE FUNCTION pipedrive_internal.needed_mirrors(query text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(e.entity) FROM pipedrive.entities e
     WHERE strpos(query, format('{%s}', e.entity)) + strpos(query, format('{%s.', e.entity)) > 0
$$;
COMMENT ON FUNCTION pipedrive_internal.needed_mirrors(text) IS
    'entities that the query of a dashboard names';

CREATE OR REPLACE FUNCTION pipedrive_internal.mirrors_of(mirror_schema regnamespace)
RETURNS TABLE (entity text, target regclass)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT ON (m.entity) m.entity, m.target
      FROM pipedrive_internal.mirror m
      JOIN pg_class c ON c.oid = m.target AND c.relnamespace = mirror_schema
     ORDER BY m.entity, c.relname <> m.entity, m.mirror_id
$$;
COMMENT ON FUNCTION pipedrive_internal.mirrors_of(regnamespace) IS
    'one mirror an entity: of several, the one that has the entity''s name, or the oldest';

CREATE OR REPLACE FUNCTION pipedrive_internal.create_dashboard(
    dashboard text, mirror_schema regnamespace, target_schema text, time_zone text)
RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    d record;
    m record;
    place record;
    query text;
    view regclass;
BEGIN
    SELECT * INTO STRICT d FROM pipedrive_internal.dashboards() b WHERE b.name = dashboard;
    query := replace(d.query, '{zone}', quote_literal(time_zone));
    FOR m IN SELECT * FROM pipedrive_internal.mirrors_of(mirror_schema) LOOP
        query := replace(query, format('{%s}', m.entity), m.target::text);
        FOR place IN SELECT format('{%s.%s}', m.entity, c.column_name) AS mark, c.column_name
                       FROM pipedrive.entity_columns c WHERE c.entity = m.entity AND c.history LOOP
            IF strpos(query, place.mark) > 0 THEN
                query := replace(query, place.mark,
                                 pipedrive_internal.history_of(m.target, place.column_name));
            END IF;
        END LOOP;
    END LOOP;
    EXECUTE format('CREATE MATERIALIZED VIEW %I.%I AS %s WITH NO DATA', target_schema, d.name,
                   query);
    view := format('%I.%I', target_schema, d.name)::regclass;
    EXECUTE format('CREATE UNIQUE INDEX %I ON %s (%s)', d.name || '_key', view, d.unique_columns);
    EXECUTE format('COMMENT ON MATERIALIZED VIEW %s IS %L', view,
                   replace(d.comment, '{zone}', time_zone));
    PERFORM pipedrive.track_view(view, d.max_age);
    PERFORM pipedrive_internal.refresh_view(view);
    RETURN view;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.create_dashboard(text, regnamespace, text, text) IS
    'makes, fills and tracks one dashboard';

CREATE OR REPLACE FUNCTION pipedrive.create_dashboards(
    mirror_schema regnamespace, target_schema text DEFAULT NULL, time_zone text DEFAULT 'UTC')
RETURNS SETOF regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place name := pipedrive_internal.schema_name(target_schema);
    present text[] := (SELECT array_agg(m.entity)
                         FROM pipedrive_internal.mirrors_of(mirror_schema) m);
    d record;
BEGIN
    IF present IS NULL THEN
        RAISE EXCEPTION 'schema % holds no mirrors', mirror_schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = (SELECT coalesce('Mirrors are in: ' || string_agg(
                                              DISTINCT c.relnamespace::regnamespace::text, ', '),
                                          'SELECT pipedrive.create_mirrors(...) makes mirrors.')
                            FROM pipedrive_internal.mirror m JOIN pg_class c ON c.oid = m.target);
    END IF;
    IF place IS NULL THEN
        SELECT pipedrive_internal.derived_name(regexp_replace(n.nspname, '_mirror$', ''),
                                               '_dashboards'::text)
          INTO place FROM pg_namespace n WHERE n.oid = mirror_schema;
    END IF;
    PERFORM now() AT TIME ZONE time_zone; -- an error if there is no such zone
    PERFORM pipedrive_internal.ensure_schema(
        place, format('dashboards over the Pipedrive mirrors in %s', mirror_schema));
    FOR d IN SELECT b.name, pipedrive_internal.needed_mirrors(b.query) AS needs
               FROM pipedrive_internal.dashboards() b LOOP
        IF to_regclass(format('%I.%I', place, d.name)) IS NOT NULL THEN
            RAISE NOTICE 'dashboard % is left as it is: the relation exists', d.name;
        ELSIF NOT d.needs <@ present THEN
            RAISE NOTICE 'dashboard % is left out: there is no mirror of %', d.name,
                (SELECT string_agg(n, ', ') FROM unnest(d.needs) AS n WHERE NOT n = ANY (present));
        ELSE
            BEGIN
                RETURN NEXT pipedrive_internal.create_dashboard(d.name, mirror_schema, place::text,
                                                                time_zone);
            EXCEPTION WHEN undefined_column OR undefined_function OR datatype_mismatch THEN
                -- tables written by hand, without what it needs
                RAISE NOTICE 'dashboard % is left out: %', d.name, SQLERRM;
            END;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipedrive.create_dashboards(regnamespace, text, text) IS
    'materialized views over the mirrors of a schema, each with a unique index, a comment, and '
    'tracked; into target_schema (default: the schema with _dashboards for _mirror); days and '
    'months are those of time_zone. Existing ones are left alone: drop one to have it made again';
