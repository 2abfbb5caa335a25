-- Every object of the extension with all that makes it what it is, one line each, in an order of
-- its own: two installations are equal if they print the same. Columns of tables are told without
-- their place: an update adds them at the end, and no code of ours may lean on it.
SET search_path = pg_catalog;
SELECT set_config('upgrade.extension', oid::text, false) FROM pg_extension WHERE extname = 'pipedrive_fdw' \gset

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d
 WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
   AND d.refobjid = current_setting('upgrade.extension')::oid;

-- Grants of roles that are not the extension's business are left out: a fresh one has none.
CREATE FUNCTION pg_temp.grants(acl aclitem[], kind "char", owner oid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s=%s%s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE 'owner' END,
                             a.privilege_type, CASE WHEN a.is_grantable THEN '*' END), ','
                      ORDER BY a.grantee <> 0, a.privilege_type)
      FROM aclexplode(coalesce(acl, acldefault(kind, owner))) AS a WHERE a.grantee IN (0, owner)
$$;
-- What pg_dump takes for given has to be what the extension gave. No row stands for the default.
CREATE FUNCTION pg_temp.initial(class oid, object oid, kind "char", owner oid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s=%s', CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN owner THEN 'owner'
                                                     ELSE a.grantee::regrole::text END, a.privilege_type), ','
                      ORDER BY a.grantee <> 0, a.grantee, a.privilege_type)
      FROM aclexplode(coalesce((SELECT i.initprivs FROM pg_init_privs i
                                 WHERE i.classoid = class AND i.objoid = object AND i.objsubid = 0),
                               acldefault(kind, owner))) AS a
$$;

SELECT line FROM (
SELECT format('initial grants of columns: %s', count(*)) AS line FROM pg_init_privs i JOIN member m ON m.classid = i.classoid AND m.objid = i.objoid
 WHERE i.objsubid <> 0
UNION ALL
SELECT format('extension %s %s %s', extname, extversion, extnamespace::regnamespace) AS line
  FROM pg_extension WHERE extname = 'pipedrive_fdw'
UNION ALL
SELECT 'member ' || pg_describe_object(classid, objid, 0) FROM member
UNION ALL
SELECT format('dumped %s %s', c::regclass, w) FROM pg_extension, unnest(extconfig, extcondition) AS u (c, w)
 WHERE extname = 'pipedrive_fdw'
UNION ALL
SELECT format('schema %s %s %s %s %s', nspname, nspowner::regrole, pg_temp.grants(nspacl, 'n', nspowner),
              pg_temp.initial('pg_namespace'::regclass, oid, 'n', nspowner), obj_description(oid, 'pg_namespace'))
  FROM pg_namespace WHERE nspname IN ('pipedrive', 'pipedrive_internal')
UNION ALL
SELECT format('routine %s %s %s %s %s %s', p.oid::regprocedure, p.proowner::regrole,
              pg_temp.grants(p.proacl, 'f', p.proowner), pg_temp.initial('pg_proc'::regclass, p.oid, 'f', p.proowner),
              obj_description(p.oid, 'pg_proc'), pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname LIKE 'pipedrive%'
UNION ALL
SELECT format('relation %s %s%s %s %s %s %s %s %s %s %s', c.oid::regclass, c.relkind, c.relpersistence, c.relowner::regrole,
              pg_temp.grants(c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner),
              pg_temp.initial('pg_class'::regclass, c.oid, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner), c.reloptions,
              obj_description(c.oid, 'pg_class'), pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid),
              CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) WHEN 'i' THEN pg_get_indexdef(c.oid) END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE 'pipedrive%'
UNION ALL
SELECT format('column %s.%I %s %s %s %s %s %s %s %s %s %s %s %s', c.oid::regclass, a.attname,
              CASE c.relkind WHEN 'r' THEN NULL WHEN 'p' THEN NULL ELSE a.attnum END,
              format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity,
              a.attgenerated, a.attstorage, to_jsonb(a) ->> 'attcompression', a.attcollation::regcollation,
              -- some servers stamp each column with a version of their own
              ARRAY(SELECT o FROM unnest(a.attoptions) AS o WHERE NOT starts_with(o, 'pg_attver=')),
              pg_temp.grants(a.attacl, 'c', c.relowner), col_description(c.oid, a.attnum))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE n.nspname LIKE 'pipedrive%' AND c.relkind NOT IN ('i', 'I')
UNION ALL
SELECT format('constraint %s on %s %s %s %s', conname, conrelid::regclass, convalidated, pg_get_constraintdef(c.oid),
              obj_description(c.oid, 'pg_constraint'))
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname LIKE 'pipedrive%'
UNION ALL
SELECT format('trigger %s %s %s', tgenabled, pg_get_triggerdef(t.oid), obj_description(t.oid, 'pg_trigger'))
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname LIKE 'pipedrive%' AND NOT tgisinternal
UNION ALL
SELECT format('sequence %s %s %s %s %s %s %s of %s', s.seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement,
              seqmin, seqmax, seqcycle, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid))
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
 WHERE n.nspname LIKE 'pipedrive%'
UNION ALL
SELECT format('type %s %s %s %s', t.oid::regtype, t.typowner::regrole, pg_temp.grants(t.typacl, 'T', t.typowner),
              obj_description(t.oid, 'pg_type'))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname LIKE 'pipedrive%'
UNION ALL
SELECT format('event trigger %s %s %s %s %s %s %s', evtname, evtevent, evttags, evtfoid::regprocedure, evtenabled,
              evtowner::regrole, obj_description(oid, 'pg_event_trigger'))
  FROM pg_event_trigger
UNION ALL
SELECT format('wrapper %s %s %s %s %s %s %s', fdwname, fdwowner::regrole, fdwhandler::regprocedure,
              fdwvalidator::regprocedure, fdwoptions, pg_temp.grants(fdwacl, 'F', fdwowner),
              obj_description(oid, 'pg_foreign_data_wrapper'))
  FROM pg_foreign_data_wrapper
UNION ALL
SELECT format('row of sync_phase %s', t) FROM pipedrive_internal.sync_phase t
UNION ALL
SELECT format('row of webhook_object %s', t) FROM pipedrive_internal.webhook_object t
UNION ALL
SELECT format('row of webhook_action %s', t) FROM pipedrive_internal.webhook_action t
-- partitions come with use
) AS lines WHERE line !~ 'pipedrive\.changes_\d{6}' ORDER BY line COLLATE "C";
