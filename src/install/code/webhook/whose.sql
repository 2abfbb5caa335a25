-- Which mirrors an event is for, and the marks that it leaves where it is not applied.

CREATE OR REPLACE FUNCTION pipedrive_internal.targets(entity text)
RETURNS SETOF pipedrive_internal.target
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT m.mirror_id, m.source, m.target, m.entity, s.srvname, c.relnatts::integer, m.key_column, m.key_type, c.relhastriggers OR c.relrowsecurity
      FROM pipedrive_internal.mirror m
      JOIN pg_catalog.pg_class c ON c.oid = m.target
      JOIN pg_catalog.pg_foreign_table t ON t.ftrelid = m.source
      JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
     WHERE m.entity = targets.entity ORDER BY m.mirror_id;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.targets(text) IS 'mirrors of an entity';

CREATE OR REPLACE FUNCTION pipedrive_internal.is_for(
    m pipedrive_internal.target, e pipedrive_internal.event)
RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    company text := (SELECT c.company_id FROM pipedrive_internal.server_company c WHERE c.server = m.server);
BEGIN
    IF e.server <> m.server OR NOT pipedrive_internal.was_asked(m.server) THEN
        RETURN false;
    ELSIF company IS NOT NULL AND e.company_id IS NOT NULL THEN
        RETURN company = e.company_id;
    END IF;
    -- one of them does not say: who delivered it does, or there is no other
    RETURN e.server IS NOT NULL OR NOT EXISTS (SELECT FROM pipedrive_internal.targets(m.entity) AS t WHERE t.server <> m.server)
       AND (company IS NOT NULL OR NOT EXISTS (SELECT FROM pipedrive_internal.event_company c WHERE c.mirror_id = m.mirror_id AND c.company_id <> e.company_id));
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.is_for(pipedrive_internal.target, pipedrive_internal.event) IS
    'whether an event comes from the account that a mirror shows';

CREATE OR REPLACE FUNCTION pipedrive_internal.note_company(
    m pipedrive_internal.target, e pipedrive_internal.event)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF e.company_id IS NOT NULL AND e.server IS NULL AND NOT EXISTS (SELECT FROM pipedrive_internal.server_company c WHERE c.server = m.server)
       AND NOT EXISTS (SELECT FROM pipedrive_internal.event_company c WHERE c.mirror_id = m.mirror_id AND c.company_id = e.company_id) THEN
        INSERT INTO pipedrive_internal.event_company VALUES (m.mirror_id, e.company_id) ON CONFLICT DO NOTHING;
    END IF;
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.note_company(pipedrive_internal.target, pipedrive_internal.event) IS
    'remembers whose event it was where the account of a mirror does not tell its company';

-- To read a record by its id costs little where it was another account's; to leave one unread that
-- was this one's is wrong.
CREATE OR REPLACE FUNCTION pipedrive_internal.may_be_for(
    m pipedrive_internal.target, e pipedrive_internal.event)
RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (e.server = m.server) IS NOT FALSE
       AND ((SELECT c.company_id FROM pipedrive_internal.server_company c WHERE c.server = m.server) = e.company_id) IS NOT FALSE
$$;
COMMENT ON FUNCTION
    pipedrive_internal.may_be_for(pipedrive_internal.target, pipedrive_internal.event) IS
    'whether nothing says that an event comes from another account than a mirror shows';

CREATE OR REPLACE FUNCTION pipedrive_internal.why_ignored(e pipedrive_internal.event) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF e.source_entity IS NULL THEN
        -- names that Pipedrive does not use are not repeated
        RETURN CASE WHEN EXISTS (SELECT FROM pipedrive_internal.webhook_object o WHERE o.object = e.entity)
                    THEN format('ignored: entity "%s" is not mirrored', e.entity) ELSE 'ignored: unknown entity' END;
    ELSIF e.kind IS NULL THEN
        RETURN 'ignored: unknown action';
    ELSIF EXISTS (SELECT FROM pipedrive_internal.targets(e.source_entity) AS t
                   WHERE pipedrive_internal.is_for(t, e) -- learnt while this event was looked at
                      OR (e.server IS NULL OR t.server = e.server) AND NOT pipedrive_internal.was_asked(t.server)) THEN
        RETURN 'queued: the first sync learns whose mirrors these are';
    ELSIF EXISTS (SELECT FROM pipedrive_internal.targets(e.source_entity) AS t JOIN pipedrive_internal.event_company c ON c.mirror_id = t.mirror_id AND c.company_id <> e.company_id
                   WHERE pipedrive_internal.may_be_for(t, e)) THEN
        RETURN 'ignored: events of several companies came, and the account does not tell which is its own';
    ELSIF EXISTS (SELECT FROM pipedrive_internal.targets(e.source_entity)) THEN
        RETURN format('ignored: no mirror of %s belongs to the company of the event', e.source_entity);
    END IF;
    RETURN format('ignored: there is no mirror of %s', e.source_entity);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.why_ignored(pipedrive_internal.event) IS
    'outcome of an event that no mirror takes now';

CREATE OR REPLACE FUNCTION pipedrive_internal.mirrors_to_mark(e pipedrive_internal.event)
RETURNS SETOF pipedrive_internal.target
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.* FROM pipedrive_internal.webhook_object o, pipedrive_internal.targets(o.entity) AS t
     WHERE o.object = e.entity AND pipedrive_internal.canonical_key(e.entity_id, t.key_type) IS NOT NULL
       AND pipedrive_internal.may_be_for(t, e)
$$;
COMMENT ON FUNCTION pipedrive_internal.mirrors_to_mark(pipedrive_internal.event) IS
    'mirrors of which an event may name a row';

-- Not for long: who holds the mark may take it away with him, so it is made elsewhere then.
CREATE OR REPLACE FUNCTION pipedrive_internal.mark_unapplied(e pipedrive_internal.event)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
BEGIN
    BEGIN
        PERFORM pipedrive_internal.settle_event(t, pipedrive_internal.canonical_key(e.entity_id, t.key_type) || coalesce(e.others, '{}'), 0)
           FROM pipedrive_internal.mirrors_to_mark(e) AS t;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        INSERT INTO pipedrive_internal.late_mark (mirror_id, id)
        SELECT t.mirror_id, i FROM pipedrive_internal.mirrors_to_mark(e) AS t,
               unnest(pipedrive_internal.canonical_key(e.entity_id, t.key_type) || coalesce(e.others, '{}')) AS i;
    END;
    PERFORM pipedrive_internal.note_company(t, e) FROM pipedrive_internal.mirrors_to_mark(e) AS t;
    RETURN true;
EXCEPTION WHEN assert_failure OR OTHERS THEN
    RETURN false; -- the event itself is kept
END
$$;
COMMENT ON FUNCTION pipedrive_internal.mark_unapplied(pipedrive_internal.event) IS
    'has the next sync read what an event is about that was not applied, where that is known; '
    'false: it could not be marked';
