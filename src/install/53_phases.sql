-- What a run of sync() goes through, as rows: a run has a strategy, and is at one of its phases.

CREATE TABLE sync_phase (
    strategy text,
    phase text,
    next text,
    reader text NOT NULL CHECK (reader IN ('load', 'read', 'whole', 'deleted', 'refetch')),
    condition text NOT NULL,
    PRIMARY KEY (strategy, phase),
    FOREIGN KEY (strategy, next) REFERENCES sync_phase
);
COMMENT ON TABLE sync_phase IS
    'what a run does one after the other: a first load, a reload (all again), changes since the '
    'watermark, or whole: a small list at once';
COMMENT ON COLUMN sync_phase.next IS 'phase that follows; NULL: the run is done';
COMMENT ON COLUMN sync_phase.reader IS 'which step function reads';
COMMENT ON COLUMN sync_phase.condition IS
    'which rows of its list the phase reads, in SQL; $1 is the time that the run reads from';
-- A reload passes "deleted" as well: the watermark that it sets is beyond what was deleted
-- before, so later runs would never ask for it. It asks for all that the API still tells.
INSERT INTO sync_phase VALUES
    ('load', 'refetch', NULL, 'refetch', 'true'),
    ('load', 'load', 'refetch', 'load', 'true'),
    ('reload', 'refetch', NULL, 'refetch', 'true'),
    ('reload', 'deleted', 'refetch', 'deleted', 'true'),
    ('reload', 'reload', 'deleted', 'read', 'true'),
    ('changes', 'refetch', NULL, 'refetch', 'true'),
    ('changes', 'deleted', 'refetch', 'deleted', 'update_time >= $1'),
    ('changes', 'added', 'deleted', 'read', 'add_time >= $1'),
    ('changes', 'updated', 'added', 'read', 'update_time >= $1'),
    ('whole', 'refetch', NULL, 'refetch', 'true'),
    ('whole', 'full', 'refetch', 'whole', 'true');

CREATE FUNCTION _first_phase(strategy text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.phase FROM pipedrive.sync_phase p
     WHERE p.strategy = _first_phase.strategy
       AND NOT EXISTS (SELECT FROM pipedrive.sync_phase b
                        WHERE b.strategy = p.strategy AND b.next = p.phase)
$$;
COMMENT ON FUNCTION _first_phase(text) IS 'phase that a run with a strategy begins with';

-- A list of deleted rows is passed over where the mirror has none.
CREATE FUNCTION _next_phase(m pipedrive.mirror, strategy text, phase text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN n.reader = 'deleted' AND m.deleted_source IS NULL THEN n.next ELSE n.phase END
      FROM pipedrive.sync_phase p
      JOIN pipedrive.sync_phase n ON n.strategy = p.strategy AND n.phase = p.next
     WHERE p.strategy = _next_phase.strategy AND p.phase = _next_phase.phase
$$;
COMMENT ON FUNCTION _next_phase(pipedrive.mirror, text, text) IS 'what follows a phase of a run';
