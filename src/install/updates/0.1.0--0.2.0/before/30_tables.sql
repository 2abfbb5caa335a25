-- What changed in tables that 0.1.0 has. Those that it has not are made by schema/, which runs
-- after this for what is not there.

CREATE SEQUENCE IF NOT EXISTS pipedrive_internal.arrival;
REVOKE ALL ON SEQUENCE pipedrive_internal.arrival FROM PUBLIC;

-- Events had numbers of their own, and the history none: what is stored keeps its order, and what
-- comes has higher numbers.
DO $$
DECLARE
    events bigint;
    recorded bigint;
BEGIN
    IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('pipedrive.inbox')
                                            AND a.attname = 'seq' AND a.attidentity <> '') THEN
        SELECT max(i.seq) INTO events FROM pipedrive.inbox i;
        ALTER TABLE pipedrive.inbox ALTER COLUMN seq DROP IDENTITY;
        ALTER TABLE pipedrive.inbox ALTER COLUMN seq
            SET DEFAULT nextval('pipedrive_internal.arrival');
    END IF;
    IF to_regclass('pipedrive.changes') IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = to_regclass('pipedrive.changes')
                          AND a.attname = 'arrival') THEN
        ALTER TABLE pipedrive.changes ADD COLUMN arrival bigint;
        WITH placed AS (
            SELECT c.tableoid, c.ctid, row_number() OVER (ORDER BY c.recorded_at, c.ctid) AS place
              FROM pipedrive.changes c)
        UPDATE pipedrive.changes c SET arrival = p.place
          FROM placed p WHERE c.tableoid = p.tableoid AND c.ctid = p.ctid;
        GET DIAGNOSTICS recorded = ROW_COUNT;
        ALTER TABLE pipedrive.changes
            ALTER COLUMN arrival SET DEFAULT nextval('pipedrive_internal.arrival'),
            ALTER COLUMN arrival SET NOT NULL;
    END IF;
    IF greatest(events, recorded) > 0 THEN
        PERFORM setval('pipedrive_internal.arrival', greatest(events, recorded));
    END IF;
END
$$;

DO $$
DECLARE
    partition record;
BEGIN
    FOR partition IN SELECT i.inhrelid::regclass AS relation, c.relname
                       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                      WHERE i.inhparent = to_regclass('pipedrive.changes')
                        AND c.oid <> to_regclass('pipedrive.changes_default') LOOP
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (recorded_at)',
                       partition.relname || '_time', partition.relation);
    END LOOP;
END
$$;

ALTER TABLE IF EXISTS pipedrive_internal.mirror
    ADD COLUMN IF NOT EXISTS former_columns name[] NOT NULL DEFAULT '{}';

-- A run that is under way has no strategy, and begins anew; so does a reconcile. A mirror is as old
-- as the start of its last run. What was read up to a time that had not come yet was not read.
DO $$
BEGIN
    IF to_regclass('pipedrive_internal.mirror_state') IS NULL
       OR EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = to_regclass('pipedrive_internal.mirror_state')
                     AND a.attname = 'strategy') THEN
        RETURN;
    END IF;
    ALTER TABLE pipedrive_internal.mirror_state
        ADD COLUMN strategy text,
        ADD COLUMN as_of timestamptz;
    UPDATE pipedrive_internal.mirror_state s
       SET as_of = CASE WHEN s.phase IS NULL AND s.reconcile_phase IS NULL
                        THEN least(s.run_started, s.last_sync) END,
           reconcile_phase = NULL, reconcile_position = NULL,
           watermark = CASE WHEN s.watermark <= s.last_sync THEN s.watermark END;
    DELETE FROM pipedrive_internal.reconcile_seen;
END
$$;
ALTER TABLE IF EXISTS pipedrive_internal.mirror_state
    DROP COLUMN IF EXISTS run_newest,
    ADD COLUMN IF NOT EXISTS answered_at timestamptz,
    ADD COLUMN IF NOT EXISTS run_highest_id bigint,
    ADD COLUMN IF NOT EXISTS known_id bigint,
    ADD COLUMN IF NOT EXISTS refetch_until bigint,
    ADD COLUMN IF NOT EXISTS run_deleted bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS may_delete boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS as_of timestamptz,
    ADD COLUMN IF NOT EXISTS row_by_row boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS company_id text,
    ADD COLUMN IF NOT EXISTS passed_over jsonb NOT NULL DEFAULT '{}';

ALTER TABLE IF EXISTS pipedrive_internal.mirror_view
    DROP CONSTRAINT IF EXISTS mirror_view_kind_check;

ALTER TABLE IF EXISTS pipedrive_internal.detached_mirror
    ADD COLUMN IF NOT EXISTS company_id text;

ALTER TABLE IF EXISTS pipedrive_internal.bad_row
    ADD COLUMN IF NOT EXISTS arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival');

-- Who told of a deletion was not kept. One that the API showed is the safe answer: an event that
-- says otherwise has the row read by its id.
ALTER TABLE IF EXISTS pipedrive_internal.tombstone
    ALTER COLUMN as_of DROP NOT NULL,
    ADD COLUMN IF NOT EXISTS told_by text NOT NULL DEFAULT 'sync',
    ADD COLUMN IF NOT EXISTS arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival');
ALTER TABLE IF EXISTS pipedrive_internal.tombstone ALTER COLUMN told_by DROP DEFAULT;

ALTER TABLE IF EXISTS pipedrive_internal.refetch
    ADD COLUMN IF NOT EXISTS arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival'),
    ADD COLUMN IF NOT EXISTS held boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS unfilled jsonb;

ALTER TABLE IF EXISTS pipedrive_internal.backfilled
    ADD COLUMN IF NOT EXISTS complete boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS cursors text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS failed_at timestamptz;

ALTER TABLE IF EXISTS pipedrive_internal.webhook_subscription
    ADD COLUMN IF NOT EXISTS user_id bigint;

ALTER TABLE IF EXISTS pipedrive_internal.mirror_event
    DROP CONSTRAINT IF EXISTS mirror_event_changes_check;
ALTER TABLE IF EXISTS pipedrive_internal.mirror_event
    ADD CHECK (changes BETWEEN 0 AND 1000000000000000);
