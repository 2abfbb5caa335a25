-- Views beside mirrors as create_mirror() makes them now, and those of others as they were. Their
-- OIDs, owners and grants stay, and so does what reads them. Where what they read is the text of a
-- number now, they go on to show the number.

DO $$
DECLARE
    path text := current_setting('search_path');
    v record;
    option record;
    definition text;
    reason text;
BEGIN
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR v IN
        SELECT c.oid::regclass AS view, coalesce(b.options, c.reloptions) AS options,
               b.view IS NOT NULL AS emptied,
               array_remove(ARRAY[o.made, b.definition, b.numbers], NULL) AS definitions
          FROM (SELECT k.view,
                       CASE k.kind WHEN 'live'
                                   THEN pipedrive_internal.live_query(m, k.view, NULL::name)
                                   ELSE pipedrive_internal.history_query(m, k.kind) END AS made
                  FROM pipedrive_internal.mirror_view k
                  JOIN pipedrive_internal.mirror m USING (mirror_id)
                 WHERE pipedrive_internal.unwritable(m.target, m.key_column, m.key_type) IS NULL
                   AND EXISTS (SELECT FROM pg_class f WHERE f.oid = m.source)) AS o
          FULL JOIN (SELECT x.*, format('SELECT %s FROM (%s) AS x',
                         (SELECT string_agg(CASE WHEN a.atttypid = 'bigint'::regtype
                                                 THEN format('CASE WHEN x.%1$I::text ~ %2$L
                                                                   THEN x.%1$I::text::bigint END
                                                              AS %1$I', a.attname,
                                                             '^-?[0-9]{1,18}$')
                                                 ELSE format('x.%I', a.attname) END,
                                            ', ' ORDER BY a.attnum)
                            FROM pg_attribute a WHERE a.attrelid = x.view AND a.attnum > 0),
                         rtrim(x.definition, '; ')) AS numbers
                       FROM pipedrive_internal.before_update x WHERE x.kind = 'view') AS b
            ON b.view = o.view
          JOIN pg_class c ON c.oid = coalesce(o.view, b.view) AND c.relkind = 'v' LOOP
        reason := 'It is not known what it was.';
        FOREACH definition IN ARRAY v.definitions LOOP
            BEGIN
                -- in an update nothing else may be replaced
                EXECUTE format('ALTER EXTENSION pipedrive_fdw ADD VIEW %s', v.view);
                EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', v.view, definition);
                EXECUTE format('ALTER EXTENSION pipedrive_fdw DROP VIEW %s', v.view);
                FOR option IN SELECT * FROM pg_options_to_table(v.options) LOOP
                    EXECUTE format('ALTER VIEW %s SET (%I = %L)', v.view, option.option_name,
                                   option.option_value);
                END LOOP;
                reason := NULL;
                EXIT;
            EXCEPTION WHEN assert_failure OR OTHERS THEN
                reason := SQLERRM;
            END;
        END LOOP;
        IF reason IS NOT NULL AND v.emptied THEN
            RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist', DETAIL = reason,
                MESSAGE = format('view "%s" cannot be what it was after this update', v.view),
                HINT = 'Drop it, and make it again after the update.';
        ELSIF reason IS NOT NULL THEN
            RAISE WARNING USING DETAIL = reason,
                MESSAGE = format('view "%s" stays as an older version made it', v.view);
        END IF;
    END LOOP;
    PERFORM set_config('search_path', path, true);
END
$$;
