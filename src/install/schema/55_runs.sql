-- What a run of sync() goes through, what one of reconcile() has seen, and the deals whose log was
-- fetched.

CREATE TABLE pipedrive_internal.sync_phase (
    strategy text,
    phase text,
    next text,
    reader text NOT NULL CHECK (reader IN ('load', 'read', 'added', 'recent', 'whole', 'deleted',
                                         'refetch')),
    condition text NOT NULL,
    PRIMARY KEY (strategy, phase),
    FOREIGN KEY (strategy, next) REFERENCES pipedrive_internal.sync_phase
);
COMMENT ON TABLE pipedrive_internal.sync_phase IS
    'what a run does one after the other: a first load, a reload (all again), changes since the '
    'watermark, or whole: a small list at once';
COMMENT ON COLUMN pipedrive_internal.sync_phase.next IS 'phase that follows; NULL: the run is done';
COMMENT ON COLUMN pipedrive_internal.sync_phase.reader IS 'which step function reads';
COMMENT ON COLUMN pipedrive_internal.sync_phase.condition IS
    'which rows of its list the phase reads, in SQL; $1 is the time that the run reads from';

CREATE UNLOGGED TABLE pipedrive_internal.reconcile_seen (
    mirror_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE pipedrive_internal.reconcile_seen IS
    'keys that the reconcile under way has seen in Pipedrive';

-- Pipedrive's own log of a deal: 20 tokens for each page of it. Each page is committed with the
-- place where the log goes on, so that no page is paid or stored twice, whatever stopped a call.
CREATE TABLE pipedrive_internal.backfilled (
    mirror_id integer NOT NULL REFERENCES pipedrive_internal.mirror ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    complete boolean NOT NULL DEFAULT true,
    cursors text[] NOT NULL DEFAULT '{}',
    failed_at timestamptz,
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE pipedrive_internal.backfilled IS
    'deals whose earlier history was fetched, or begun';
COMMENT ON COLUMN pipedrive_internal.backfilled.complete IS 'whether all of it was';
COMMENT ON COLUMN pipedrive_internal.backfilled.cursors IS
    'pages of an incomplete one that were told so far; the last is the next to read';
COMMENT ON COLUMN pipedrive_internal.backfilled.failed_at IS
    'when its last page could not be read: it is tried again after all others';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.backfilled', '');

CREATE TYPE pipedrive_internal.step AS (status text, tokens bigint, rows bigint, pages bigint);
COMMENT ON TYPE pipedrive_internal.step IS
    'what one batch of sync() did: status more, done, budget, busy or error';
