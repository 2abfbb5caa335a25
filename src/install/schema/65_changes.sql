-- The history: what changed in mirrored rows, and when.

CREATE TABLE pipedrive.changes (
    mirror_id integer NOT NULL,
    entity text NOT NULL,
    id text COLLATE "C" NOT NULL,
    field text NOT NULL,
    old_value jsonb,
    new_value jsonb,
    changed_at timestamptz NOT NULL,
    change_source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival')
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE pipedrive.changes IS
    'what changed in mirrored rows, append-only; partitioned by month of recorded_at';
COMMENT ON COLUMN pipedrive.changes.id IS
    'key of the row as text: 42, or a lead''s uuid';
COMMENT ON COLUMN pipedrive.changes.field IS
    'column of the mirror; is_deleted for a row that vanished (true), was created (from NULL) or '
    'came back (false)';
COMMENT ON COLUMN pipedrive.changes.old_value IS
    'what the mirror had until then, times in UTC; NULL for none';
COMMENT ON COLUMN pipedrive.changes.changed_at IS
    'update_time of the new state, else the time of the event or the sync';
COMMENT ON COLUMN pipedrive.changes.change_source IS 'sync, webhook or backfill';
COMMENT ON COLUMN pipedrive.changes.recorded_at IS
    'this machine''s clock: which month it is kept in, not what came first';
COMMENT ON COLUMN pipedrive.changes.arrival IS
    'order in which changes were recorded: of one row, each under its lock';

CREATE TABLE pipedrive.changes_default PARTITION OF pipedrive.changes DEFAULT;
COMMENT ON TABLE pipedrive.changes_default IS 'changes of months that have no partition';
SELECT pg_catalog.pg_extension_config_dump('pipedrive.changes_default', '');

-- Each partition has its own: an index on the parent could not be restored, as the parent belongs
-- to the extension and its partitions do not. Views of deals look for numbers.
CREATE INDEX changes_id ON pipedrive.changes_default
    (mirror_id,
     (CASE WHEN octet_length(id) BETWEEN 1 AND 18 AND id !~ '[^0-9]' THEN id::bigint END), id,
     field, changed_at);
CREATE INDEX changes_time ON pipedrive.changes_default (recorded_at);
