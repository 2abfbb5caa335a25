-- Webhooks: events are stored in the inbox and applied to the mirrors of their entity. An event brings a change early;
-- what it cannot say for sure is marked in table refetch, so that the next sync settles it, whatever arrived when.

CREATE TABLE settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
COMMENT ON TABLE settings IS 'settings of mirrors and webhooks: a row overrides a default. Retentions are positive intervals or forever: inbox_retention (7 days) for stored events, queue_retention (30 days) for those that wait, tombstone_retention (90 days) for deletions; others: see apply_retention()';
SELECT pg_catalog.pg_extension_config_dump('settings', '');

CREATE FUNCTION _setting(setting text, fallback text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT s.value FROM pipedrive.settings s WHERE s.name = setting), fallback)
$$;
COMMENT ON FUNCTION _setting(text, text) IS 'value of a setting, or its default';

CREATE TABLE inbox (
    key text PRIMARY KEY,
    seq bigint NOT NULL DEFAULT nextval('pipedrive.arrival'),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    processed_at timestamptz,
    event_time timestamptz,
    attempt integer NOT NULL DEFAULT 1,
    version text,
    entity text,
    entity_id text,
    action text,
    company_id text,
    server name,
    status text NOT NULL CHECK (status IN ('queued', 'applied', 'stale', 'deleted', 'ignored', 'failed')),
    outcome text,
    error text,
    body jsonb,
    raw text
);
COMMENT ON TABLE inbox IS 'webhook events as received, and what became of each; holds personal data: for its owner only, and not in dumps';
COMMENT ON COLUMN inbox.key IS 'the same for every delivery of one event';
COMMENT ON COLUMN inbox.seq IS 'order of arrival';
COMMENT ON COLUMN inbox.event_time IS 'when it happened, by Pipedrive''s clock';
COMMENT ON COLUMN inbox.attempt IS 'delivery attempts seen';
COMMENT ON COLUMN inbox.entity IS 'object of the event in Pipedrive''s words, e.g. deal';
COMMENT ON COLUMN inbox.server IS 'server of the login that delivered it, where there was one';
COMMENT ON COLUMN inbox.outcome IS 'the status with its reason, as ingest_webhook() returned it';
COMMENT ON COLUMN inbox.error IS 'SQLSTATE, message, detail and hint of a failure, without values of the event';
COMMENT ON COLUMN inbox.raw IS 'a body that jsonb cannot hold, or that is no JSON at all';
DO $$ -- faster than the default, where the server was built with it
BEGIN
    ALTER TABLE inbox ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    NULL;
END
$$;
-- To find events of the same record, and those that wait; times are in order of insertion.
CREATE INDEX inbox_entity ON inbox (entity_id, entity, event_time);
CREATE INDEX inbox_queued ON inbox (seq) WHERE status = 'queued';
CREATE INDEX inbox_received_at ON inbox USING brin (received_at);
REVOKE ALL ON inbox FROM PUBLIC;

CREATE TABLE mirror_event (
    mirror_id integer REFERENCES mirror ON DELETE CASCADE,
    slot integer,
    changes bigint NOT NULL CHECK (changes BETWEEN 0 AND 1000000000000000),
    last_event timestamptz,
    PRIMARY KEY (mirror_id, slot)
);
COMMENT ON TABLE mirror_event IS 'changed rows and last event of each mirror, in some rows a mirror so that sessions do not wait for each other; see _change_serial()';
SELECT pg_catalog.pg_extension_config_dump('mirror_event', '');

CREATE TABLE webhook_object (
    object text PRIMARY KEY,
    entity text,
    path text
);
COMMENT ON TABLE webhook_object IS 'objects that Pipedrive sends events for; entity and path where they can be mirrored';
INSERT INTO webhook_object
SELECT r.object, r.entity, r.path FROM jsonb_to_recordset(_catalogue('webhooks')) AS r (object text, entity text, path text);

CREATE TABLE webhook_action (
    version text,
    action text,
    kind text NOT NULL CHECK (kind IN ('upsert', 'delete')),
    PRIMARY KEY (version, action)
);
COMMENT ON TABLE webhook_action IS 'what to do for each action of an event';
INSERT INTO webhook_action VALUES
    ('2', 'create', 'upsert'), ('2', 'change', 'upsert'), ('2', 'delete', 'delete'),
    ('1', 'added', 'upsert'), ('1', 'updated', 'upsert'), ('1', 'merged', 'upsert'), ('1', 'deleted', 'delete');

CREATE TABLE webhook_field (
    object text,
    key text,
    rule text NOT NULL CHECK (rule IN ('rename', 'not', 'one', 'list', 'address', 'drop', 'drop null', 'drop flat')),
    field text,
    PRIMARY KEY (object, key)
);
COMMENT ON TABLE webhook_field IS 'where records of events differ from those of lists: rename; not: inverted; one: one label of perhaps several, so only that there is none is said in full; list: "1,2"; address: in flat parts; drop: says something else';
INSERT INTO webhook_field VALUES
    ('deal', 'user_id', 'rename', 'owner_id'), ('deal', 'label', 'list', 'label_ids'), ('deal', 'deleted', 'rename', 'is_deleted'),
    ('person', 'email', 'rename', 'emails'), ('person', 'phone', 'rename', 'phones'), ('person', 'label', 'one', 'label_ids'),
    ('person', 'active_flag', 'not', 'is_deleted'),
    ('organization', 'label', 'one', 'label_ids'), ('organization', 'active_flag', 'not', 'is_deleted'),
    ('organization', 'address', 'address', 'address'),
    ('activity', 'user_id', 'rename', 'owner_id'), ('activity', 'busy_flag', 'rename', 'busy'), ('activity', 'active_flag', 'not', 'is_deleted'),
    ('activity', 'created_by_user_id', 'rename', 'creator_user_id'), ('activity', 'location', 'address', 'location'),
    ('activity', 'participants', 'drop flat', NULL), ('activity', 'attendees', 'drop flat', NULL),
    ('pipeline', 'active', 'not', 'is_deleted'), ('pipeline', 'active_flag', 'not', 'is_deleted'),
    ('pipeline', 'deal_probability', 'rename', 'is_deal_probability_enabled'),
    ('stage', 'active_flag', 'not', 'is_deleted'), ('stage', 'rotten_flag', 'rename', 'is_deal_rot_enabled'),
    ('stage', 'rotten_days', 'rename', 'days_to_rotten'),
    ('product', 'active_flag', 'not', 'is_deleted'), ('product', 'selectable', 'rename', 'is_linkable'),
    ('product', 'description', 'drop null', NULL), ('product', 'unit', 'drop null', NULL), ('product', 'prices', 'drop flat', NULL),
    ('user', 'access', 'drop null', NULL), ('user', 'is_you', 'drop', NULL);

CREATE TABLE server_company (
    server name PRIMARY KEY,
    company_id text NOT NULL
);
COMMENT ON TABLE server_company IS 'the company account behind a server, learnt at its first sync: events of other companies are not applied to its mirrors';
SELECT pg_catalog.pg_extension_config_dump('server_company', '');

CREATE TABLE event_company (
    mirror_id integer REFERENCES mirror ON DELETE CASCADE,
    company_id text,
    PRIMARY KEY (mirror_id, company_id)
);
COMMENT ON TABLE event_company IS 'companies that events named, of mirrors whose account does not tell its own: where there are two, only events of a login are applied';
SELECT pg_catalog.pg_extension_config_dump('event_company', '');

-- ------------------------------------------------------------------------------------------------------------
-- Reading an event
-- ------------------------------------------------------------------------------------------------------------

CREATE TYPE _event AS (
    key text,
    version text,
    entity text,
    entity_id text,
    action text,
    company_id text,
    server name,
    attempt integer,
    event_time timestamptz,
    processed_at timestamptz, -- of an earlier run
    kind text,
    source_entity text,
    id bigint,
    shape text,
    record jsonb,
    no_labels boolean, -- the record says that there is none, which a list may say in two ways
    others bigint[],   -- other records that a merge touched
    problem text
);
COMMENT ON TYPE _event IS 'a webhook event, whatever its version';

