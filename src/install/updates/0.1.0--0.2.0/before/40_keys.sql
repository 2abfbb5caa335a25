-- Keys were numbers: they are the text of these. What is kept by them is of mirrors whose keys are.

-- Views of ours that read them: one that shows a key is made anew, as its column has another type.
DO $$
DECLARE
    v record;
BEGIN
    FOR v IN
        SELECT DISTINCT c.oid::regclass AS view, c.oid, c.relname,
               EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attname = 'id') AS shows_it,
               (SELECT string_agg(format('NULL::%s%s AS %I',
                                         format_type(a.atttypid, a.atttypmod),
                                         ' COLLATE ' || nullif(a.attcollation, 0)::regcollation,
                                         a.attname), ', ' ORDER BY a.attnum)
                  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS nothing
          FROM pg_attribute k
          JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = k.attrelid
                          AND d.refobjsubid = k.attnum AND d.classid = 'pg_rewrite'::regclass
          JOIN pg_rewrite r ON r.oid = d.objid
          JOIN pg_class c ON c.oid = r.ev_class AND c.relkind = 'v'
         WHERE k.attname = 'id' AND k.atttypid = 'bigint'::regtype
           AND k.attrelid IN (to_regclass('pipedrive.changes'),
                              to_regclass('pipedrive_internal.tombstone'),
                              to_regclass('pipedrive_internal.refetch'),
                              to_regclass('pipedrive_internal.late_mark'),
                              to_regclass('pipedrive_internal.bad_row'),
                              to_regclass('pipedrive_internal.backfilled')) LOOP
        IF v.shows_it THEN
            INSERT INTO pipedrive_internal.before_update (kind, name, grantee, privilege, options)
            SELECT 'table', v.relname, a.grantee, a.privilege_type,
                   CASE WHEN a.is_grantable THEN ARRAY['WITH GRANT OPTION'] ELSE '{}' END
              FROM pg_class c, aclexplode(c.relacl) AS a
             WHERE c.oid = v.oid AND a.grantee NOT IN (0, c.relowner);
            EXECUTE format('DROP VIEW %s', v.view);
        ELSE
            EXECUTE format('CREATE OR REPLACE VIEW %s AS SELECT %s', v.view, v.nothing);
        END IF;
    END LOOP;
END
$$;

DO $$
DECLARE
    t regclass;
    partition record;
BEGIN
    IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('pipedrive.changes')
                                            AND a.attname = 'id'
                                            AND a.atttypid = 'bigint'::regtype) THEN
        FOR partition IN SELECT i.inhrelid::regclass AS relation, c.relname
                           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                          WHERE i.inhparent = 'pipedrive.changes'::regclass LOOP
            EXECUTE format('DROP INDEX IF EXISTS pipedrive.%I',
                           CASE partition.relname WHEN 'changes_default' THEN 'changes_id'
                                                  ELSE partition.relname || '_id' END);
        END LOOP;
        ALTER TABLE pipedrive.changes ALTER COLUMN id TYPE text COLLATE "C";
        FOR partition IN SELECT i.inhrelid::regclass AS relation, c.relname
                           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                          WHERE i.inhparent = 'pipedrive.changes'::regclass
                            AND c.relname <> 'changes_default' LOOP
            EXECUTE format('CREATE INDEX %I ON %s
                                (mirror_id, (CASE WHEN octet_length(id) BETWEEN 1 AND 18
                                                       AND id !~ ''[^0-9]'' THEN id::bigint END),
                                 id, field, changed_at)',
                           partition.relname || '_id', partition.relation);
        END LOOP;
    END IF;
    FOR t IN SELECT a.attrelid FROM pg_attribute a
              WHERE a.attname = 'id' AND a.atttypid = 'bigint'::regtype
                AND a.attrelid IN (to_regclass('pipedrive_internal.tombstone'),
                                   to_regclass('pipedrive_internal.refetch'),
                                   to_regclass('pipedrive_internal.late_mark'),
                                   to_regclass('pipedrive_internal.bad_row'),
                                   to_regclass('pipedrive_internal.backfilled'),
                                   to_regclass('pipedrive_internal.reconcile_seen')) LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN id TYPE text COLLATE "C"', t);
    END LOOP;
END
$$;

ALTER TABLE IF EXISTS pipedrive_internal.mirror
    ADD COLUMN IF NOT EXISTS key_column name NOT NULL DEFAULT 'id',
    ADD COLUMN IF NOT EXISTS key_type regtype NOT NULL DEFAULT 'bigint';
