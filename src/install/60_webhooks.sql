-- Webhooks: events are stored in the inbox and applied to the mirrors of their entity. An event brings a change early;
-- what it cannot say for sure is marked in table refetch, so that the next sync settles it, whatever arrived when.

CREATE TABLE settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
COMMENT ON TABLE settings IS 'settings of mirrors and webhooks: a row overrides a default; inbox_retention (interval, 7 days): how long stored events are kept';
SELECT pg_catalog.pg_extension_config_dump('settings', '');

CREATE FUNCTION _setting(setting text, fallback text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT s.value FROM pipedrive.settings s WHERE s.name = setting), fallback)
$$;
COMMENT ON FUNCTION _setting(text, text) IS 'value of a setting, or its default';

CREATE TABLE inbox (
    key text PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
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
COMMENT ON COLUMN inbox.error IS 'SQLSTATE and message of a failure, without values of the event';
COMMENT ON COLUMN inbox.raw IS 'a body that is not valid JSON';
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

CREATE TABLE webhook_object (
    object text PRIMARY KEY,
    entity text,
    path text
);
COMMENT ON TABLE webhook_object IS 'objects that Pipedrive sends events for; entity and path where they can be mirrored';
INSERT INTO webhook_object VALUES
    ('deal', 'deals', '/api/v2/deals'), ('person', 'persons', '/api/v2/persons'), ('organization', 'organizations', '/api/v2/organizations'),
    ('activity', 'activities', '/api/v2/activities'), ('pipeline', 'pipelines', '/api/v2/pipelines'), ('stage', 'stages', '/api/v2/stages'),
    ('user', 'users', '/v1/users'), ('lead', NULL, NULL), ('note', NULL, NULL), ('product', NULL, NULL), ('deal_product', NULL, NULL),
    ('deal_installment', NULL, NULL), ('project', NULL, NULL), ('task', NULL, NULL), ('board', NULL, NULL), ('phase', NULL, NULL);

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
COMMENT ON TABLE webhook_field IS 'where records of events differ from those of lists: rename; not: inverted; one: a single label; list: "1,2"; address: in flat parts; drop: says something else';
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
    ('user', 'access', 'drop null', NULL), ('user', 'is_you', 'drop', NULL);

CREATE TABLE server_company (
    server name PRIMARY KEY,
    company_id text NOT NULL
);
COMMENT ON TABLE server_company IS 'the company account behind a server, once known: events of other companies are not applied to its mirrors';
SELECT pg_catalog.pg_extension_config_dump('server_company', '');

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
    one_label boolean, -- the record names one label of perhaps several
    others bigint[],   -- other records that a merge touched
    problem text
);
COMMENT ON TYPE _event IS 'a webhook event, whatever its version';

CREATE FUNCTION _event_time(value jsonb) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t text := value #>> '{}';
BEGIN
    IF t ~ '^[0-9]{9,17}(\.[0-9]+)?$' THEN -- seconds, milliseconds or microseconds since 1970
        RETURN to_timestamp(t::numeric / CASE WHEN t::numeric < 1e11 THEN 1 WHEN t::numeric < 1e14 THEN 1000 ELSE 1000000 END);
    ELSIF t ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}Z?$' THEN -- UTC, said or not
        RETURN t::timestamp AT TIME ZONE 'UTC';
    END IF;
    RETURN t::timestamptz;
END
$$;
COMMENT ON FUNCTION _event_time(jsonb) IS 'time of an event: ISO, or a number of seconds since 1970';

