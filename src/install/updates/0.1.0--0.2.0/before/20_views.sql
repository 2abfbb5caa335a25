-- Views of others on columns that change or go, and on routines of ours that are internal: they
-- select nothing meanwhile, and keep their OIDs, owners and grants, and what reads them.
-- after/20_views.sql gives them back what they were.

DO $$
DECLARE
    path text := current_setting('search_path');
    v record;
BEGIN
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true); -- names with their schemas
    FOR v IN
        WITH changing (what, class, object, attnum) AS (
            SELECT format('column "%s" of %s', a.attname, a.attrelid::regclass),
                   'pg_class'::regclass, a.attrelid, a.attnum
              FROM (VALUES ('mirror_state', 'run_newest'),
                           ('changes', 'id'), ('tombstone', 'id'), ('refetch', 'id'),
                           ('late_mark', 'id'), ('bad_row', 'id'), ('backfilled', 'id'),
                           ('reconcile_seen', 'id'),
                           -- a relation as a whole is made anew
                           ('bad_rows', NULL), ('sync_phase', NULL), ('webhook_action', NULL),
                           ('webhook_field', NULL), ('webhook_object', NULL)) AS w (relation, name)
              JOIN pg_class t ON t.relname = w.relation
                             AND t.relnamespace IN ('pipedrive'::regnamespace,
                                                    'pipedrive_internal'::regnamespace)
              JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
                                 AND a.attname = coalesce(w.name, a.attname)
             UNION ALL
            SELECT p.oid::regprocedure::text, 'pg_proc', p.oid, 0
              FROM pg_proc p
             WHERE p.pronamespace = 'pipedrive_internal'::regnamespace
               AND p.proname <> 'reads_own_account') -- the views that it is in are ours
        SELECT DISTINCT ON (c.oid) c.oid::regclass AS view, c.relkind, k.what, k.class,
               c.reloptions, CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END AS definition,
               (SELECT string_agg(format('NULL::%s%s AS %I',
                                         format_type(a.atttypid, a.atttypmod),
                                         ' COLLATE ' || nullif(a.attcollation, 0)::regcollation,
                                         a.attname), ', ' ORDER BY a.attnum)
                  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS nothing
          FROM changing k
          JOIN pg_depend d ON d.refclassid = k.class AND d.refobjid = k.object
                          AND d.refobjsubid = k.attnum AND d.classid = 'pg_rewrite'::regclass
          JOIN pg_rewrite r ON r.oid = d.objid
          JOIN pg_class c ON c.oid = r.ev_class
         WHERE NOT EXISTS (SELECT FROM pg_depend e
                            WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                              AND e.deptype = 'e')
         ORDER BY c.oid, k.class LOOP
        IF v.relkind <> 'v' THEN
            CONTINUE WHEN v.class = 'pg_proc'::regclass; -- perhaps it comes back as it was
            RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
                MESSAGE = format('"%s" reads %s, which this update changes', v.view, v.what),
                HINT = 'Drop it, and make it again after the update.';
        END IF;
        INSERT INTO pipedrive_internal.before_update (kind, view, definition, options)
        VALUES ('view', v.view, v.definition, v.reloptions);
        EXECUTE format('ALTER EXTENSION pipedrive_fdw ADD VIEW %s', v.view);
        EXECUTE format('CREATE OR REPLACE VIEW %s AS SELECT %s', v.view, v.nothing);
        EXECUTE format('ALTER EXTENSION pipedrive_fdw DROP VIEW %s', v.view);
    END LOOP;
    PERFORM set_config('search_path', path, true);
END
$$;