CREATE FUNCTION _reshape(object text, version text, record jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- what cannot be read says nothing: the column keeps its value until the next sync
    RETURN (SELECT record - coalesce(array_agg(r.key) FILTER (WHERE r.rule LIKE 'drop%'), '{}')
           || coalesce(jsonb_object_agg(r.field, r.value) FILTER (WHERE r.rule NOT LIKE 'drop%' AND r.value IS NOT NULL), '{}')
      FROM (SELECT f.key, f.rule, f.field, CASE f.rule
                WHEN 'rename' THEN record -> f.key
                WHEN 'not' THEN to_jsonb(NOT pipedrive._as_boolean(record -> f.key))
                WHEN 'one' THEN CASE WHEN coalesce(record ->> f.key, '') = '' THEN '[]'::jsonb END
                WHEN 'list' THEN to_jsonb(pipedrive._as_bigints(record -> f.key))
                WHEN 'address' THEN (SELECT jsonb_object_agg(p, coalesce(record -> (f.key || '_' || p), CASE p WHEN 'value' THEN record -> f.key END))
                        FROM unnest('{value,country,admin_area_level_1,admin_area_level_2,locality,sublocality,route,street_number,subpremise,postal_code,formatted_address}'::text[]) AS p)
                END AS value
              FROM pipedrive.webhook_field f
             WHERE f.object = _reshape.object AND record ? f.key
               AND CASE f.rule WHEN 'drop' THEN true
                               WHEN 'drop null' THEN record -> f.key = 'null'
                               WHEN 'drop flat' THEN version = '1'
                               WHEN 'address' THEN version = '1' AND coalesce(record ->> f.key, '') <> '' AND record ? (f.key || '_formatted_address')
                               ELSE NOT record ? f.field END) AS r);
END
$$;
COMMENT ON FUNCTION _reshape(text, text, jsonb) IS 'a record of an event with the keys of lists';

CREATE FUNCTION _read_body(e _event, payload jsonb, stamp jsonb) RETURNS _event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    meta jsonb := payload -> 'meta';
BEGIN
    e.event_time := pipedrive._as_time(stamp);
    SELECT o.entity, (SELECT a.kind FROM pipedrive.webhook_action a WHERE a.version = e.version AND a.action = e.action)
      INTO e.source_entity, e.kind FROM pipedrive.webhook_object o WHERE o.object = e.entity;
    IF e.source_entity IS NULL OR e.kind IS NULL THEN
        RETURN e; -- to be ignored
    END IF;
    e.problem := CASE WHEN e.event_time IS NULL THEN 'no usable "timestamp" in "meta"'
                      WHEN e.entity_id !~ '^[0-9]{1,18}$' THEN 'the id is not a number'
                      WHEN e.kind = 'upsert' AND jsonb_typeof(e.record) IS DISTINCT FROM 'object' THEN 'no record in the body'
                      WHEN e.kind = 'upsert' AND e.record ->> 'id' IS NULL THEN 'the record has no id'
                      WHEN e.kind = 'upsert' AND e.record ->> 'id' IS DISTINCT FROM e.entity_id THEN 'two different ids' END;
    IF e.problem IS NOT NULL THEN
        RETURN e;
    END IF;
    e.id := e.entity_id::bigint;
    e.shape := CASE e.version WHEN '1' THEN 'flat' ELSE 'webhook' END;
    IF e.kind = 'upsert' THEN
        e.no_labels := coalesce(e.record ->> 'label', '') = '' AND NOT e.record ? 'label_ids';
        e.record := pipedrive._reshape(e.entity, e.version, e.record);
    END IF;
    IF meta ? 'merged_to_id' OR meta ? 'merged_from_id' OR e.action = 'merged' THEN
        e.others := ARRAY(SELECT DISTINCT x::bigint
                            FROM jsonb_path_query(jsonb_build_array(meta -> 'merged_to_id', meta -> 'merged_from_id', payload #> '{previous,id}'), 'lax $[*][*]') AS j,
                                 LATERAL (SELECT j #>> '{}') AS t (x)
                           WHERE x ~ '^[0-9]{1,18}$' AND x <> e.entity_id);
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION _read_body(_event, jsonb, jsonb) IS 'the part of _read_event() that needs to know what the event is about';

CREATE FUNCTION _read_event(payload jsonb) RETURNS _event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    meta jsonb := payload -> 'meta';
    stamp jsonb;
    e pipedrive._event;
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
    IF e.entity_id LIKE '0_%' THEN -- one record, one spelling
        e.entity_id := regexp_replace(e.entity_id, '^0+(?=[0-9]+$)', '');
    END IF;
    IF e.problem IS NULL THEN
        e := pipedrive._read_body(e, payload, stamp);
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION _read_event(jsonb) IS 'a payload of version 1 or 2 as an event; problem says why it is none';

-- json accepts what jsonb does not: \u0000, half a surrogate pair, a number out of range. Its
-- operators convert the names and texts that they pass, but no number: what a body is about can be
-- read once such characters are out of the way.
CREATE FUNCTION _salvage(raw text) RETURNS _event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
DECLARE
    body json;
    e pipedrive._event;
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
        e := pipedrive._read_event(jsonb_build_object('meta', body -> 'meta', 'v', body -> 'v',
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
COMMENT ON FUNCTION _salvage(text) IS
    'what can be read of a body that jsonb cannot hold: which record it is about';

-- ------------------------------------------------------------------------------------------------------------
-- Applying events
-- ------------------------------------------------------------------------------------------------------------

CREATE TYPE _target AS (
    mirror_id integer,
    source regclass,
    target regclass,
    entity text,
    server name,
    width integer,
    watched boolean -- its owner's triggers or policies may make something else of what is written
);
COMMENT ON TYPE _target IS 'a mirror that events are applied to';

CREATE FUNCTION _later_event(e _event) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pipedrive.inbox i
                    WHERE i.entity_id = e.entity_id AND i.entity = e.entity AND i.event_time > e.event_time
                      -- one that came by another door may name no company or server
                      AND (i.company_id = e.company_id) IS NOT FALSE AND (i.server = e.server) IS NOT FALSE AND i.status IN ('applied', 'deleted'));
END
$$;
COMMENT ON FUNCTION _later_event(_event) IS 'whether a later event of the same record was applied';

CREATE FUNCTION _is_stale(mirror_id integer, e _event, old jsonb, new jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    row_time timestamptz;
    new_time timestamptz;
BEGIN
    IF old IS NULL THEN
        -- The times of two events can be compared. Those of an event and of an answer cannot, where some clock is wrong: what
        -- the API showed to be gone comes back when the API shows it, which the mark sees to.
        RETURN e.kind = 'upsert' AND EXISTS (SELECT FROM pipedrive.tombstone t WHERE t.mirror_id = _is_stale.mirror_id AND t.id = e.id
                  AND (t.as_of IS NULL OR t.as_of > e.event_time OR t.told_by = 'sync' AND e.shape <> 'rest'));
    END IF;
    row_time := coalesce(old ->> 'update_time', old ->> 'modified');
    -- run again: had it changed the row, the row would be its own, so a sync has been there since
    IF e.processed_at IS NOT NULL AND old ->> '_source' = 'sync' THEN
        RETURN true;
    ELSIF e.kind = 'delete' THEN
        RETURN row_time > e.event_time IS TRUE OR row_time = e.event_time AND e.processed_at IS NOT NULL OR pipedrive._later_event(e);
    ELSIF new ? 'update_time' OR new ? 'modified' THEN
        new_time := coalesce(new ->> 'update_time', new ->> 'modified');
        IF row_time IS DISTINCT FROM new_time THEN
            RETURN row_time IS NOT NULL AND (new_time IS NULL OR new_time < row_time);
        END IF;
    ELSIF row_time > e.event_time THEN
        RETURN true;
    END IF;
    -- a tie: an event run again brings nothing; else the later event wins, and of two at once the one that came last
    RETURN e.processed_at IS NOT NULL OR pipedrive._later_event(e);
END
$$;
COMMENT ON FUNCTION _is_stale(integer, _event, jsonb, jsonb) IS 'whether a mirror''s row, or its deletion, is newer than an event';

CREATE FUNCTION _carried(m _target, e _event, ours text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    carried jsonb := '{}';
    others text[] := '{}';
BEGIN
    IF e.kind = 'upsert' THEN
        carried := pipedrive._decode_event(m.source, e.record, e.shape); -- the next sync reads what does not fit
        others := ARRAY(SELECT jsonb_object_keys(carried) EXCEPT SELECT unnest(ours));
    END IF;
    RETURN carried - others - CASE e.shape WHEN 'webhook' THEN 'custom_fields' ELSE '' END; -- in a form of its own; the next sync reads it
END
$$;
COMMENT ON FUNCTION _carried(_target, _event, text[]) IS 'columns of a mirror that an event carries, of those that are ours';

CREATE FUNCTION _says_deleted(e _event, new jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- a user who was removed stays a row
    RETURN e.kind = 'delete' OR e.entity <> 'user' AND (new -> 'is_deleted' = 'true' OR new ->> 'status' = 'deleted') IS TRUE;
END
$$;
COMMENT ON FUNCTION _says_deleted(_event, jsonb) IS 'whether an event says that its record is deleted';

CREATE FUNCTION _news(e _event, old jsonb, new jsonb, carried jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    news jsonb := (SELECT jsonb_object_agg(n.key, n.value) FROM jsonb_each(new) AS n WHERE n.value IS DISTINCT FROM old -> n.key AND carried ? n.key);
BEGIN
    IF e.no_labels AND news ? 'label_ids' AND old -> 'label_ids' = 'null' THEN
        news := nullif(news - '{label_ids,labels}'::text[], '{}');
    END IF;
    RETURN news;
END
$$;
COMMENT ON FUNCTION _news(_event, jsonb, jsonb, jsonb) IS 'those of the carried columns whose new value differs from the old; NULL for none';

CREATE FUNCTION _assignments(columns jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT string_agg(format('%1$I = n.%1$I', k), ', ') FROM jsonb_object_keys(columns) AS k);
END
$$;
COMMENT ON FUNCTION _assignments(jsonb) IS 'SET list of an UPDATE';

CREATE FUNCTION _keep_history(m _target, id bigint, old jsonb, delta jsonb, changed_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
    SELECT m.mirror_id, m.entity, _keep_history.id, d.field, d.old_value, d.new_value, _keep_history.changed_at, 'webhook'
      FROM pipedrive._field_changes(m.mirror_id, old, delta) AS d;
END
$$;
COMMENT ON FUNCTION _keep_history(_target, bigint, jsonb, jsonb, timestamptz) IS 'writes the changes of one row into the history';

CREATE FUNCTION _note_event(mirror_id integer, n bigint, at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive.mirror_event AS v (mirror_id, slot, changes, last_event) VALUES (_note_event.mirror_id, pg_catalog.pg_backend_pid() % 64, n, at)
    ON CONFLICT ON CONSTRAINT mirror_event_pkey DO UPDATE SET changes = v.changes + excluded.changes, last_event = coalesce(excluded.last_event, v.last_event);
END
$$;
COMMENT ON FUNCTION _note_event(integer, bigint, timestamptz) IS 'counts changed rows of a mirror, and says when it got an event';

CREATE FUNCTION _change_serial(mirror_id integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT s.change_serial FROM pipedrive.mirror_state s WHERE s.mirror_id = $1)
           + coalesce((SELECT pg_catalog.sum(v.changes) FROM pipedrive.mirror_event v WHERE v.mirror_id = $1), 0)::bigint
$$;
COMMENT ON FUNCTION _change_serial(integer) IS 'grows with every change of a mirror';

-- Not in mirror_state: a sync holds that row while it reads from the API.
CREATE OR REPLACE FUNCTION _record_change_count(which integer, n bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pipedrive._note_event(which, n, NULL::timestamptz) WHERE n > 0
$$;

CREATE FUNCTION _settle_event(m _target, ids bigint[], written bigint, carried jsonb DEFAULT NULL, made bigint[] DEFAULT NULL, ours text[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pipedrive.refetch AS r (mirror_id, id, reason, unfilled)
    SELECT m.mirror_id, u.i, 'webhook', CASE WHEN u.i = ANY (made) THEN to_jsonb(ours) - ARRAY(SELECT jsonb_object_keys(carried -> u.i::text)) END
      FROM (SELECT DISTINCT i FROM unnest(ids) AS i) AS u ORDER BY u.i
    ON CONFLICT ON CONSTRAINT refetch_pkey DO UPDATE
       SET requested_at = excluded.requested_at, arrival = excluded.arrival, reason = excluded.reason, held = false,
           unfilled = CASE WHEN excluded.unfilled IS NOT NULL THEN excluded.unfilled
                           WHEN r.unfilled IS NOT NULL THEN r.unfilled - ARRAY(SELECT jsonb_object_keys(carried -> excluded.id::text)) END;
    PERFORM pipedrive._note_event(m.mirror_id, written, clock_timestamp());
END
$$;
COMMENT ON FUNCTION _settle_event(_target, bigint[], bigint, jsonb, bigint[], text[]) IS
    'has the next sync read rows by id, and says that a mirror got events; carried: what was written, by id; made: rows that were not there, with the columns that are ours';

-- Only our columns: one that somebody added may be of a type that does not take NULL.
CREATE FUNCTION _definitions(target regclass, columns jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT string_agg(format('%I %s', a.attname,
                                              format_type(a.atttypid, a.atttypmod)), ', ')
                       FROM pg_attribute a
                      WHERE a.attrelid = target AND a.attnum > 0 AND columns ? a.attname::text),
                    'id bigint');
END
$$;
COMMENT ON FUNCTION _definitions(regclass, jsonb) IS
    'those columns of a mirror that an object names, with their types, to read the object as a row';

CREATE FUNCTION _values_of(ours text[], columns jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT string_agg(CASE WHEN columns ? c THEN 'n.' || quote_ident(c) ELSE 'NULL' END,
                              ', ' ORDER BY o)
              FROM unnest(ours) WITH ORDINALITY AS u (c, o));
END
$$;
COMMENT ON FUNCTION _values_of(text[], jsonb) IS
    'SELECT list for our columns of a mirror: NULL for those that an object does not name';

-- The row itself where it has no more than that: it is read four times as fast.
CREATE FUNCTION _our_row(m _target, ours text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF m.width = cardinality(ours) + 2 THEN
        RETURN 't';
    END IF;
    RETURN (SELECT format('(SELECT o FROM (SELECT %s) AS o)', string_agg('t.' || quote_ident(c), ', '))
              FROM unnest(ours || '{_synced_at,_source}'::text[]) AS c);
END
$$;
COMMENT ON FUNCTION _our_row(_target, text[]) IS
    'expression for a row "t" of a mirror without what others added to it';

-- Locks are taken in this order, so that sessions wait for each other but never in a circle: mirrors by number, in each
-- rows by id, tombstones, marks, counts.
CREATE FUNCTION _apply_one(m _target, e _event) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    ours text[] := pipedrive._mirror_columns(m.target);
    carried jsonb := pipedrive._carried(m, e, ours);
    definitions text := pipedrive._definitions(m.target, carried);
    changed_at timestamptz := coalesce((carried ->> 'update_time')::timestamptz, e.event_time);
    verdict text;
    old jsonb;
    new jsonb; -- as the table's types write it: 7000.0 is 7000, and a time is the same in any zone
    news jsonb;
    u record;
    written bigint := 0;
BEGIN
    IF NOT pipedrive._may_write(m.source, m.target) THEN
        PERFORM pipedrive._settle_event(m, e.id || coalesce(e.others, '{}'), 0); -- its owner's next sync reads them
        RETURN 'ignored: the mirror belongs to another role';
    END IF;
    FOR attempt IN 1 .. 3 LOOP -- again when another session makes the row meanwhile
        EXECUTE format('SELECT to_jsonb(%3$s), to_jsonb(n) FROM %1$s AS t, jsonb_to_record($1) AS n (%2$s)
                         WHERE t.id = $2 FOR NO KEY UPDATE OF t',
                       m.target, definitions, pipedrive._our_row(m, ours))
           INTO old, new USING carried, e.id;
        verdict := CASE WHEN pipedrive._is_stale(m.mirror_id, e, old, carried) THEN 'stale'
                        WHEN pipedrive._says_deleted(e, carried) THEN 'deleted' ELSE 'applied' END;
        EXIT WHEN verdict <> 'applied' OR old IS NOT NULL;
        EXECUTE format('INSERT INTO %1$s (%2$s, _synced_at, _source) SELECT %3$s, clock_timestamp(), ''webhook''
                          FROM jsonb_to_record($1) AS n (%4$s) ON CONFLICT (id) DO NOTHING',
                       m.target, pipedrive._column_list(m.target), pipedrive._values_of(ours, carried), definitions) USING carried;
        GET DIAGNOSTICS written = ROW_COUNT;
        EXIT WHEN written > 0;
    END LOOP;
    IF verdict = 'deleted' THEN
        PERFORM pipedrive._delete_rows(m.mirror_id, ARRAY[e.id], changed_at, 'webhook'::text, NULL::bigint);
    ELSIF written > 0 THEN
        PERFORM pipedrive._record_creation(x, ARRAY[e.id], ARRAY[changed_at], 'webhook'::text) FROM pipedrive.mirror x WHERE x.mirror_id = m.mirror_id;
    ELSIF verdict = 'applied' AND old IS NULL THEN
        verdict := pipedrive._kept_out();
    ELSIF verdict = 'applied' THEN
        news := pipedrive._news(e, old, new, carried);
        IF news IS NOT NULL THEN
            IF m.watched THEN
                SELECT * INTO u FROM pipedrive._update_set(m, ARRAY[old], ARRAY[news], ARRAY[changed_at]);
                written := u.written;
                verdict := CASE WHEN u.ids = '{}' THEN pipedrive._kept_out() ELSE verdict END;
            ELSE
                EXECUTE format('UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = ''webhook''
                                  FROM jsonb_to_record($1) AS n (%3$s) WHERE t.id = $2',
                               m.target, pipedrive._assignments(news), pipedrive._definitions(m.target, news)) USING news, e.id;
                written := 1;
                PERFORM pipedrive._keep_history(m, e.id, old, news, changed_at);
            END IF;
        END IF;
    END IF;
    IF e.processed_at IS NULL OR written > 0 THEN -- not for what ran before and changes nothing now
        PERFORM pipedrive._settle_event(m, e.id || coalesce(e.others, '{}'), written, CASE verdict WHEN 'applied' THEN jsonb_build_object(e.id, carried) END,
                                        CASE WHEN old IS NULL AND written > 0 THEN ARRAY[e.id] END, ours);
    END IF;
    RETURN verdict;
END
$$;
COMMENT ON FUNCTION _apply_one(_target, _event) IS 'applies one event to a mirror; what became of it';

-- It is settled: to try again would come to the same.
CREATE FUNCTION _kept_out() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'applied: a trigger or policy of the table kept the change out'
$$;
COMMENT ON FUNCTION _kept_out() IS 'outcome of an event that the owner of a mirror does not want';

CREATE FUNCTION _targets(entity text) RETURNS SETOF _target
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT m.mirror_id, m.source, m.target, m.entity, s.srvname, c.relnatts::integer, c.relhastriggers OR c.relrowsecurity
      FROM pipedrive.mirror m
      JOIN pg_catalog.pg_class c ON c.oid = m.target
      JOIN pg_catalog.pg_foreign_table t ON t.ftrelid = m.source
      JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
     WHERE m.entity = _targets.entity ORDER BY m.mirror_id;
END
$$;
COMMENT ON FUNCTION _targets(text) IS 'mirrors of an entity';

CREATE FUNCTION _is_for(m _target, e _event) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    company text := (SELECT c.company_id FROM pipedrive.server_company c WHERE c.server = m.server);
BEGIN
    IF e.server <> m.server OR NOT pipedrive._was_asked(m.server) THEN
        RETURN false;
    ELSIF company IS NOT NULL AND e.company_id IS NOT NULL THEN
        RETURN company = e.company_id;
    END IF;
    -- one of them does not say: who delivered it does, or there is no other
    RETURN e.server IS NOT NULL OR NOT EXISTS (SELECT FROM pipedrive._targets(m.entity) AS t WHERE t.server <> m.server)
       AND (company IS NOT NULL OR NOT EXISTS (SELECT FROM pipedrive.event_company c WHERE c.mirror_id = m.mirror_id AND c.company_id <> e.company_id));
END
$$;
COMMENT ON FUNCTION _is_for(_target, _event) IS 'whether an event comes from the account that a mirror shows';

CREATE FUNCTION _note_company(m _target, e _event) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF e.company_id IS NOT NULL AND e.server IS NULL AND NOT EXISTS (SELECT FROM pipedrive.server_company c WHERE c.server = m.server)
       AND NOT EXISTS (SELECT FROM pipedrive.event_company c WHERE c.mirror_id = m.mirror_id AND c.company_id = e.company_id) THEN
        INSERT INTO pipedrive.event_company VALUES (m.mirror_id, e.company_id) ON CONFLICT DO NOTHING;
    END IF;
END
$$;
COMMENT ON FUNCTION _note_company(_target, _event) IS 'remembers whose event it was where the account of a mirror does not tell its company';

-- To read a record by its id costs little where it was another account's; to leave one unread that was this one's is wrong.
CREATE FUNCTION _may_be_for(m _target, e _event) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (e.server = m.server) IS NOT FALSE
       AND ((SELECT c.company_id FROM pipedrive.server_company c WHERE c.server = m.server) = e.company_id) IS NOT FALSE
$$;
COMMENT ON FUNCTION _may_be_for(_target, _event) IS 'whether nothing says that an event comes from another account than a mirror shows';

CREATE FUNCTION _why_ignored(e _event) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF e.source_entity IS NULL THEN
        -- names that Pipedrive does not use are not repeated
        RETURN CASE WHEN EXISTS (SELECT FROM pipedrive.webhook_object o WHERE o.object = e.entity)
                    THEN format('ignored: entity "%s" is not mirrored', e.entity) ELSE 'ignored: unknown entity' END;
    ELSIF e.kind IS NULL THEN
        RETURN 'ignored: unknown action';
    ELSIF EXISTS (SELECT FROM pipedrive._targets(e.source_entity) AS t
                   WHERE pipedrive._is_for(t, e) -- learnt while this event was looked at
                      OR (e.server IS NULL OR t.server = e.server) AND NOT pipedrive._was_asked(t.server)) THEN
        RETURN 'queued: the first sync learns whose mirrors these are';
    ELSIF EXISTS (SELECT FROM pipedrive._targets(e.source_entity) AS t JOIN pipedrive.event_company c ON c.mirror_id = t.mirror_id AND c.company_id <> e.company_id
                   WHERE pipedrive._may_be_for(t, e)) THEN
        RETURN 'ignored: events of several companies came, and the account does not tell which is its own';
    ELSIF EXISTS (SELECT FROM pipedrive._targets(e.source_entity)) THEN
        RETURN format('ignored: no mirror of %s belongs to the company of the event', e.source_entity);
    END IF;
    RETURN format('ignored: there is no mirror of %s', e.source_entity);
END
$$;
COMMENT ON FUNCTION _why_ignored(_event) IS 'outcome of an event that no mirror takes now';

-- What _later_event() asks for must not be hidden by a mirror of another role, whichever comes first.
CREATE FUNCTION _says_more(verdict text, outcome text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT outcome LIKE 'ignored%' AND verdict NOT LIKE 'ignored%'
        OR outcome = 'stale' AND verdict ~ '^(applied|deleted)'
$$;
COMMENT ON FUNCTION _says_more(text, text) IS
    'of an event that several mirrors take, whether what became of it in one counts more than in those '
    'before: applied or deleted, then stale, then ignored';

CREATE FUNCTION _apply_event(e _event) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive._target;
    verdict text;
    outcome text;
BEGIN
    IF e.source_entity IS NOT NULL AND e.id IS NOT NULL THEN
        FOR m IN SELECT t.* FROM pipedrive._targets(e.source_entity) AS t WHERE pipedrive._is_for(t, e) LOOP
            PERFORM pipedrive._note_company(m, e);
            verdict := pipedrive._apply_one(m, e);
            IF m.watched THEN
                PERFORM pipedrive._check_deferred();
            END IF;
            IF outcome IS NULL OR pipedrive._says_more(verdict, outcome) THEN
                outcome := verdict;
            END IF;
        END LOOP;
    END IF;
    RETURN coalesce(outcome, pipedrive._why_ignored(e));
END
$$;
COMMENT ON FUNCTION _apply_event(_event) IS 'applies one event to all mirrors that it is for; what became of it';

CREATE FUNCTION _fetched(e _event) RETURNS _event
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive._target;
    answer jsonb;
BEGIN
    IF e.kind = 'upsert' THEN
        SELECT t.* INTO m FROM pipedrive._targets(e.source_entity) AS t WHERE pipedrive._is_for(t, e) LIMIT 1;
    END IF;
    IF m.server IS NOT NULL THEN
        BEGIN
            PERFORM pipedrive._check_account(m.server);
            answer := pipedrive._request(m.server, 'GET'::text, (SELECT o.path || '/' || e.id FROM pipedrive.webhook_object o WHERE o.object = e.entity)) -> 'data';
            IF answer ->> 'id' = e.entity_id THEN
                e.record := answer;
                e.shape := 'rest';
                e.no_labels := false;
            END IF;
        EXCEPTION WHEN assert_failure OR OTHERS THEN
            NULL; -- gone, hidden or no tokens left: the body has to do, the mark stays
        END;
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION _fetched(_event) IS 'an event with the whole record as the API has it now (one request, 1 token), where it can be read';

CREATE FUNCTION _reason(state text, message text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(CASE WHEN state LIKE '54%' THEN 'the record is too large for a row, or nested too deep'
                     WHEN state LIKE 'HV%' THEN message ELSE pipedrive._condition(state) END, 200) || ' (' || state || ')'
$$;
COMMENT ON FUNCTION _reason(text, text) IS 'an error without what it may quote of a body; this library''s own messages (class HV) quote none';

-- ------------------------------------------------------------------------------------------------------------
-- Taking events in
-- ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION _mirrors_to_mark(e _event) RETURNS SETOF _target
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.* FROM pipedrive.webhook_object o, pipedrive._targets(o.entity) AS t
     WHERE o.object = e.entity AND e.entity_id ~ '^[0-9]{1,18}$' AND pipedrive._may_be_for(t, e)
$$;
COMMENT ON FUNCTION _mirrors_to_mark(_event) IS 'mirrors of which an event may name a row';

-- Not for long: who holds the mark may take it away with him, so it is made elsewhere then.
CREATE FUNCTION _mark_unapplied(e _event) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
BEGIN
    BEGIN
        PERFORM pipedrive._settle_event(t, e.entity_id::bigint || coalesce(e.others, '{}'), 0)
           FROM pipedrive._mirrors_to_mark(e) AS t;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        INSERT INTO pipedrive.late_mark (mirror_id, id)
        SELECT t.mirror_id, i FROM pipedrive._mirrors_to_mark(e) AS t, unnest(e.entity_id::bigint || coalesce(e.others, '{}')) AS i;
    END;
    PERFORM pipedrive._note_company(t, e) FROM pipedrive._mirrors_to_mark(e) AS t;
    RETURN true;
EXCEPTION WHEN assert_failure OR OTHERS THEN
    RETURN false; -- the event itself is kept
END
$$;
COMMENT ON FUNCTION _mark_unapplied(_event) IS
    'has the next sync read what an event is about that was not applied, where that is known; false: it could not be marked';

CREATE FUNCTION _must_be_read(e _event, outcome text, error text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT outcome LIKE 'failed%' OR error IS NOT NULL -- it waits for whoever holds the row
        OR e.source_entity IS NOT NULL AND (e.kind IS NULL -- an action that is new to us
                                            OR outcome LIKE 'ignored%') -- of nobody knows which account
$$;
COMMENT ON FUNCTION _must_be_read(_event, text, text) IS
    'whether an event was not applied though its record may have changed';

CREATE FUNCTION _ingest(payload jsonb, raw text, mode text, server name) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e pipedrive._event;
    outcome text;
    error text;
    detail text;
    hint text;
    context text;
BEGIN
    IF mode IS NULL OR mode NOT IN ('apply', 'queue', 'refetch') THEN
        RAISE EXCEPTION 'invalid mode' USING ERRCODE = '22023', HINT = 'Modes are apply, queue and refetch.';
    END IF;
    BEGIN
        e := CASE WHEN raw IS NULL THEN pipedrive._read_event(payload) ELSE pipedrive._salvage(raw) END;
        e.server := _ingest.server;
        -- known ones are told apart before anything is locked
        UPDATE pipedrive.inbox i SET attempt = greatest(i.attempt + 1, e.attempt) WHERE i.key = e.key;
        IF FOUND THEN
            RETURN 'duplicate';
        ELSIF e.problem IS NOT NULL THEN
            outcome := 'failed: ' || e.problem;
        ELSIF mode = 'queue' THEN
            outcome := 'queued';
        ELSE
            outcome := pipedrive._apply_event(CASE mode WHEN 'refetch' THEN pipedrive._fetched(e) ELSE e END);
        END IF;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS error = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        -- somebody else holds the row: not the event's fault
        outcome := CASE WHEN SQLSTATE IN ('55P03', '40P01', '40001') THEN 'queued' ELSE 'failed: ' || pipedrive._reason(SQLSTATE, error) END;
        error := format('%s: %s', SQLSTATE, pipedrive._error_text(SQLSTATE, error, detail, hint, context));
    END;
    IF pipedrive._must_be_read(e, outcome, error) THEN
        PERFORM pipedrive._mark_unapplied(e);
    END IF;
    RETURN pipedrive._store_event(e, payload, raw, outcome, error);
END
$$;
COMMENT ON FUNCTION _ingest(jsonb, text, text, name) IS 'ingest_webhook() for a body that was read, or one that jsonb cannot hold (raw)';

-- Nothing before this has locked a row of the inbox, and it waits for sessions only that are about to end. No ON CONFLICT: under
-- repeatable read and serializable it fails alike for an event that is there and for one that is not.
CREATE FUNCTION _store_event(e _event, payload jsonb, raw text, outcome text, error text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    violated text;
BEGIN
    e.key := coalesce(e.key, 'body:' || encode(sha256(convert_to(coalesce(raw, payload::text, ''), 'UTF8')), 'hex'));
    INSERT INTO pipedrive.inbox (key, processed_at, event_time, attempt, version, entity, entity_id,
                                 action, company_id, server, status, outcome, error, body, raw)
    VALUES (e.key, CASE WHEN outcome NOT LIKE 'queued%' THEN clock_timestamp() END, e.event_time,
            coalesce(e.attempt, 1), e.version, e.entity, e.entity_id, e.action, e.company_id,
            e.server, split_part(outcome, ':', 1), outcome, error, payload, raw);
    RETURN outcome;
EXCEPTION WHEN unique_violation THEN
    GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
    IF violated <> 'inbox_pkey' THEN
        RAISE;
    END IF;
    RETURN 'duplicate';
END
$$;
COMMENT ON FUNCTION _store_event(_event, jsonb, text, text, text) IS
    'puts an event into the inbox unless it is there; its outcome';

CREATE FUNCTION _existing_server(server name) RETURNS name
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF server IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_foreign_server s
          JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwname = 'pipedrive_fdw'
         WHERE s.srvname = _existing_server.server) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('server "%s" does not exist', server);
    END IF;
    RETURN server;
END
$$;
COMMENT ON FUNCTION _existing_server(name) IS 'the name of a Pipedrive server, or NULL; else an error';

CREATE FUNCTION ingest_webhook(payload jsonb, mode text DEFAULT 'apply', server name DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
    RETURN pipedrive._ingest(payload, NULL::text, mode, pipedrive._existing_server(server));
END
$$;
COMMENT ON FUNCTION ingest_webhook(jsonb, text, name) IS
    'stores a webhook event and applies it (mode apply), applies the whole record as read with one request (refetch), or only stores it (queue); returns applied, stale, duplicate, deleted, queued, ignored: reason or failed: reason. Bad content is kept as failed and raises no error. server: whose account delivers it, where that is known; before the first sync of a server events are queued';

CREATE FUNCTION _ingest_text(payload text, mode text, server name) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    body jsonb;
BEGIN
    BEGIN
        body := payload::jsonb;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        RETURN pipedrive._ingest(NULL::jsonb, payload, mode, server);
    END;
    RETURN pipedrive._ingest(body, NULL::text, mode, server);
END
$$;
COMMENT ON FUNCTION _ingest_text(text, text, name) IS 'ingest_webhook() for a body that may be anything';

CREATE FUNCTION ingest_webhook(payload text, mode text DEFAULT 'apply', server name DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
BEGIN
    RETURN pipedrive._ingest_text(payload, mode, pipedrive._existing_server(server));
END
$$;
COMMENT ON FUNCTION ingest_webhook(text, text, name) IS 'the same for a body as it came; one that is not JSON, or that jsonb cannot hold, is kept as failed too';

-- ------------------------------------------------------------------------------------------------------------
-- The queue, and events run again
-- ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION _update_set(m _target, olds jsonb[], news jsonb[], at timestamptz[], OUT written bigint, OUT ids bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns jsonb;
    before pipedrive._row[];
BEGIN
    ids := ARRAY(SELECT (o ->> 'id')::bigint FROM unnest(olds) AS o);
    IF m.watched THEN
        before := ARRAY(SELECT b FROM unnest(ids) WITH ORDINALITY AS u (id, n) JOIN pipedrive._rows_as_they_are(m.target, ids) AS b ON b.id = u.id ORDER BY u.n);
    END IF;
    SELECT jsonb_object_agg(k, true) INTO columns FROM (SELECT DISTINCT k FROM unnest(news) AS n, jsonb_object_keys(n) AS k) AS d;
    EXECUTE format('WITH made AS (UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = ''webhook''
                                    FROM unnest($1, $2) AS u (old, news), jsonb_to_record(u.old || u.news) AS n (%3$s) WHERE t.id = n.id RETURNING t.id)
                    SELECT coalesce(array_agg(id), ''{}'') FROM made',
                   m.target, pipedrive._assignments(columns), pipedrive._definitions(m.target, columns || '{"id": true}')) INTO ids USING olds, news;
    IF m.watched THEN
        written := pipedrive._record_written(m.mirror_id, before, at, 'webhook'::text);
    ELSE
        PERFORM pipedrive._keep_history(m, (u.old ->> 'id')::bigint, u.old, u.news, u.at) FROM unnest(olds, news, _update_set.at) AS u (old, news, at);
        written := cardinality(ids);
    END IF;
END
$$;
COMMENT ON FUNCTION _update_set(_target, jsonb[], jsonb[], timestamptz[]) IS 'writes the news of several locked rows, with their history; how many are another then, and which were written';

CREATE FUNCTION _insert_set(m _target, news jsonb[], at timestamptz[], columns jsonb) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written bigint[];
BEGIN
    EXECUTE format('WITH made AS (INSERT INTO %1$s (%2$s, _synced_at, _source) SELECT %3$s, clock_timestamp(), ''webhook''
                                    FROM unnest($1) AS u (r), jsonb_to_record(u.r) AS n (%4$s) ORDER BY n.id ON CONFLICT (id) DO NOTHING RETURNING id)
                    SELECT coalesce(array_agg(id), ''{}'') FROM made',
                   m.target, pipedrive._column_list(m.target), pipedrive._values_of(pipedrive._mirror_columns(m.target), columns), pipedrive._definitions(m.target, columns))
       INTO written USING news;
    PERFORM pipedrive._record_creation(x, written, ARRAY(SELECT u.at FROM unnest(written) AS w (id) JOIN unnest(news, _insert_set.at) AS u (r, at) ON (u.r ->> 'id')::bigint = w.id), 'webhook'::text)
       FROM pipedrive.mirror x WHERE x.mirror_id = m.mirror_id;
    RETURN written;
END
$$;
COMMENT ON FUNCTION _insert_set(_target, jsonb[], timestamptz[], jsonb) IS 'adds rows to a mirror; ids of those that were not there';

-- What _apply_one() does, for events of different records in order of their ids.
CREATE FUNCTION _apply_set(m _target, events _event[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
    ours text[] := pipedrive._mirror_columns(m.target);
    carried jsonb[] := ARRAY(SELECT pipedrive._carried(m, e, ours) FROM unnest(events) AS e);
    columns jsonb := (SELECT jsonb_object_agg(k, true) FROM (SELECT DISTINCT k FROM unnest(carried) AS c, jsonb_object_keys(c) AS k) AS d);
    ids bigint[] := ARRAY(SELECT e.id FROM unnest(events) AS e);
    verdicts text[];
    rows jsonb;
    news jsonb;
    canonical jsonb[];
    changed_olds jsonb[] := '{}';
    changed_news jsonb[] := '{}';
    changed_at timestamptz[] := '{}';
    changed integer[] := '{}';
    updated record;
    made integer[] := '{}';
    made_ids bigint[];
    written bigint := 0;
    e pipedrive._event;
BEGIN
    IF NOT pipedrive._may_write(m.source, m.target) THEN
        RETURN ARRAY(SELECT pipedrive._apply_one(m, u) FROM unnest(events) AS u);
    END IF;
    EXECUTE format('SELECT coalesce(jsonb_object_agg(l.id, l.r), ''{}'') FROM (SELECT t.id, to_jsonb(%s) AS r FROM %s AS t WHERE t.id = ANY ($1) ORDER BY t.id FOR NO KEY UPDATE OF t) AS l',
                   pipedrive._our_row(m, ours), m.target)
       INTO rows USING ids;
    EXECUTE format('SELECT array_agg(to_jsonb(r) ORDER BY u.n) FROM unnest($1) WITH ORDINALITY AS u (c, n), jsonb_to_record(u.c) AS r (%s)', pipedrive._definitions(m.target, columns))
       INTO canonical USING carried;
    FOR i IN 1 .. cardinality(events) LOOP
        e := events[i];
        verdicts[i] := CASE WHEN pipedrive._is_stale(m.mirror_id, e, rows -> ids[i]::text, carried[i]) THEN 'stale'
                            WHEN pipedrive._says_deleted(e, carried[i]) THEN 'deleted' ELSE 'applied' END;
        IF verdicts[i] = 'applied' AND NOT rows ? ids[i]::text THEN
            made := made || i;
        ELSIF verdicts[i] = 'applied' THEN
            news := pipedrive._news(e, rows -> ids[i]::text, canonical[i], carried[i]);
            IF news IS NOT NULL THEN
                changed_olds := changed_olds || (rows -> ids[i]::text);
                changed_news := changed_news || news;
                changed_at := changed_at || coalesce((carried[i] ->> 'update_time')::timestamptz, e.event_time);
                changed := changed || i;
            END IF;
        END IF;
    END LOOP;
    IF changed_news <> '{}' THEN
        SELECT * INTO updated FROM pipedrive._update_set(m, changed_olds, changed_news, changed_at);
        written := updated.written;
        IF cardinality(updated.ids) < cardinality(changed) THEN
            verdicts := ARRAY(SELECT CASE WHEN i = ANY (changed) AND ids[i] <> ALL (updated.ids) THEN pipedrive._kept_out() ELSE verdicts[i] END FROM generate_subscripts(ids, 1) AS i ORDER BY i);
        END IF;
    END IF;
    IF made <> '{}' THEN
        made_ids := pipedrive._insert_set(m, ARRAY(SELECT carried[i] FROM unnest(made) AS i),
                                          ARRAY(SELECT coalesce((carried[i] ->> 'update_time')::timestamptz, (events[i]).event_time) FROM unnest(made) AS i), columns);
        written := written + cardinality(made_ids);
    END IF;
    FOR i IN 1 .. cardinality(events) LOOP
        IF verdicts[i] = 'deleted' OR verdicts[i] = 'applied' AND i = ANY (made) AND ids[i] <> ALL (made_ids) THEN
            verdicts[i] := pipedrive._apply_one(m, events[i]); -- deletions are few, and so are rows that another session made meanwhile
        END IF;
    END LOOP;
    IF m.watched THEN
        PERFORM pipedrive._check_deferred();
    END IF;
    ids := ARRAY(SELECT u.id FROM unnest(events) AS u WHERE u.processed_at IS NULL OR written > 0 UNION ALL SELECT unnest(u.others) FROM unnest(events) AS u WHERE u.processed_at IS NULL);
    IF ids <> '{}' THEN
        PERFORM pipedrive._settle_event(m, ids, written, (SELECT jsonb_object_agg((events[p]).id, carried[p]) FROM generate_subscripts(events, 1) AS p WHERE verdicts[p] = 'applied'), made_ids, ours);
    END IF;
    RETURN verdicts;
END
$$;
COMMENT ON FUNCTION _apply_set(_target, _event[]) IS 'applies events to a mirror in few statements; what became of each';

CREATE FUNCTION _apply_events(events _event[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    outcomes text[] := array_fill(NULL::text, ARRAY[cardinality(events)]);
    positions integer[];
    verdicts text[];
    m pipedrive._target;
BEGIN
    FOR m IN SELECT t.* FROM (SELECT DISTINCT e.source_entity FROM unnest(events) AS e WHERE e.id IS NOT NULL) AS d, pipedrive._targets(d.source_entity) AS t ORDER BY t.mirror_id LOOP
        IF NOT EXISTS (SELECT FROM pipedrive.server_company c WHERE c.server = m.server) THEN -- all of them, before any is judged
            PERFORM pipedrive._note_company(m, e) FROM unnest(events) AS e WHERE e.source_entity = m.entity AND pipedrive._may_be_for(m, e);
        END IF;
        positions := ARRAY(SELECT p FROM generate_subscripts(events, 1) AS p
                            WHERE (events[p]).id IS NOT NULL AND (events[p]).source_entity = m.entity AND pipedrive._is_for(m, events[p]) ORDER BY (events[p]).id);
        CONTINUE WHEN positions = '{}';
        verdicts := pipedrive._apply_set(m, ARRAY(SELECT events[p] FROM unnest(positions) AS p));
        FOR i IN 1 .. cardinality(positions) LOOP
            IF outcomes[positions[i]] IS NULL OR pipedrive._says_more(verdicts[i], outcomes[positions[i]]) THEN
                outcomes[positions[i]] := verdicts[i];
            END IF;
        END LOOP;
    END LOOP;
    RETURN ARRAY(SELECT coalesce(outcomes[p], pipedrive._why_ignored(events[p])) FROM generate_subscripts(events, 1) AS p);
END
$$;
COMMENT ON FUNCTION _apply_events(_event[]) IS 'applies events of different records to all mirrors that they are for; what became of each';

CREATE FUNCTION _note_outcome(inbox_key text, new_outcome text, new_error text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- what was settled before keeps its outcome when it runs again
    UPDATE pipedrive.inbox i SET status = split_part(new_outcome, ':', 1), outcome = new_outcome, error = new_error,
           processed_at = CASE WHEN new_outcome NOT LIKE 'queued%' THEN clock_timestamp() END
     WHERE i.key = inbox_key AND (i.status IN ('queued', 'failed', 'ignored'));
END
$$;
COMMENT ON FUNCTION _note_outcome(text, text, text) IS 'what became of a stored event';

-- One stored event, by itself.
CREATE FUNCTION _run_one(inbox_key text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e pipedrive._event;
    outcome text;
    error text;
    detail text;
    hint text;
    context text;
BEGIN
    BEGIN
        e := pipedrive._stored_event(inbox_key);
        outcome := CASE WHEN e.problem IS NOT NULL THEN 'failed: ' || e.problem ELSE pipedrive._apply_event(e) END;
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS error = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        outcome := CASE WHEN SQLSTATE IN ('55P03', '40P01', '40001') THEN 'queued' ELSE 'failed: ' || pipedrive._reason(SQLSTATE, error) END;
        error := format('%s: %s', SQLSTATE, pipedrive._error_text(SQLSTATE, error, detail, hint, context));
    END;
    IF pipedrive._must_be_read(e, outcome, error) THEN
        PERFORM pipedrive._mark_unapplied(e);
    END IF;
    PERFORM pipedrive._note_outcome(inbox_key, outcome, error);
    RETURN split_part(outcome, ':', 1);
END
$$;
COMMENT ON FUNCTION _run_one(text) IS 'runs one stored event; an error becomes its outcome';

CREATE FUNCTION _stored_event(inbox_key text) RETURNS _event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    i pipedrive.inbox;
    e pipedrive._event;
BEGIN
    SELECT * INTO i FROM pipedrive.inbox x WHERE x.key = inbox_key;
    e := CASE WHEN i.body IS NULL THEN pipedrive._salvage(i.raw) ELSE pipedrive._read_event(i.body) END;
    e.key := i.key;
    e.server := i.server;
    e.processed_at := CASE WHEN i.status IN ('applied', 'deleted', 'stale') THEN i.processed_at END;
    RETURN e;
END
$$;
COMMENT ON FUNCTION _stored_event(text) IS 'an event of the inbox';

CREATE FUNCTION _last_of_each(keys text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT ON (i.entity, i.entity_id, i.company_id, i.server) i.key
                   FROM pipedrive.inbox i WHERE i.key = ANY (keys)
                  ORDER BY i.entity, i.entity_id, i.company_id, i.server, i.event_time DESC, i.seq DESC);
END
$$;
COMMENT ON FUNCTION _last_of_each(text[]) IS 'of several stored events about one record the last, as far as they came by one door';

CREATE FUNCTION _rounds(keys text[]) RETURNS SETOF text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(o.key)
      FROM (SELECT i.key, row_number() OVER (PARTITION BY i.entity, i.entity_id ORDER BY i.event_time, i.seq) AS n
              FROM pipedrive.inbox i WHERE i.key = ANY (keys)) AS o
     GROUP BY o.n ORDER BY o.n
$$;
COMMENT ON FUNCTION _rounds(text[]) IS
    'stored events in sets of different records, in the order to run them in: about one record several may have come by different doors';

CREATE FUNCTION _run_group(keys text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_keys text[] := pipedrive._last_of_each(keys);
    results text[] := '{}';
    set_keys text[];
BEGIN
    FOR set_keys IN SELECT r FROM pipedrive._rounds(last_keys) AS r LOOP
        results := results || pipedrive._run_set(set_keys);
    END LOOP;
    PERFORM pipedrive._settle_event(t, e.others, 0) -- what earlier ones merged
       FROM pipedrive.inbox i, pipedrive._stored_event(i.key) AS e, pipedrive._targets(e.source_entity) AS t
      WHERE i.key = ANY (keys) AND i.key <> ALL (last_keys) AND i.status = 'queued'
        AND (i.action = 'merged' OR i.body -> 'meta' ?| '{merged_to_id,merged_from_id}') ORDER BY t.mirror_id;
    UPDATE pipedrive.inbox i SET status = 'stale', outcome = 'stale: followed by a later event', error = NULL, processed_at = clock_timestamp()
     WHERE i.key = ANY (keys) AND i.key <> ALL (last_keys) AND i.status IN ('queued', 'ignored');
    RETURN results || array_fill('stale'::text, ARRAY[cardinality(keys) - cardinality(last_keys)]);
EXCEPTION WHEN assert_failure OR OTHERS THEN -- one of them is bad, or waits for somebody: each by itself
    RETURN ARRAY(SELECT pipedrive._run_one(o.key) FROM (SELECT x.key FROM pipedrive.inbox x WHERE x.key = ANY (keys) ORDER BY x.event_time, x.seq) AS o);
END
$$;
COMMENT ON FUNCTION _run_group(text[]) IS 'runs stored events in few statements: of several about one record the last counts';

CREATE FUNCTION _run_batch(keys text[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
    bad text[] := ARRAY(SELECT i.key FROM pipedrive.inbox i WHERE i.key = ANY (keys) AND (i.status = 'failed' OR i.entity IS NULL) ORDER BY i.event_time, i.seq);
    settled text[] := ARRAY(SELECT i.key FROM pipedrive.inbox i WHERE i.key = ANY (keys) AND i.status IN ('applied', 'deleted', 'stale'));
    fresh text[] := ARRAY(SELECT k FROM unnest(keys) AS k WHERE k <> ALL (bad) AND k <> ALL (settled));
    results text[] := '{}';
BEGIN
    IF settled <> '{}' THEN
        results := results || pipedrive._run_group(settled);
    END IF;
    IF fresh <> '{}' THEN
        results := results || pipedrive._run_group(fresh);
    END IF;
    results := results || ARRAY(SELECT pipedrive._run_one(k) FROM unnest(bad) AS k);
    RETURN (SELECT jsonb_object_agg(r, n) FROM (SELECT r, count(*) AS n FROM unnest(results) AS r GROUP BY r) AS c);
END
$$;
COMMENT ON FUNCTION _run_batch(text[]) IS 'runs stored events; how many became what';

CREATE FUNCTION _run_set(keys text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    events pipedrive._event[] := ARRAY(SELECT pipedrive._stored_event(k) FROM unnest(keys) AS k);
    good pipedrive._event[] := ARRAY(SELECT e FROM unnest(events) AS e WHERE e.problem IS NULL);
    outcomes text[] := '{}';
BEGIN
    IF good <> '{}' THEN
        outcomes := pipedrive._apply_events(good);
        PERFORM pipedrive._mark_unapplied(good[p]) FROM generate_subscripts(good, 1) AS p WHERE pipedrive._must_be_read(good[p], outcomes[p], NULL::text);
        UPDATE pipedrive.inbox i SET status = split_part(o.outcome, ':', 1), outcome = o.outcome, error = NULL,
               processed_at = CASE WHEN o.outcome NOT LIKE 'queued%' THEN clock_timestamp() END
          FROM (SELECT (good[p]).key, outcomes[p] AS outcome FROM generate_subscripts(good, 1) AS p) AS o
         WHERE i.key = o.key AND i.status IN ('queued', 'failed', 'ignored');
    END IF;
    RETURN ARRAY(SELECT split_part(o, ':', 1) FROM unnest(outcomes) AS o)
           || ARRAY(SELECT pipedrive._run_one(k) FROM unnest(keys) AS k WHERE k <> ALL (ARRAY(SELECT e.key FROM unnest(good) AS e)));
END
$$;
COMMENT ON FUNCTION _run_set(text[]) IS 'runs stored events of different records; what became of each';

CREATE PROCEDURE apply_inbox(max_events integer DEFAULT NULL, batch_size integer DEFAULT 500)
LANGUAGE plpgsql AS $$
DECLARE
    keys pg_catalog.text[];
    after_seq bigint := 0;
    n bigint := 0;
BEGIN
    LOOP
        SELECT pg_catalog.array_agg(q.key), pg_catalog.max(q.seq) INTO keys, after_seq
          FROM (SELECT i.key, i.seq FROM pipedrive.inbox i WHERE i.status OPERATOR(pg_catalog.=) 'queued' AND i.seq OPERATOR(pg_catalog.>) after_seq
                 ORDER BY i.seq LIMIT LEAST(batch_size::bigint, max_events OPERATOR(pg_catalog.-) n) FOR UPDATE SKIP LOCKED) AS q;
        EXIT WHEN keys IS NULL;
        PERFORM pipedrive._run_batch(keys);
        n := n OPERATOR(pg_catalog.+) pg_catalog.cardinality(keys);
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE apply_inbox(integer, integer) IS
    'applies queued events in order of arrival, a batch and a commit at a time; several sessions may do so at once';

CREATE FUNCTION _may_apply_inbox() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT has_function_privilege('pipedrive.apply_inbox(integer, integer)', 'EXECUTE')
       AND has_table_privilege('pipedrive.inbox', 'SELECT')
       AND has_table_privilege('pipedrive.inbox', 'UPDATE')
$$;
COMMENT ON FUNCTION _may_apply_inbox() IS 'whether the current user may apply queued events';

CREATE FUNCTION replay(from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL, only_failed boolean DEFAULT true, max_events integer DEFAULT NULL)
RETURNS TABLE (status text, events bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    batch record;
    totals jsonb[] := '{}';
BEGIN
    FOR batch IN
        SELECT array_agg(q.key) AS keys
          FROM (SELECT i.key, (row_number() OVER (ORDER BY i.event_time, i.seq) - 1) / 500 AS part
                  FROM pipedrive.inbox i
                 WHERE (from_time IS NULL OR i.received_at >= from_time) AND (to_time IS NULL OR i.received_at < to_time)
                   AND (NOT only_failed OR i.status IN ('failed', 'ignored', 'queued'))
                 ORDER BY i.event_time, i.seq LIMIT max_events) AS q
         GROUP BY q.part ORDER BY q.part LOOP
        PERFORM FROM pipedrive.inbox i WHERE i.key = ANY (batch.keys) ORDER BY i.seq FOR UPDATE;
        totals := totals || pipedrive._run_batch(batch.keys);
    END LOOP;
    RETURN QUERY SELECT r.key, sum(r.value::bigint)::bigint FROM unnest(totals) AS t, jsonb_each_text(t) AS r GROUP BY r.key ORDER BY r.key;
END
$$;
COMMENT ON FUNCTION replay(timestamptz, timestamptz, boolean, integer) IS
    'runs stored events received in a time range again: those that failed, were ignored or wait, or with only_failed => false all; what the mirrors have already stays as it is';

CREATE FUNCTION _purge_settled() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz := pipedrive._retention_cutoff('inbox_retention'::text, '7 days'::text);
    n bigint;
BEGIN
    DELETE FROM pipedrive.inbox i WHERE i.received_at < cutoff AND i.status <> 'queued';
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION _purge_settled() IS 'deletes events older than setting inbox_retention that do not wait; their number';

-- What nobody applied for so long is read by the next sync instead.
CREATE FUNCTION _purge_queued() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cutoff timestamptz := pipedrive._retention_cutoff('queue_retention'::text, '30 days'::text);
    keys text[] := ARRAY(SELECT i.key FROM pipedrive.inbox i WHERE i.received_at < cutoff AND i.status = 'queued' ORDER BY i.seq FOR UPDATE SKIP LOCKED);
BEGIN
    keys := ARRAY(SELECT k FROM unnest(keys) AS k WHERE pipedrive._mark_unapplied(pipedrive._stored_event(k)));
    DELETE FROM pipedrive.inbox i WHERE i.key = ANY (keys);
    RETURN cardinality(keys);
END
$$;
COMMENT ON FUNCTION _purge_queued() IS 'deletes events that have waited for longer than setting queue_retention, and marks their records; their number';

CREATE FUNCTION purge_inbox() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pipedrive._purge_settled() + pipedrive._purge_queued();
END
$$;
COMMENT ON FUNCTION purge_inbox() IS
    'deletes events older than setting inbox_retention (7 days), and those that wait to be applied for longer than queue_retention (30 days): the next sync reads their records; returns their number';

CREATE VIEW inbox_summary AS
SELECT entity, action, status, outcome, count(*) AS events, sum(attempt - 1) AS repeated, min(received_at) AS first_received, max(received_at) AS last_received,
       avg(processed_at - received_at) FILTER (WHERE processed_at >= received_at) AS mean_delay
  FROM inbox GROUP BY entity, action, status, outcome ORDER BY max(received_at) DESC;
COMMENT ON VIEW inbox_summary IS 'events in the inbox by what became of them, without their bodies';
REVOKE ALL ON inbox_summary FROM PUBLIC;

-- ------------------------------------------------------------------------------------------------------------
-- The door: HTTP Basic credentials, checked here because the API that PostgREST is leaves them to the function
-- ------------------------------------------------------------------------------------------------------------

CREATE TABLE webhook_login (
    user_name text PRIMARY KEY,
    server name NOT NULL,
    salt bytea NOT NULL,
    hash bytea NOT NULL,
    rounds integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE webhook_login IS 'credentials that webhooks are delivered with; of the password only a salted hash';
REVOKE ALL ON webhook_login FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('webhook_login', '');

CREATE FUNCTION _password_hash(password text, salt bytea, rounds integer) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    h bytea := sha256(salt || convert_to(password, 'UTF8'));
BEGIN
    FOR i IN 2 .. rounds LOOP
        h := sha256(h || salt);
    END LOOP;
    RETURN h;
END
$$;
COMMENT ON FUNCTION _password_hash(text, bytea, integer) IS 'iterated, salted SHA-256; passwords are 244 random bits, so few rounds do';

CREATE FUNCTION _same_bytes(a bytea, b bytea) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    difference integer := 0;
BEGIN
    FOR i IN 0 .. 31 LOOP -- all of them, whatever is found
        difference := difference | (get_byte(a, i) # get_byte(b, i));
    END LOOP;
    RETURN difference = 0;
END
$$;
COMMENT ON FUNCTION _same_bytes(bytea, bytea) IS 'compares two hashes in a time that tells nothing of them';

CREATE FUNCTION create_webhook_login(server name) RETURNS TABLE (user_name text, password text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_salt bytea := uuid_send(gen_random_uuid());
BEGIN
    PERFORM pipedrive._existing_server(create_webhook_login.server);
    user_name := 'pipedrive_' || left(replace(gen_random_uuid()::text, '-', ''), 12);
    password := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    INSERT INTO pipedrive.webhook_login (user_name, server, salt, hash, rounds)
    VALUES (user_name, create_webhook_login.server, new_salt, pipedrive._password_hash(password, new_salt, 64), 64);
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION create_webhook_login(name) IS 'a user name and a random password for the webhooks of a server; the password is shown this once';

CREATE FUNCTION drop_webhook_login(user_name text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive.webhook_login l WHERE l.user_name = drop_webhook_login.user_name;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION drop_webhook_login(text) IS 'ends a login: what is delivered with it is refused';

CREATE FUNCTION _login_server(headers text) RETURNS name
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on AS $$
DECLARE
    given text;
    colon integer;
    l pipedrive.webhook_login;
    hash bytea;
BEGIN
    BEGIN
        given := headers::json ->> 'authorization';
        given := convert_from(decode(substring(given FROM '^[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/=]+)$'), 'base64'), 'UTF8');
        colon := strpos(given, ':');
    EXCEPTION WHEN assert_failure OR OTHERS THEN
        RETURN NULL;
    END;
    IF coalesce(colon, 0) = 0 OR length(given) > 300 THEN
        RETURN NULL;
    END IF;
    SELECT * INTO l FROM pipedrive.webhook_login x WHERE x.user_name = left(given, colon - 1);
    -- an unknown name takes as long as a wrong password
    hash := pipedrive._password_hash(substr(given, colon + 1), coalesce(l.salt, '\x00'), coalesce(l.rounds, 64));
    RETURN CASE WHEN pipedrive._same_bytes(hash, coalesce(l.hash, sha256('\x00'))) THEN l.server END;
END
$$;
COMMENT ON FUNCTION _login_server(text) IS 'server whose login the headers of a request carry, NULL for none';

CREATE FUNCTION webhook(json) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    server name := pipedrive._login_server(current_setting('request.headers', true));
BEGIN
    IF server IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PT401', MESSAGE = 'webhook credentials are missing or wrong';
    END IF;
    RETURN json_build_object('outcome', pipedrive._ingest_text($1::text, pipedrive._setting('webhook_mode'::text, 'apply'::text), server));
END
$$;
COMMENT ON FUNCTION webhook(json) IS
    'takes a webhook from PostgREST: checks the HTTP Basic credentials of the request, then does as ingest_webhook() (setting webhook_mode: apply, queue or refetch); for a role that may do nothing else';
REVOKE ALL ON FUNCTION webhook(json) FROM PUBLIC;

-- ------------------------------------------------------------------------------------------------------------
-- Subscriptions
-- ------------------------------------------------------------------------------------------------------------

CREATE TABLE webhook_subscription (
    server name NOT NULL,
    webhook_id bigint NOT NULL,
    object text NOT NULL,
    url text NOT NULL,
    user_name text,
    user_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server, webhook_id)
);
COMMENT ON TABLE webhook_subscription IS 'webhooks that register_webhook() created, or found already there';
COMMENT ON COLUMN webhook_subscription.user_name IS 'login that it delivers with; NULL for one that was found';
COMMENT ON COLUMN webhook_subscription.user_id IS 'whose visibility was asked for; NULL: that of the token''s user';
REVOKE ALL ON webhook_subscription FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('webhook_subscription', '');

CREATE FUNCTION _wanted_objects(server name) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT o.object FROM pipedrive.webhook_object o
                  WHERE EXISTS (SELECT FROM pipedrive._targets(o.entity) AS t WHERE t.server = _wanted_objects.server) ORDER BY o.object);
END
$$;
COMMENT ON FUNCTION _wanted_objects(name) IS 'objects whose events the mirrors of a server need';

CREATE FUNCTION _subscribe(server name, url text, object text, user_id bigint, login_name text, password text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made jsonb;
    made_id bigint;
BEGIN
    made := pipedrive._request(server, 'POST'::text, '/v1/webhooks'::text, jsonb_strip_nulls(jsonb_build_object(
        'subscription_url', url, 'event_action', '*', 'event_object', object, 'name', 'pipedrive_fdw ' || object, 'version', '2.0',
        'user_id', user_id, 'http_auth_user', login_name, 'http_auth_password', password))) -> 'data';
    made_id := pipedrive._as_bigint(made -> 'id');
    IF made_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_unable_to_create_reply', MESSAGE = 'invalid reply from Pipedrive for "webhooks"', DETAIL = 'The answer to creating a webhook names no id.';
    END IF;
    INSERT INTO pipedrive.webhook_subscription (server, webhook_id, object, url, user_name, user_id)
    VALUES (_subscribe.server, made_id, _subscribe.object, _subscribe.url, login_name, _subscribe.user_id);
    IF made ->> 'company_id' IS NOT NULL THEN
        INSERT INTO pipedrive.server_company VALUES (_subscribe.server, made ->> 'company_id')
        ON CONFLICT ON CONSTRAINT server_company_pkey DO NOTHING; -- a sync finds out whether it has changed
    END IF;
    RETURN made_id;
END
$$;
COMMENT ON FUNCTION _subscribe(name, text, text, bigint, text, text) IS 'creates one webhook (10 tokens)';

-- An account may list an address in another spelling than it was given.
CREATE FUNCTION _address(url text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
    SELECT regexp_replace(lower(p.part[1]), ':443$', '') || coalesce(nullif(p.part[2], ''), '/')
      FROM regexp_match(url, '^([^/]*//[^/?#]*)(.*)$') AS p (part)
$$;
COMMENT ON FUNCTION _address(text) IS 'a URL in the one spelling in which it is compared';

CREATE TYPE _found_webhook AS (
    webhook_id bigint,
    object text,
    user_id bigint,
    has_login boolean
);
COMMENT ON TYPE _found_webhook IS 'a webhook that is there; user_id: as asked for, where that is known; has_login: with one of our logins';

CREATE FUNCTION _found_webhooks(server name, url text) RETURNS SETOF _found_webhook
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT l.webhook_id, l.object, CASE WHEN s.webhook_id IS NULL THEN l.user_id ELSE s.user_id END,
           EXISTS (SELECT FROM pipedrive.webhook_login k
                    WHERE k.user_name = s.user_name AND k.server = _found_webhooks.server)
      FROM pipedrive._listed_webhooks(_found_webhooks.server) AS l
      LEFT JOIN pipedrive.webhook_subscription s
             ON s.server = _found_webhooks.server AND s.webhook_id = l.webhook_id
     WHERE pipedrive._address(_found_webhooks.url)
               IN (pipedrive._address(l.url), pipedrive._address(s.url)) AND l.action = '*' AND l.version LIKE '2%'
       AND l.remove_reason IS NULL;
END
$$;
COMMENT ON FUNCTION _found_webhooks(name, text) IS
    'webhooks of the account that register_webhook() would create for an address (one request)';

CREATE FUNCTION _adopt(server name, url text, object text, user_id bigint, there _found_webhook[])
RETURNS _found_webhook
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w pipedrive._found_webhook;
BEGIN
    -- of one that another database made it is only known whose it is, not whether that was asked for
    SELECT f.* INTO w FROM unnest(there) AS f
      LEFT JOIN pipedrive.webhook_subscription s
             ON s.server = _adopt.server AND s.webhook_id = f.webhook_id
     WHERE f.object = _adopt.object
       AND CASE WHEN s.webhook_id IS NULL THEN _adopt.user_id IS NULL OR f.user_id = _adopt.user_id
                ELSE f.user_id IS NOT DISTINCT FROM _adopt.user_id END
     ORDER BY f.has_login DESC, f.webhook_id LIMIT 1;
    INSERT INTO pipedrive.webhook_subscription (server, webhook_id, object, url, user_id)
    SELECT _adopt.server, w.webhook_id, _adopt.object, _adopt.url, _adopt.user_id
     WHERE w.webhook_id IS NOT NULL
        ON CONFLICT ON CONSTRAINT webhook_subscription_pkey DO NOTHING;
    RETURN w;
END
$$;
COMMENT ON FUNCTION _adopt(name, text, text, bigint, _found_webhook[]) IS
    'the webhook that is there already, kept as ours; NULL for none';

CREATE FUNCTION register_webhook(server name, url text, objects text[] DEFAULT NULL, user_id bigint DEFAULT NULL)
RETURNS TABLE (object text, webhook_id bigint, problem text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    login_name text;
    password text;
    kept boolean := false; -- whether some webhook has the login
    detail text;
    hint text;
    context text;
    there pipedrive._found_webhook[];
    w pipedrive._found_webhook;
BEGIN
    IF url !~ '^https://' IS NOT FALSE THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'webhooks need an https URL', DETAIL = 'Pipedrive delivers to public https addresses with a valid certificate, and follows no redirects.';
    END IF;
    -- two sessions would both find nothing
    PERFORM pg_advisory_xact_lock('pipedrive.webhook_subscription'::regclass::oid::integer, hashtext(server));
    there := ARRAY(SELECT f FROM pipedrive._found_webhooks(server, url) AS f);
    FOR object IN SELECT o FROM unnest(coalesce(objects, pipedrive._wanted_objects(server))) WITH ORDINALITY AS u (o, n) WHERE o IS NOT NULL GROUP BY o ORDER BY min(n) LOOP
        w := pipedrive._adopt(server, url, object, register_webhook.user_id, there);
        webhook_id := w.webhook_id;
        problem := CASE WHEN NOT w.has_login THEN 'it was there before, with credentials that this database does not know: where its deliveries fail, unregister_webhook() and register again' END;
        IF webhook_id IS NULL THEN
            BEGIN
                IF login_name IS NULL THEN
                    SELECT l.user_name, l.password INTO login_name, password FROM pipedrive.create_webhook_login(server) AS l;
                END IF;
                webhook_id := pipedrive._subscribe(server, url, object, register_webhook.user_id, login_name, password);
                kept := true;
            EXCEPTION WHEN assert_failure OR OTHERS THEN -- those created before stay known; a login that nobody has does not stay
                GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
                problem := pipedrive._error_text(SQLSTATE, problem, detail, hint, context);
                login_name := CASE WHEN kept THEN login_name END;
            END;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION register_webhook(name, text, text[], bigint) IS
    'creates webhooks (version 2, all actions) for the mirrored objects of a server, or those named, with a login of their own; 10 tokens each, and 10 to see which are there already: those are returned as they are. user_id: whose visibility applies';

CREATE FUNCTION unregister_webhook(server name, webhook_ids bigint[] DEFAULT NULL) RETURNS TABLE (object text, webhook_id bigint, problem text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    s record;
    detail text;
    hint text;
    context text;
BEGIN
    FOR s IN
        WITH listed AS MATERIALIZED (SELECT * FROM pipedrive._listed_webhooks(unregister_webhook.server)),
        ours AS (SELECT x.* FROM pipedrive.webhook_subscription x WHERE x.server = unregister_webhook.server)
        SELECT coalesce(o.object, l.object) AS object, coalesce(o.webhook_id, l.webhook_id, a.id) AS webhook_id, l.webhook_id IS NOT NULL AS is_listed,
               o.webhook_id IS NOT NULL OR pipedrive._address(l.url) IN (SELECT pipedrive._address(x.url) FROM ours x) IS TRUE AS may_go -- others send elsewhere
          FROM ours o FULL JOIN listed l ON l.webhook_id = o.webhook_id FULL JOIN unnest(webhook_ids) AS a (id) ON a.id = coalesce(o.webhook_id, l.webhook_id)
         WHERE CASE WHEN webhook_ids IS NULL THEN o.webhook_id ELSE a.id END IS NOT NULL ORDER BY 1, 2 LOOP
        object := s.object;
        webhook_id := s.webhook_id;
        problem := CASE WHEN NOT s.may_go THEN 'it delivers to no address of ours' END;
        BEGIN
            IF s.is_listed AND s.may_go THEN
                PERFORM pipedrive._request(unregister_webhook.server, 'DELETE'::text, '/v1/webhooks/' || s.webhook_id);
            END IF;
            DELETE FROM pipedrive.webhook_subscription x WHERE x.server = unregister_webhook.server AND x.webhook_id = s.webhook_id;
        EXCEPTION WHEN assert_failure OR OTHERS THEN
            GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
            problem := pipedrive._error_text(SQLSTATE, problem, detail, hint, context);
        END;
        RETURN NEXT;
    END LOOP;
    DELETE FROM pipedrive.webhook_login l WHERE l.server = unregister_webhook.server
       AND NOT EXISTS (SELECT FROM pipedrive.webhook_subscription x WHERE x.server = l.server);
END
$$;
COMMENT ON FUNCTION unregister_webhook(name, bigint[]) IS 'deletes the webhooks that register_webhook() created or found for a server, or those with the given ids only; with the last one the server''s logins';

CREATE FUNCTION _listed_webhooks(server name)
RETURNS TABLE (webhook_id bigint, object text, action text, url text, user_id bigint, is_active boolean, version text, last_delivery timestamptz, last_status integer, status_word text,
               remove_reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    listed jsonb := pipedrive._request(server, 'GET'::text, '/v1/webhooks'::text) -> 'data';
BEGIN
    IF jsonb_typeof(listed) NOT IN ('array', 'null') OR listed @? 'strict $[*] ? (@.type() != "object")' THEN
        RAISE EXCEPTION USING ERRCODE = 'fdw_unable_to_create_reply', MESSAGE = 'invalid reply from Pipedrive for "webhooks"', DETAIL = 'The webhooks of the account are not a list.';
    END IF;
    RETURN QUERY
    SELECT pipedrive._as_bigint(w -> 'id'), w ->> 'event_object', w ->> 'event_action', w ->> 'subscription_url', pipedrive._as_bigint(w -> 'user_id'), pipedrive._as_boolean(w -> 'is_active'),
           w ->> 'version', pipedrive._as_time(w -> 'last_delivery_time'), CASE WHEN s.status BETWEEN 100 AND 599 THEN s.status::integer END,
           CASE WHEN s.status BETWEEN 100 AND 599 THEN NULL ELSE nullif(left(w ->> 'last_http_status', 40), '') END,
           CASE WHEN w ->> 'remove_reason' NOT IN ('', 'false', '0') THEN w ->> 'remove_reason' END
      FROM jsonb_array_elements(coalesce(nullif(listed, 'null'), '[]')) AS w, LATERAL (SELECT pipedrive._as_bigint(w -> 'last_http_status')) AS s (status)
     WHERE pipedrive._as_bigint(w -> 'id') IS NOT NULL;
END
$$;
COMMENT ON FUNCTION _listed_webhooks(name) IS 'webhooks of the account as the API lists them; status_word: what stands for a status that is no number';

CREATE FUNCTION _health_advice(state text, server name, webhook_id bigint, status_word text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE state
           WHEN 'missing' THEN 'No webhook sends these events: register_webhook() or repair_webhooks().'
           WHEN 'removed' THEN 'Pipedrive deleted it (no successful delivery on three days): repair_webhooks().'
           WHEN 'banned' THEN 'Ten deliveries failed; events of the ban are lost, the next sync makes up for them.'
           WHEN 'duplicate' THEN
                format('Another one sends the same events to the same address; '
                       'SELECT * FROM pipedrive.unregister_webhook(%L, %L) removes this one.',
                       server, ARRAY[webhook_id])
           WHEN 'failing' THEN
                CASE WHEN status_word IS NULL
                     THEN 'The last delivery was refused: check the address and the login.'
                     ELSE format('The last delivery got no answer in time (%s): check the address.',
                                 to_json(status_word)) END
           WHEN 'waiting' THEN 'Nothing was delivered yet.' END
$$;
COMMENT ON FUNCTION _health_advice(text, name, bigint, text) IS 'what a state of webhook_health() means';

CREATE FUNCTION webhook_health(server name)
RETURNS TABLE (object text, webhook_id bigint, url text, state text, last_delivery timestamptz, last_status integer, last_received timestamptz, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH listed AS MATERIALIZED (
        SELECT l.*, s.webhook_id IS NOT NULL AS is_ours,
               -- of several that send the same to the same address one is kept: ours, with a login, that works
               l.remove_reason IS NULL AND row_number() OVER (PARTITION BY l.url, l.object, l.action, l.version, l.user_id, l.remove_reason IS NULL
                   ORDER BY s.webhook_id IS NULL, s.user_name IS NULL, l.is_active IS FALSE, l.webhook_id) > 1 AS is_double
          FROM pipedrive._listed_webhooks(webhook_health.server) AS l
          LEFT JOIN pipedrive.webhook_subscription s ON s.server = webhook_health.server AND s.webhook_id = l.webhook_id),
    -- one row a subscription that is ours or doubles one, one a mirrored object that has none
    ours AS (SELECT s.object, s.webhook_id, s.url FROM pipedrive.webhook_subscription s WHERE s.server = webhook_health.server
              UNION ALL SELECT l.object, l.webhook_id, l.url FROM listed l
                         WHERE NOT l.is_ours AND l.is_double AND pipedrive._address(l.url) IN (SELECT pipedrive._address(s.url) FROM pipedrive.webhook_subscription s WHERE s.server = webhook_health.server)
              UNION ALL SELECT o, NULL, NULL FROM unnest(pipedrive._wanted_objects(webhook_health.server)) AS o
                         WHERE NOT EXISTS (SELECT FROM pipedrive.webhook_subscription s WHERE s.server = webhook_health.server AND s.object = o)
                           AND NOT EXISTS (SELECT FROM listed l WHERE l.object IN (o, '*') AND l.action = '*' AND l.is_active IS NOT FALSE)),
    judged AS (SELECT ours.*, l.last_delivery, l.last_status, l.status_word,
                      CASE WHEN ours.webhook_id IS NULL THEN 'missing'
                           WHEN l.webhook_id IS NULL OR l.remove_reason IS NOT NULL THEN 'removed'
                           WHEN l.is_double THEN 'duplicate'
                           WHEN NOT l.is_active THEN 'banned'
                           WHEN l.last_status NOT BETWEEN 200 AND 299 OR l.status_word IS NOT NULL THEN 'failing'
                           WHEN l.last_delivery IS NULL THEN 'waiting' ELSE 'ok' END AS state
                 FROM ours LEFT JOIN listed l USING (webhook_id))
    SELECT j.object, j.webhook_id, j.url, j.state, j.last_delivery, j.last_status,
           (SELECT max(i.received_at) FROM pipedrive.inbox i WHERE i.entity = j.object AND (i.server = webhook_health.server OR i.server IS NULL)),
           pipedrive._health_advice(j.state, webhook_health.server, j.webhook_id, j.status_word)
      FROM judged AS j
     UNION ALL
    SELECT NULL, NULL, NULL, CASE WHEN count(*) >= 40 THEN 'full' ELSE 'ok' END, max(l.last_delivery), NULL, NULL, format('%s of 40 webhooks are in use.', count(*)) FROM listed l
     ORDER BY 1 NULLS LAST, 2;
END
$$;
COMMENT ON FUNCTION webhook_health(name) IS 'whether the webhooks of a server work: waiting, ok, failing, banned, removed, missing or duplicate; one request';

CREATE PROCEDURE repair_webhooks(server name, url text DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    usual text := (SELECT s.url FROM pipedrive.webhook_subscription s WHERE s.server = repair_webhooks.server ORDER BY s.created_at DESC, s.webhook_id DESC LIMIT 1);
    broken jsonb;
    removed bigint[];
    failed text;
BEGIN
    -- each at the address and with the visibility that it had
    SELECT jsonb_agg(jsonb_build_object('object', h.object, 'url', coalesce(repair_webhooks.url, h.url, usual), 'user_id', s.user_id)), array_agg(h.webhook_id) INTO broken, removed
      FROM pipedrive.webhook_health(repair_webhooks.server) AS h
      LEFT JOIN pipedrive.webhook_subscription s ON s.server = repair_webhooks.server AND s.webhook_id = h.webhook_id WHERE h.state IN ('missing', 'removed');
    IF broken IS NULL THEN
        RETURN;
    ELSIF broken @> '[{"url": null}]' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('no webhook was registered for server "%s"', server), HINT = 'Give the URL to deliver to.';
    END IF;
    -- what is listed still, though removed, counts towards the limit
    PERFORM pipedrive._request(repair_webhooks.server, 'DELETE'::text, '/v1/webhooks/' || l.webhook_id)
       FROM pipedrive._listed_webhooks(repair_webhooks.server) AS l WHERE l.remove_reason IS NOT NULL AND l.webhook_id = ANY (removed);
    DELETE FROM pipedrive.webhook_subscription s WHERE s.server = repair_webhooks.server AND s.webhook_id = ANY (removed);
    SELECT string_agg(format('%s: %s', r.object, r.problem), '; ') INTO failed
      FROM (SELECT b.url, b.user_id, array_agg(DISTINCT b.object) AS objects FROM jsonb_to_recordset(broken) AS b (object text, url text, user_id bigint) GROUP BY b.url, b.user_id) AS g,
           LATERAL pipedrive.register_webhook(repair_webhooks.server, g.url, g.objects, g.user_id) AS r WHERE r.problem IS NOT NULL;
    IF failed IS NOT NULL THEN
        RAISE WARNING USING MESSAGE = 'could not create all webhooks', DETAIL = failed;
    END IF;
END
$$;
COMMENT ON PROCEDURE repair_webhooks(name, text) IS 'creates webhooks anew that Pipedrive removed or that are missing, at the address that they had or that the others have, unless told otherwise';

-- What writes mirrors, reads bodies or makes credentials is for the owner, until granted.
REVOKE ALL ON FUNCTION ingest_webhook(jsonb, text, name), ingest_webhook(text, text, name), replay(timestamptz, timestamptz, boolean, integer), purge_inbox(),
    create_webhook_login(name), drop_webhook_login(text), register_webhook(name, text, text[], bigint), unregister_webhook(name, bigint[]), webhook_health(name) FROM PUBLIC;
REVOKE ALL ON PROCEDURE apply_inbox(integer, integer), repair_webhooks(name, text) FROM PUBLIC;