CREATE FUNCTION _reshape(object text, version text, record jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT record - coalesce(array_agg(f.key) FILTER (WHERE f.rule LIKE 'drop%'), '{}')
           || coalesce(jsonb_object_agg(f.field, CASE f.rule
                WHEN 'rename' THEN record -> f.key
                WHEN 'not' THEN to_jsonb(NOT (record ->> f.key)::boolean)
                WHEN 'one' THEN CASE WHEN coalesce(record ->> f.key, '') = '' THEN '[]' ELSE jsonb_build_array((record ->> f.key)::bigint) END
                WHEN 'list' THEN to_jsonb(string_to_array(coalesce(record ->> f.key, ''), ',')::bigint[])
                ELSE (SELECT jsonb_object_agg(p, coalesce(record -> (f.key || '_' || p), CASE p WHEN 'value' THEN record -> f.key END))
                        FROM unnest('{value,country,admin_area_level_1,admin_area_level_2,locality,sublocality,route,street_number,subpremise,postal_code,formatted_address}'::text[]) AS p)
                END) FILTER (WHERE f.rule NOT LIKE 'drop%'), '{}')
      FROM pipedrive.webhook_field f
     WHERE f.object = _reshape.object AND record ? f.key
       AND CASE f.rule WHEN 'drop' THEN true
                       WHEN 'drop null' THEN record -> f.key = 'null'
                       WHEN 'drop flat' THEN version = '1'
                       WHEN 'address' THEN version = '1' AND coalesce(record ->> f.key, '') <> ''
                       ELSE NOT record ? f.field END);
END
$$;
COMMENT ON FUNCTION _reshape(text, text, jsonb) IS 'a record of an event with the keys of lists';

