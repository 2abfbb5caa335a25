-- A payload of either version as an event.

CREATE OR REPLACE FUNCTION pipedrive_internal.read_body(
    e pipedrive_internal.event, payload jsonb, stamp jsonb)
RETURNS pipedrive_internal.event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    meta jsonb := payload -> 'meta';
    o pipedrive_internal.webhook_object;
    id text;
BEGIN
    e.event_time := pipedrive_internal.as_time(stamp);
    SELECT * INTO o FROM pipedrive_internal.webhook_object x WHERE x.object = e.entity;
    e.source_entity := o.entity;
    e.gone := o.gone;
    e.kind := (SELECT a.kind FROM pipedrive_internal.webhook_action a
                WHERE a.version = e.version AND a.action = e.action AND o.object IS NOT NULL);
    -- one record, one spelling
    id := pipedrive_internal.canonical_key(e.entity_id, o.key_type);
    e.entity_id := coalesce(id, e.entity_id);
    IF e.source_entity IS NULL OR e.kind IS NULL THEN
        RETURN e; -- to be ignored
    END IF;
    e.problem := CASE WHEN e.event_time IS NULL THEN 'no usable "timestamp" in "meta"'
                      WHEN id IS NULL THEN CASE o.key_type WHEN 'bigint'::regtype THEN 'the id is not a number' ELSE format('the id is not a %s', upper(o.key_type::text)) END
                      WHEN e.kind = 'upsert' AND jsonb_typeof(e.record) IS DISTINCT FROM 'object' THEN 'no record in the body'
                      WHEN e.kind = 'upsert' AND e.record ->> o.key IS NULL THEN 'the record has no id'
                      WHEN e.kind = 'upsert' AND e.record ->> o.key <> id
                           AND pipedrive_internal.canonical_key(e.record ->> o.key, o.key_type) IS DISTINCT FROM id THEN 'two different ids' END;
    IF e.problem IS NOT NULL THEN
        RETURN e;
    END IF;
    e.id := id;
    e.shape := CASE e.version WHEN '1' THEN 'flat' ELSE 'webhook' END;
    IF e.kind = 'upsert' THEN
        e.no_labels := coalesce(e.record ->> 'label', '') = '' AND NOT e.record ? 'label_ids';
    END IF;
    IF meta ? 'merged_to_id' OR meta ? 'merged_from_id' OR e.action = 'merged' THEN
        e.others := ARRAY(SELECT DISTINCT x
                            FROM jsonb_path_query(jsonb_build_array(meta -> 'merged_to_id', meta -> 'merged_from_id', payload #> ARRAY['previous', o.key]), 'lax $[*][*]') AS j,
                                 LATERAL (SELECT pipedrive_internal.canonical_key(j #>> '{}', o.key_type)) AS t (x)
                           WHERE x <> e.id);
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.read_body(pipedrive_internal.event, jsonb, jsonb) IS
    'the part of read_event() that needs to know what the event is about';

CREATE OR REPLACE FUNCTION pipedrive_internal.read_event(payload jsonb)
RETURNS pipedrive_internal.event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    meta jsonb := payload -> 'meta';
    stamp jsonb;
    e pipedrive_internal.event;
BEGIN
    IF jsonb_typeof(payload) IS DISTINCT FROM 'object' OR jsonb_typeof(meta) IS DISTINCT FROM 'object' THEN
        e.problem := 'not an event: there is no object "meta"';
        RETURN e;
    END IF;
    e.version := substr(coalesce(meta ->> 'version', meta ->> 'v', payload ->> 'v'), 1, 1);
    e.action := left(meta ->> 'action', 40);
    e.company_id := left(meta ->> 'company_id', 40);
    IF e.version = '2' THEN
        e.entity := left(meta ->> 'entity', 40);
        e.entity_id := left(coalesce(meta ->> 'entity_id', payload #>> '{data,id}'), 40);
        e.attempt := substring(meta ->> 'attempt' FROM '^[0-9]{1,6}$')::integer;
        stamp := meta -> 'timestamp';
        -- a user's events carry the id of the user, not of the event
        e.key := concat_ws(':', meta ->> 'id', e.entity, e.entity_id, e.action, CASE WHEN e.entity = 'user' THEN stamp #>> '{}' END);
        e.record := payload -> 'data';
    ELSIF e.version = '1' THEN
        e.entity := left(meta ->> 'object', 40);
        e.entity_id := left(meta ->> 'id', 40);
        e.attempt := substring(payload ->> 'retry' FROM '^[0-9]{1,6}$')::integer + 1;
        stamp := coalesce(meta -> 'timestamp_micro', meta -> 'timestamp');
        e.key := 'v1:' || md5(concat_ws(':', e.company_id, e.action, e.entity, e.entity_id, stamp #>> '{}'));
        e.record := payload -> 'current';
    ELSE -- what it is about can perhaps be read
        e.entity := left(coalesce(meta ->> 'entity', meta ->> 'object'), 40);
        e.entity_id := left(coalesce(meta ->> 'entity_id', payload #>> '{data,id}', payload #>> '{current,id}'), 40);
    END IF;
    e.problem := CASE WHEN e.version IS NULL OR e.version NOT IN ('1', '2') THEN 'unknown version'
                      WHEN e.entity IS NULL OR e.action IS NULL OR e.entity_id IS NULL THEN 'incomplete object "meta"'
                      WHEN e.version = '2' AND meta ->> 'id' IS NULL OR length(e.key) > 300 THEN 'no usable "meta"."id"' END;
    IF e.problem IS NULL THEN
        e := pipedrive_internal.read_body(e, payload, stamp);
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.read_event(jsonb) IS
    'a payload of version 1 or 2 as an event; problem says why it is none';

-- json accepts what jsonb does not: \u0000, half a surrogate pair, a number out of range. Its
-- operators convert the names and texts that they pass, but no number: what a body is about can be
-- read once such characters are out of the way.
CREATE OR REPLACE FUNCTION pipedrive_internal.salvage(raw text) RETURNS pipedrive_internal.event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
DECLARE
    body json;
    e pipedrive_internal.event;
BEGIN
    BEGIN
        body := regexp_replace(raw, '(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})',
                               '\1\\ufffd', 'g')::json;
    EXCEPTION WHEN program_limit_exceeded OR insufficient_resources THEN
        e.problem := 'the body is too large or nested too deep';
        RETURN e;
    WHEN assert_failure OR OTHERS THEN
        e.problem := 'not valid JSON';
        RETURN e;
    END;
    BEGIN
        e := pipedrive_internal.read_event(jsonb_build_object('meta', body -> 'meta', 'v', body -> 'v',
            'retry', body -> 'retry', 'data', jsonb_build_object('id', body #> '{data,id}'),
            'current', jsonb_build_object('id', body #> '{current,id}')));
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        NULL; -- it is in what would be read
    END;
    e.record := NULL;
    IF e.kind IS DISTINCT FROM 'delete' OR e.problem IS NOT NULL THEN -- a deletion needs the id only
        e.problem := 'it holds what jsonb cannot here (\u0000, half a character, a huge number, or a character that the encoding lacks)';
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION pipedrive_internal.salvage(text) IS
    'what can be read of a body that jsonb cannot hold: which record it is about';
