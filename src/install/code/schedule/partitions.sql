-- The monthly partitions of the history.

CREATE OR REPLACE FUNCTION pipedrive_internal.partition_month(partition regclass) RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
    SELECT to_date(right(c.relname, 6), 'YYYYMM') FROM pg_class c
     WHERE c.oid = partition AND c.relname ~ '^changes_\d{4}(0[1-9]|1[0-2])$'
$$;
COMMENT ON FUNCTION pipedrive_internal.partition_month(regclass) IS
    'first day of the month of a partition of changes; NULL for others';

-- A partition of its own for a month (UTC). Rows that the default partition took for it move along,
-- which keeps writers waiting meanwhile.
CREATE OR REPLACE FUNCTION pipedrive_internal.create_change_partition(month date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    partition text := 'changes_' || to_char(month, 'YYYYMM');
    lower timestamptz := month::timestamp AT TIME ZONE 'UTC';
    upper timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass('pipedrive.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE pipedrive.changes IN SHARE UPDATE EXCLUSIVE MODE;
    LOCK TABLE pipedrive.changes_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE pipedrive.%I
                        (LIKE pipedrive.changes INCLUDING DEFAULTS INCLUDING COMMENTS)', partition);
    EXECUTE format('COMMENT ON TABLE pipedrive.%I IS %L', partition,
                   'changes recorded in ' || to_char(month, 'YYYY-MM'));
    EXECUTE format('WITH moved AS (DELETE FROM pipedrive.changes_default
                                    WHERE recorded_at >= $1 AND recorded_at < $2 RETURNING *)
                    INSERT INTO pipedrive.%I SELECT * FROM moved', partition) USING lower, upper;
    EXECUTE format('CREATE INDEX %I ON pipedrive.%I
                        (mirror_id, (CASE WHEN octet_length(id) BETWEEN 1 AND 18
                                               AND id !~ ''[^0-9]'' THEN id::bigint END), id,
                         field, changed_at)',
                   partition || '_id', partition);
    EXECUTE format('CREATE INDEX %I ON pipedrive.%I (recorded_at)',
                   partition || '_time', partition);
    EXECUTE format('ALTER TABLE pipedrive.changes
                        ATTACH PARTITION pipedrive.%I FOR VALUES FROM (%L) TO (%L)',
                   partition, lower, upper);
    RETURN true;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.create_change_partition(date) IS
    'makes the partition of changes for a month, unless it exists';

CREATE OR REPLACE FUNCTION pipedrive_internal.old_partitions() RETURNS SETOF regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz;
BEGIN
    cutoff := pipedrive_internal.retention_cutoff('changes_retention'::text, 'forever'::text);
    RETURN QUERY SELECT i.inhrelid::regclass FROM pg_inherits i
      WHERE i.inhparent = 'pipedrive.changes'::regclass
        AND (pipedrive_internal.partition_month(i.inhrelid) + interval '1 month')
                AT TIME ZONE 'UTC' <= cutoff;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN; -- told by the step for the default partition
END
$$;
COMMENT ON FUNCTION pipedrive_internal.old_partitions() IS
    'partitions of changes that setting changes_retention lets be dropped';
