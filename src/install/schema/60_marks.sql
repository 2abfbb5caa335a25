-- Rows of mirrors by their keys: what was deleted, what has to be fetched again, what cannot be
-- held. A key is kept as the text that its type makes of it, whatever the type. Who locks several
-- does so by length and text, which is how numbers and UUIDs are ordered in mirrors too.

CREATE TABLE pipedrive_internal.tombstone (
    mirror_id integer NOT NULL REFERENCES pipedrive_internal.mirror ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    as_of timestamptz,
    told_by text NOT NULL,
    arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival'),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE pipedrive_internal.tombstone IS
    'rows that were deleted: a late event must not raise them';
COMMENT ON COLUMN pipedrive_internal.tombstone.as_of IS
    'Pipedrive''s time of the deletion or of the answer that showed it; NULL: not known, and no '
    'event raises the row';
COMMENT ON COLUMN pipedrive_internal.tombstone.told_by IS 'sync or webhook';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.tombstone', '');

CREATE TABLE pipedrive_internal.refetch (
    mirror_id integer NOT NULL REFERENCES pipedrive_internal.mirror ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival'),
    held boolean NOT NULL DEFAULT false,
    reason text NOT NULL,
    unfilled jsonb,
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON COLUMN pipedrive_internal.refetch.unfilled IS
    'of a row that an event made: columns that no event has carried yet; to fill them is no change';
COMMENT ON COLUMN pipedrive_internal.refetch.held IS
    'gone in Pipedrive, but not deleted, as too many were: waits until a call is told to, or the '
    'row shows again';
COMMENT ON COLUMN pipedrive_internal.refetch.arrival IS
    'its place in the order of arrival: a page that was requested before it does not settle it';
COMMENT ON TABLE pipedrive_internal.refetch IS
    'rows that the next sync reads by id, whatever their update_time';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.refetch', '');

-- No key: nobody waits here for a session that has written about the same row and does not end.
CREATE TABLE pipedrive_internal.late_mark (
    mirror_id integer NOT NULL REFERENCES pipedrive_internal.mirror ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival')
);
COMMENT ON TABLE pipedrive_internal.late_mark IS
    'rows that the next sync reads by id as well: another session held their place in refetch';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.late_mark', '');
CREATE INDEX late_mark_id ON pipedrive_internal.late_mark (mirror_id, id);

CREATE TABLE pipedrive_internal.bad_row (
    mirror_id integer NOT NULL REFERENCES pipedrive_internal.mirror ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    column_name text,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    arrival bigint NOT NULL DEFAULT nextval('pipedrive_internal.arrival'),
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE pipedrive_internal.bad_row IS
    'rows that a mirror cannot hold as Pipedrive has them; the others go on; each is read again '
    'by later syncs. A reason may quote the value: for the owner only';
COMMENT ON COLUMN pipedrive_internal.bad_row.column_name IS
    'column whose value does not fit; NULL when it is the row as a whole';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.bad_row', '');

CREATE TYPE pipedrive_internal.row_state AS (id text, ours jsonb, others text);
COMMENT ON TYPE pipedrive_internal.row_state IS
    'a row of a mirror: the columns that are kept, and all that others added';
