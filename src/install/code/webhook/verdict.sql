-- What an event may say to a row: whether it comes too late, what it carries, and what of that is
-- news.

CREATE OR REPLACE FUNCTION pipedrive_internal.later_event(e pipedrive_internal.event)
RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pipedrive.inbox i
                    WHERE i.entity_id = e.entity_id AND i.entity = e.entity AND i.event_time > e.event_time
                      -- one that came by another door may name no company or server
                      AND (i.company_id = e.company_id) IS NOT FALSE AND (i.server = e.server) IS NOT FALSE AND i.status IN ('applied', 'deleted'));
END
$$;
COMMENT ON FUNCTION pipedrive_internal.later_event(pipedrive_internal.event) IS
    'whether a later event of the same record was applied';

CREATE OR REPLACE FUNCTION pipedrive_internal.is_stale(
    mirror_id integer, e pipedrive_internal.event, old jsonb, new jsonb)
RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    row_time timestamptz;
    new_time timestamptz;
BEGIN
    IF old IS NULL THEN
        -- The times of two events can be compared. Those of an event and of an answer cannot, where
        -- some clock is wrong: what the API showed to be gone comes back when the API shows it,
        -- which the mark sees to.
        RETURN e.kind = 'upsert' AND EXISTS (SELECT FROM pipedrive_internal.tombstone t WHERE t.mirror_id = is_stale.mirror_id AND t.id = e.id
                  AND (t.as_of IS NULL OR t.as_of > e.event_time OR t.told_by = 'sync' AND e.shape <> 'rest'));
    END IF;
    row_time := coalesce(old ->> 'update_time', old ->> 'modified')::timestamptz;
    -- run again: had it changed the row, the row would be its own, so a sync has been there since
    IF e.processed_at IS NOT NULL AND old ->> '_source' = 'sync' THEN
        RETURN true;
    ELSIF e.kind = 'delete' THEN
        RETURN row_time > e.event_time IS TRUE OR row_time = e.event_time AND e.processed_at IS NOT NULL OR pipedrive_internal.later_event(e);
    ELSIF new ? 'update_time' OR new ? 'modified' THEN
        new_time := coalesce(new ->> 'update_time', new ->> 'modified')::timestamptz;
        IF row_time IS DISTINCT FROM new_time THEN
            RETURN row_time IS NOT NULL AND (new_time IS NULL OR new_time < row_time);
        END IF;
    ELSIF row_time > e.event_time THEN
        RETURN true;
    END IF;
    -- a tie: an event run again brings nothing; else the later event wins, and of two at once the
    -- one that came last
    RETURN e.processed_at IS NOT NULL OR pipedrive_internal.later_event(e);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.is_stale(integer, pipedrive_internal.event, jsonb, jsonb) IS
    'whether a mirror''s row, or its deletion, is newer than an event';

CREATE OR REPLACE FUNCTION pipedrive_internal.carried(
    m pipedrive_internal.target, e pipedrive_internal.event, ours text[])
RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    carried jsonb := jsonb_build_object();
    others text[] := ARRAY[]::text[];
BEGIN
    IF e.kind = 'upsert' THEN
        carried := pipedrive_internal.decode_event(m.source, e.record, e.shape); -- the next sync reads what does not fit
        others := ARRAY(SELECT jsonb_object_keys(carried) EXCEPT SELECT unnest(ours));
    END IF;
    RETURN carried - others - CASE e.shape WHEN 'webhook' THEN 'custom_fields' ELSE '' END; -- in a form of its own; the next sync reads it
END
$$;
COMMENT ON FUNCTION
    pipedrive_internal.carried(pipedrive_internal.target, pipedrive_internal.event, text[]) IS
    'columns of a mirror that an event carries, of those that are ours';

CREATE OR REPLACE FUNCTION pipedrive_internal.says_deleted(e pipedrive_internal.event, new jsonb)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN e.kind = 'delete' OR (new @> e.gone OR new ->> 'status' = 'deleted') IS TRUE;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.says_deleted(pipedrive_internal.event, jsonb) IS
    'whether an event says that its record is deleted';

CREATE OR REPLACE FUNCTION pipedrive_internal.news(
    e pipedrive_internal.event, old jsonb, new jsonb, carried jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    news jsonb := (SELECT jsonb_object_agg(n.key, n.value) FROM jsonb_each(new) AS n WHERE n.value IS DISTINCT FROM old -> n.key AND carried ? n.key);
BEGIN
    IF e.no_labels AND news ? 'label_ids' AND old -> 'label_ids' = 'null' THEN
        news := nullif(news - '{label_ids,labels}'::text[], '{}');
    END IF;
    RETURN news;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.news(pipedrive_internal.event, jsonb, jsonb, jsonb) IS
    'those of the carried columns whose new value differs from the old; NULL for none';
