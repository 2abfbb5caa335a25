-- The table of a mirror: who may write it, and whether it still is what a mirror needs.

-- Writing a table runs what its owner put there: triggers, defaults, checks, index expressions,
-- types with operators of their own. They run with the rights of who writes. So a mirror is written
-- only where those have these rights already who could put something there: its owner, the owners
-- of tables that inherit from it, and who was granted TRIGGER. In plpgsql, which keeps the plans:
-- it is asked for every event.
CREATE OR REPLACE FUNCTION pipedrive_internal.others_code(target regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        WITH RECURSIVE tables (oid) AS (
            SELECT target::oid
             UNION
            SELECT i.inhrelid FROM tables t JOIN pg_inherits i ON i.inhparent = t.oid)
        SELECT FROM tables t JOIN pg_class c ON c.oid = t.oid
         WHERE NOT pg_has_role(c.relowner, current_user::name, 'USAGE')
            OR c.relacl IS NOT NULL
               AND EXISTS (SELECT FROM aclexplode(c.relacl) AS a
                            WHERE a.privilege_type = 'TRIGGER'
                              AND (a.grantee = 0 OR NOT pg_has_role(a.grantee, current_user::name, 'USAGE'))));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.others_code(regclass) IS
    'whether a role without the rights of the current user could have code run by whoever writes '
    'a table';

CREATE OR REPLACE FUNCTION pipedrive_internal.may_write(source regclass, target regclass)
RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pg_class c
                     JOIN pg_foreign_table t ON t.ftrelid = c.oid
                     JOIN pg_foreign_server s ON s.oid = t.ftserver
                     JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
                    WHERE c.oid = source AND w.fdwname = 'pipedrive_fdw'
                      AND pg_has_role(c.relowner, current_user::name, 'USAGE'))
       AND EXISTS (SELECT FROM pg_class c WHERE c.oid = target AND c.relkind = 'r')
       AND has_table_privilege(target, 'INSERT'::text) AND has_table_privilege(target, 'UPDATE'::text)
       AND has_table_privilege(target, 'DELETE'::text) AND NOT pipedrive_internal.others_code(target);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.may_write(regclass, regclass) IS
    'whether the current user may write a mirror: the source is a foreign table of pipedrive_fdw, '
    'the target a plain table with the grants for it, and who could have code run there has the '
    'rights of the current user';

-- What others do to a table may leave it without what every writer leans on.
CREATE OR REPLACE FUNCTION pipedrive_internal.unwritable(
    target regclass, key_column name, key_type regtype, began boolean DEFAULT true)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = target AND c.relkind = 'r')
                THEN 'Its table is gone.'
                WHEN NOT EXISTS (SELECT FROM pg_attribute a
                                   JOIN pg_index i ON i.indrelid = a.attrelid
                                                  AND i.indkey[0] = a.attnum
                                  WHERE a.attrelid = target AND a.attname = key_column
                                    AND a.atttypid = key_type AND i.indisunique AND i.indimmediate
                                    AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL)
                THEN format('It has no %s column "%s" with a primary key or unique index.',
                            key_type, key_column)
                     || coalesce((SELECT format(' Its primary key is column "%s".', a.attname)
                                    FROM pg_index i
                                    JOIN pg_attribute a ON a.attrelid = i.indrelid
                                                       AND a.attnum = i.indkey[0]
                                   WHERE i.indrelid = target AND i.indisprimary
                                     AND i.indnkeyatts = 1 AND a.attname <> key_column
                                     AND a.atttypid = key_type AND began), '')
                ELSE (SELECT CASE WHEN a.attname IS NULL
                                  THEN format('It has no column "%s".', w.name)
                                  WHEN a.attgenerated <> '' OR a.attidentity = 'a'
                                  THEN format('Its column "%s" is always generated.', w.name)
                                  ELSE format('Its column "%s" is of type %s, not %s.', w.name,
                                              format_type(a.atttypid, a.atttypmod), w.type) END
                        FROM (VALUES (key_column, key_type), ('_synced_at', 'timestamptz'),
                                     ('_source', 'text')) AS w (name, type)
                        LEFT JOIN pg_attribute a ON a.attrelid = target AND a.attname = w.name
                       WHERE a.attname IS NULL AND began OR a.attgenerated <> ''
                          OR a.attidentity = 'a' OR a.atttypid <> w.type
                       ORDER BY w.name DESC LIMIT 1) END
$$;
COMMENT ON FUNCTION pipedrive_internal.unwritable(regclass, name, regtype, boolean) IS
    'why nothing can be written into a table as a mirror with that key; before it has begun to be '
    'one, columns of ours may be missing';

CREATE OR REPLACE FUNCTION pipedrive_internal.require_table(source regclass, target regclass)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = target) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('the table that mirrors "%s" is gone', source),
            HINT = format('SELECT pipedrive.drop_mirror(%L) forgets the mirror.', source);
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.require_table(regclass, regclass) IS
    'the error for a mirror whose table is gone';

CREATE OR REPLACE FUNCTION pipedrive_internal.require_own(source regclass, target regclass)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text;
BEGIN
    PERFORM pipedrive_internal.require_table(source, target);
    reason := (SELECT pipedrive_internal.unwritable(m.target, m.key_column, m.key_type)
                 FROM pipedrive_internal.mirror m WHERE m.target = require_own.target);
    EXECUTE format('LOCK TABLE %s IN ROW SHARE MODE', target); -- its name is its own until the end of this batch
    IF to_regclass(target::text) IS DISTINCT FROM target OR NOT pipedrive_internal.may_write(source, target) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('mirror "%s" belongs to another role', target),
            DETAIL = 'Triggers, types and index expressions of its owner, or of who was granted TRIGGER on it, would run with the rights of the current user.',
            HINT = 'Its owner, or a role whose rights these have and that may write it, calls sync().';
    END IF;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('mirror "%s" cannot be written', target), DETAIL = reason,
            HINT = 'Give the column its name, type and key back. A column "_synced_at" or "_source" that is missing is added by refresh_schema().';
    END IF;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.require_own(regclass, regclass) IS
    'locks the target of a mirror; the error where may_write() says no, and where the table lacks '
    'what a mirror needs';
