-- What a run goes through, as rows: it has a strategy, and is at one of its phases.

-- Deleted rows are in two lists, and an account may refuse one of them: each is a phase of its own.
-- New rows are found by their ids, which nobody can choose, where these are integers; a time that
-- clients set may be any. Where keys tell nothing of the order, it is the time: "recent".
-- A reload passes "deleted" as well: the watermark that it sets is beyond what was deleted
-- before, so later runs would never ask for it. It asks for all that the API still tells.
DELETE FROM pipedrive_internal.sync_phase;
INSERT INTO pipedrive_internal.sync_phase VALUES
    ('load', 'refetch', NULL, 'refetch', 'true'),
    ('load', 'load', 'refetch', 'load', 'true'),
    ('reload', 'refetch', NULL, 'refetch', 'true'),
    ('reload', 'deleted archived', 'refetch', 'deleted', 'is_archived'),
    ('reload', 'deleted', 'deleted archived', 'deleted', 'NOT is_archived'),
    ('reload', 'reload', 'deleted', 'read', 'true'),
    ('changes', 'refetch', NULL, 'refetch', 'true'),
    ('changes', 'deleted archived', 'refetch', 'deleted', 'update_time >= $1 AND is_archived'),
    ('changes', 'deleted', 'deleted archived', 'deleted', 'update_time >= $1 AND NOT is_archived'),
    ('changes', 'recent', 'deleted', 'recent', 'add_time >= $1'),
    ('changes', 'added', 'recent', 'added', 'true'),
    ('changes', 'updated', 'added', 'read', 'update_time >= $1'),
    ('whole', 'refetch', NULL, 'refetch', 'true'),
    ('whole', 'full', 'refetch', 'whole', 'true');

CREATE OR REPLACE FUNCTION pipedrive_internal.first_phase(strategy text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.phase FROM pipedrive_internal.sync_phase p
     WHERE p.strategy = first_phase.strategy
       AND NOT EXISTS (SELECT FROM pipedrive_internal.sync_phase b
                        WHERE b.strategy = p.strategy AND b.next = p.phase)
$$;
COMMENT ON FUNCTION pipedrive_internal.first_phase(text) IS
    'phase that a run with a strategy begins with';

-- The lists of deleted rows are passed over where the mirror has none, and so is the way to new rows
-- that its keys do not allow.
CREATE OR REPLACE FUNCTION pipedrive_internal.next_phase(
    m pipedrive_internal.mirror, strategy text, phase text)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE n (phase, next, readable) AS (
        SELECT p.phase, p.next, false FROM pipedrive_internal.sync_phase p
         WHERE p.strategy = next_phase.strategy AND p.phase = next_phase.phase
        UNION ALL
        SELECT p.phase, p.next,
               CASE p.reader WHEN 'deleted' THEN m.deleted_source IS NOT NULL
                             WHEN 'added' THEN m.key_type = 'bigint'::regtype
                             WHEN 'recent' THEN m.key_type <> 'bigint'::regtype
                             ELSE true END
          FROM n JOIN pipedrive_internal.sync_phase p ON p.phase = n.next
         WHERE p.strategy = next_phase.strategy AND NOT n.readable)
    SELECT n.phase FROM n WHERE n.readable
$$;
COMMENT ON FUNCTION pipedrive_internal.next_phase(pipedrive_internal.mirror, text, text) IS
    'what follows a phase of a run';