CREATE FUNCTION _read_body(e _event, payload jsonb, stamp jsonb) RETURNS _event
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    meta jsonb := payload -> 'meta';
BEGIN
    e.event_time := pipedrive._event_time(stamp);
    SELECT o.entity INTO e.source_entity FROM pipedrive.webhook_object o WHERE o.object = e.entity;
    SELECT a.kind INTO e.kind FROM pipedrive.webhook_action a WHERE a.version = e.version AND a.action = e.action;
    IF e.source_entity IS NULL OR e.kind IS NULL THEN
        RETURN e; -- to be ignored
    END IF;
    e.problem := CASE WHEN e.event_time IS NULL THEN 'no "timestamp" in "meta"'
                      WHEN e.entity_id !~ '^[0-9]{1,18}$' THEN 'the id is not a number'
                      WHEN e.kind = 'upsert' AND jsonb_typeof(e.record) IS DISTINCT FROM 'object' THEN 'no record in the body'
                      WHEN e.kind = 'upsert' AND e.record ->> 'id' IS DISTINCT FROM e.entity_id THEN 'two different ids' END;
    IF e.problem IS NOT NULL THEN
        RETURN e;
    END IF;
    e.id := e.entity_id::bigint;
    e.shape := CASE e.version WHEN '1' THEN 'flat' ELSE 'webhook' END;
    IF e.kind = 'upsert' THEN
        e.one_label := e.record ? 'label' AND NOT e.record ? 'label_ids';
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
        e.attempt := coalesce((meta ->> 'attempt')::integer, 1);
        stamp := meta -> 'timestamp';
        -- a user's events carry the id of the user, not of the event
        e.key := concat_ws(':', meta ->> 'id', e.entity, e.entity_id, e.action, CASE WHEN e.entity = 'user' THEN stamp #>> '{}' END);
        e.record := payload -> 'data';
    ELSIF e.version = '1' THEN
        e.entity := left(meta ->> 'object', 40);
        e.entity_id := left(meta ->> 'id', 40);
        e.attempt := coalesce((payload ->> 'retry')::integer, 0) + 1;
        stamp := coalesce(meta -> 'timestamp_micro', meta -> 'timestamp');
        e.key := 'v1:' || md5(concat_ws(':', e.company_id, e.action, e.entity, e.entity_id, stamp #>> '{}'));
        e.record := payload -> 'current';
    END IF;
    e.problem := CASE WHEN e.version IS NULL OR e.version NOT IN ('1', '2') THEN 'unknown version'
                      WHEN e.entity IS NULL OR e.action IS NULL OR e.entity_id IS NULL THEN 'incomplete object "meta"'
                      WHEN e.version = '2' AND meta ->> 'id' IS NULL OR length(e.key) > 300 THEN 'no usable "meta"."id"' END;
    IF e.problem IS NULL THEN
        e := pipedrive._read_body(e, payload, stamp);
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION _read_event(jsonb) IS 'a payload of version 1 or 2 as an event; problem says why it is none';

-- ------------------------------------------------------------------------------------------------------------
-- Applying events
-- ------------------------------------------------------------------------------------------------------------

CREATE TYPE _target AS (
    mirror_id integer,
    source regclass,
    target regclass,
    entity text,
    server name
);
COMMENT ON TYPE _target IS 'a mirror that events are applied to';

CREATE FUNCTION _later_event(e _event) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM pipedrive.inbox i
                    WHERE i.entity_id = e.entity_id AND i.entity = e.entity AND i.event_time > e.event_time
                      AND i.company_id IS NOT DISTINCT FROM e.company_id AND i.status IN ('applied', 'deleted'));
END
$$;
COMMENT ON FUNCTION _later_event(_event) IS 'whether a later event of the same record was applied';

CREATE FUNCTION _is_stale(mirror_id integer, e _event, old jsonb, new jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    row_time timestamptz;
    new_time timestamptz;
BEGIN
    IF old IS NULL THEN
        RETURN e.kind = 'upsert' AND EXISTS (SELECT FROM pipedrive.tombstone t WHERE t.mirror_id = _is_stale.mirror_id AND t.id = e.id AND t.as_of > e.event_time);
    END IF;
    row_time := coalesce(old ->> 'update_time', old ->> 'modified');
    -- run again: what a sync wrote since then is newer
    IF e.processed_at IS NOT NULL AND old ->> '_source' = 'sync' AND (old ->> '_synced_at')::timestamptz > e.processed_at THEN
        RETURN true;
    ELSIF e.kind = 'delete' THEN
        RETURN row_time > e.event_time IS TRUE OR pipedrive._later_event(e);
    ELSIF new ? 'update_time' OR new ? 'modified' THEN
        new_time := coalesce(new ->> 'update_time', new ->> 'modified');
        IF row_time IS DISTINCT FROM new_time THEN
            RETURN row_time IS NOT NULL AND (new_time IS NULL OR new_time < row_time);
        END IF;
    ELSIF row_time > e.event_time THEN
        RETURN true;
    END IF;
    RETURN pipedrive._later_event(e); -- a tie: the later event wins, and of two at once the one that came last
END
$$;
COMMENT ON FUNCTION _is_stale(integer, _event, jsonb, jsonb) IS 'whether a mirror''s row, or its deletion, is newer than an event';

CREATE FUNCTION _carried(m _target, e _event) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    carried jsonb := '{}';
BEGIN
    IF e.kind = 'upsert' THEN
        carried := pipedrive.decode_record(m.source, e.record, e.shape);
    END IF;
    RETURN CASE e.shape WHEN 'webhook' THEN carried - 'custom_fields' ELSE carried END; -- in a form of its own; the next sync reads it
END
$$;
COMMENT ON FUNCTION _carried(_target, _event) IS 'columns of a mirror that an event carries';

CREATE FUNCTION _says_deleted(e _event, new jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- a user who was removed stays a row
    RETURN e.kind = 'delete' OR e.entity <> 'user' AND (new -> 'is_deleted' = 'true' OR new ->> 'status' = 'deleted') IS TRUE;
END
$$;
COMMENT ON FUNCTION _says_deleted(_event, jsonb) IS 'whether an event says that its record is deleted';

CREATE FUNCTION _news(e _event, old jsonb, new jsonb, carried jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    news jsonb := (SELECT jsonb_object_agg(n.key, n.value) FROM jsonb_each(new) AS n WHERE n.value IS DISTINCT FROM old -> n.key AND carried ? n.key);
BEGIN
    -- one label is not all labels: news only if the row does not have it
    IF e.one_label AND news ? 'label_ids' AND (CASE new -> 'label_ids' WHEN '[]' THEN old -> 'label_ids' = 'null' ELSE old -> 'label_ids' @> (new -> 'label_ids') END) THEN
        news := nullif(news - '{label_ids,labels}'::text[], '{}');
    END IF;
    RETURN news;
END
$$;
COMMENT ON FUNCTION _news(_event, jsonb, jsonb, jsonb) IS 'those of the carried columns whose new value differs from the old; NULL for none';

CREATE FUNCTION _assignments(columns jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (SELECT string_agg(format('%1$I = n.%1$I', k), ', ') FROM jsonb_object_keys(columns) AS k);
END
$$;
COMMENT ON FUNCTION _assignments(jsonb) IS 'SET list of an UPDATE';

CREATE FUNCTION _keep_history(m _target, id bigint, old jsonb, delta jsonb, changed_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
    SELECT m.mirror_id, m.entity, _keep_history.id, d.key, nullif(old -> d.key, 'null'), nullif(d.value, 'null'), _keep_history.changed_at, 'webhook'
      FROM jsonb_each(delta) AS d
     WHERE d.key NOT IN ('update_time', 'modified');
END
$$;
COMMENT ON FUNCTION _keep_history(_target, bigint, jsonb, jsonb, timestamptz) IS 'writes the changes of one row into the history';

CREATE FUNCTION _settle_event(m _target, ids bigint[], written bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pipedrive.refetch AS r (mirror_id, id, reason)
    SELECT DISTINCT m.mirror_id, i, 'webhook' FROM unnest(ids) AS i ORDER BY i
    ON CONFLICT ON CONSTRAINT refetch_pkey DO UPDATE SET requested_at = excluded.requested_at, reason = excluded.reason;
    UPDATE pipedrive.mirror_state s SET last_event = clock_timestamp(), change_serial = change_serial + written WHERE s.mirror_id = m.mirror_id;
END
$$;
COMMENT ON FUNCTION _settle_event(_target, bigint[], bigint) IS 'has the next sync read rows by id, and says that a mirror got events';

-- Locks are taken in this order, so that sessions wait for each other but never in a circle: mirrors by number, in each
-- rows by id, tombstones, marks, the mirror's state.
CREATE FUNCTION _apply_one(m _target, e _event) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    carried jsonb := pipedrive._carried(m, e);
    changed_at timestamptz := coalesce((carried ->> 'update_time')::timestamptz, e.event_time);
    verdict text;
    old jsonb;
    new jsonb; -- as the table's types write it: 7000.0 is 7000, and a time is the same in any zone
    news jsonb;
    written bigint := 0;
BEGIN
    LOOP -- again when another session makes the row meanwhile
        EXECUTE format('SELECT to_jsonb(t), to_jsonb(n) FROM %1$s AS t, jsonb_populate_record(NULL::%1$s, $1) AS n WHERE t.id = $2 FOR NO KEY UPDATE OF t', m.target)
           INTO old, new USING carried, e.id;
        verdict := CASE WHEN pipedrive._is_stale(m.mirror_id, e, old, carried) THEN 'stale'
                        WHEN pipedrive._says_deleted(e, carried) THEN 'deleted' ELSE 'applied' END;
        EXIT WHEN verdict <> 'applied' OR old IS NOT NULL;
        EXECUTE format('INSERT INTO %1$s SELECT n.* FROM jsonb_populate_record(NULL::%1$s, $1) AS n ON CONFLICT (id) DO NOTHING', m.target)
          USING carried || jsonb_build_object('_synced_at', clock_timestamp(), '_source', 'webhook');
        GET DIAGNOSTICS written = ROW_COUNT;
        EXIT WHEN written > 0;
    END LOOP;
    IF verdict = 'deleted' THEN
        PERFORM pipedrive._delete_rows(m.mirror_id, ARRAY[e.id], changed_at, 'webhook');
    ELSIF written > 0 THEN
        DELETE FROM pipedrive.tombstone t WHERE t.mirror_id = m.mirror_id AND t.id = e.id;
    ELSIF verdict = 'applied' THEN
        news := pipedrive._news(e, old, new, carried);
        IF news IS NOT NULL THEN
            EXECUTE format('UPDATE %1$s AS t SET %2$s, _synced_at = clock_timestamp(), _source = ''webhook'' FROM jsonb_populate_record(NULL::%1$s, $1) AS n
                             WHERE t.id = $2', m.target, pipedrive._assignments(news))
              USING news, e.id;
            written := 1;
            PERFORM pipedrive._keep_history(m, e.id, old, news, changed_at);
        END IF;
    END IF;
    IF e.processed_at IS NULL OR written > 0 THEN -- not for what ran before and changes nothing now
        PERFORM pipedrive._settle_event(m, e.id || coalesce(e.others, '{}'), written);
    END IF;
    RETURN verdict;
END
$$;
COMMENT ON FUNCTION _apply_one(_target, _event) IS 'applies one event to a mirror; what became of it';

CREATE FUNCTION _targets(entity text) RETURNS SETOF _target
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT m.mirror_id, m.source, m.target, m.entity, s.srvname
      FROM pipedrive.mirror m
      JOIN pg_catalog.pg_foreign_table t ON t.ftrelid = m.source
      JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
     WHERE m.entity = _targets.entity ORDER BY m.mirror_id;
END
$$;
COMMENT ON FUNCTION _targets(text) IS 'mirrors of an entity';

CREATE FUNCTION _is_for(m _target, e _event) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (e.server IS NULL OR e.server = m.server)
       AND coalesce((SELECT c.company_id = e.company_id FROM pipedrive.server_company c WHERE c.server = m.server), true);
END
$$;
COMMENT ON FUNCTION _is_for(_target, _event) IS 'whether an event comes from the account that a mirror shows, as far as that is known';

CREATE FUNCTION _why_ignored(e _event) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF e.source_entity IS NULL THEN
        -- names that Pipedrive does not use are not repeated
        RETURN CASE WHEN EXISTS (SELECT FROM pipedrive.webhook_object o WHERE o.object = e.entity)
                    THEN format('ignored: entity "%s" is not mirrored', e.entity) ELSE 'ignored: unknown entity' END;
    ELSIF e.kind IS NULL THEN
        RETURN 'ignored: unknown action';
    ELSIF EXISTS (SELECT FROM pipedrive._targets(e.source_entity)) THEN
        RETURN format('ignored: no mirror of %s belongs to the company of the event', e.source_entity);
    END IF;
    RETURN format('ignored: there is no mirror of %s', e.source_entity);
END
$$;
COMMENT ON FUNCTION _why_ignored(_event) IS 'outcome of an event that no mirror takes';

CREATE FUNCTION _apply_event(e _event) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    m pipedrive._target;
    verdict text;
    outcome text;
BEGIN
    IF e.source_entity IS NOT NULL AND e.id IS NOT NULL THEN
        FOR m IN SELECT * FROM pipedrive._targets(e.source_entity) LOOP
            CONTINUE WHEN NOT pipedrive._is_for(m, e);
            verdict := pipedrive._apply_one(m, e);
            IF outcome IS NULL OR outcome = 'stale' THEN -- of several mirrors the one with the most to do counts
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
            answer := pipedrive._request(m.server, 'GET', (SELECT o.path || '/' || e.id FROM pipedrive.webhook_object o WHERE o.object = e.entity)) #> '{body,data}';
            IF answer ->> 'id' = e.entity_id THEN
                e.record := answer;
                e.shape := 'rest';
                e.one_label := false;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL; -- gone, hidden or no tokens left: the body has to do, the mark stays
        END;
    END IF;
    RETURN e;
END
$$;
COMMENT ON FUNCTION _fetched(_event) IS 'an event with the whole record as the API has it now (one request, 1 token), where it can be read';

CREATE FUNCTION _reason(state text, message text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(CASE WHEN state LIKE 'HV%' THEN message ELSE regexp_replace(regexp_replace(message, '".*"', '"..."'), ': .*', '') END, 200) || ' (' || state || ')'
$$;
COMMENT ON FUNCTION _reason(text, text) IS 'an error without what it may quote of a body; this library''s own messages (class HV) quote none';

-- ------------------------------------------------------------------------------------------------------------
-- Taking events in
-- ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION _mark_failed(e _event) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pipedrive._settle_event(t, ARRAY[e.entity_id::bigint], 0)
       FROM pipedrive.webhook_object o, pipedrive._targets(o.entity) AS t
      WHERE o.object = e.entity AND e.entity_id ~ '^[0-9]{1,18}$' AND pipedrive._is_for(t, e);
EXCEPTION WHEN OTHERS THEN
    NULL; -- the event itself is kept
END
$$;
COMMENT ON FUNCTION _mark_failed(_event) IS 'has the next sync read what a failed event was about, where that is known';

CREATE FUNCTION _try(INOUT e _event, mode text, OUT outcome text, OUT error text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state text;
    message text;
BEGIN
    IF e.problem IS NOT NULL THEN
        outcome := 'failed: ' || e.problem;
    ELSE
        IF mode = 'refetch' THEN
            e := pipedrive._fetched(e);
        END IF;
        outcome := pipedrive._apply_event(e);
    END IF;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    error := pipedrive._reason(state, message);
    -- somebody else holds the row: not the event's fault
    outcome := CASE WHEN state IN ('55P03', '40P01', '40001') THEN 'queued' ELSE 'failed: ' || error END;
END
$$;
COMMENT ON FUNCTION _try(_event, text) IS 'applies one event; an error becomes its outcome';

CREATE FUNCTION _ingest(payload jsonb, raw text, mode text, server name) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    e pipedrive._event;
    outcome text := 'queued';
    error text;
BEGIN
    IF mode IS NULL OR mode NOT IN ('apply', 'queue', 'refetch') THEN
        RAISE EXCEPTION 'invalid mode' USING ERRCODE = '22023', HINT = 'Modes are apply, queue and refetch.';
    END IF;
    BEGIN
        e := pipedrive._read_event(payload);
    EXCEPTION WHEN OTHERS THEN
        e.problem := format('malformed event (%s)', SQLSTATE);
    END;
    IF raw IS NOT NULL THEN
        e.problem := 'not valid JSON';
    END IF;
    e.key := coalesce(e.key, 'body:' || encode(sha256(convert_to(coalesce(raw, payload::text, ''), 'UTF8')), 'hex'));
    e.server := _ingest.server;
    -- known ones are told apart before anything is locked
    UPDATE pipedrive.inbox i SET attempt = greatest(i.attempt + 1, e.attempt) WHERE i.key = e.key;
    IF FOUND THEN
        RETURN 'duplicate';
    END IF;
    IF mode <> 'queue' OR e.problem IS NOT NULL THEN
        SELECT t.outcome, t.error INTO outcome, error FROM pipedrive._try(e, mode) AS t;
    END IF;
    IF outcome LIKE 'failed%' THEN
        PERFORM pipedrive._mark_failed(e);
    END IF;
    -- nothing above has locked a row of the inbox, and this waits for sessions only that are about to end
    INSERT INTO pipedrive.inbox (key, processed_at, event_time, attempt, version, entity, entity_id, action, company_id, server, status, outcome, error, body, raw)
    VALUES (e.key, CASE WHEN outcome <> 'queued' THEN clock_timestamp() END, e.event_time, coalesce(e.attempt, 1), e.version, e.entity, e.entity_id, e.action,
            e.company_id, e.server, split_part(outcome, ':', 1), outcome, error, payload, _ingest.raw)
    ON CONFLICT (key) DO NOTHING;
    RETURN CASE WHEN FOUND THEN outcome ELSE 'duplicate' END;
END
$$;
COMMENT ON FUNCTION _ingest(jsonb, text, text, name) IS 'ingest_webhook() for a body that was read, or one that is not JSON (raw)';

CREATE FUNCTION ingest_webhook(payload jsonb, mode text DEFAULT 'apply') RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pipedrive._ingest(payload, NULL, mode, NULL);
END
$$;
COMMENT ON FUNCTION ingest_webhook(jsonb, text) IS
    'stores a webhook event and applies it (mode apply), applies the whole record as read with one request (refetch), or only stores it (queue); returns applied, stale, duplicate, deleted, queued, ignored: reason or failed: reason. Bad content is kept as failed and raises no error';

CREATE FUNCTION _ingest_text(payload text, mode text, server name) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    body jsonb;
BEGIN
    BEGIN
        body := payload::jsonb;
    EXCEPTION WHEN OTHERS THEN
        RETURN pipedrive._ingest(NULL, payload, mode, server);
    END;
    RETURN pipedrive._ingest(body, NULL, mode, server);
END
$$;
COMMENT ON FUNCTION _ingest_text(text, text, name) IS 'ingest_webhook() for a body that may be anything';

CREATE FUNCTION ingest_webhook(payload text, mode text DEFAULT 'apply') RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pipedrive._ingest_text(payload, mode, NULL);
END
$$;
COMMENT ON FUNCTION ingest_webhook(text, text) IS 'the same for a body as it came; one that is not JSON is kept as failed too';

