-- Mirrors follow their foreign table: columns, and the history that Pipedrive kept before the mirror was made.

-- Adds and drops columns of a mirror as its source has them; new columns are filled by the next sync, which reads everything once.
CREATE FUNCTION _follow_source(which integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m pipedrive.mirror;
    c record;
    live text;
    added boolean := false;
BEGIN
    SELECT * INTO STRICT m FROM pipedrive.mirror x WHERE x.mirror_id = which;
    SELECT format('%I.%I', n.nspname, t.relname || '_live') INTO live FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.oid = m.target;
    FOR c IN SELECT coalesce(s.attname, t.attname) AS name, s.attname IS NULL AS gone, format_type(s.atttypid, s.atttypmod) AS type, col_description(m.source, s.attnum) AS comment
               FROM (SELECT * FROM pg_attribute WHERE attrelid = m.source AND attnum > 0 AND NOT attisdropped) s
               FULL JOIN (SELECT * FROM pg_attribute WHERE attrelid = m.target AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('_synced_at', '_source')) t
                 ON t.attname = s.attname AND t.atttypid = s.atttypid
              WHERE s.attname IS NULL OR t.attname IS NULL ORDER BY s.attname IS NULL DESC LOOP
        PERFORM pipedrive._drop_live_view(m);
        IF c.gone THEN
            EXECUTE format('ALTER TABLE %s DROP COLUMN %I', m.target, c.name);
        ELSE
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', m.target, c.name, c.type);
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', m.target, c.name, c.comment);
            added := true;
        END IF;
    END LOOP;
    IF added THEN
        UPDATE pipedrive.mirror_state x SET loaded = false, phase = NULL, walk_position = NULL WHERE x.mirror_id = which;
    END IF;
    IF to_regclass(live) IS NULL THEN
        PERFORM pipedrive._create_live_view(m);
    END IF;
END
$$;
COMMENT ON FUNCTION _follow_source(integer) IS 'columns of a mirror as its foreign table has them';

-- Pipedrive's own log of a deal, one deal after the other: 20 tokens each.
CREATE TABLE backfilled (
    mirror_id integer NOT NULL REFERENCES mirror ON DELETE CASCADE,
    id bigint NOT NULL,
    PRIMARY KEY (mirror_id, id)
);
COMMENT ON TABLE backfilled IS 'deals whose earlier history was fetched';
SELECT pg_catalog.pg_extension_config_dump('backfilled', '');

CREATE FUNCTION _backfill_deal(m pipedrive.mirror, server name, deal bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    answer jsonb;
    next_cursor text;
    requests bigint := 0;
BEGIN
    PERFORM pipedrive._require_own(m.source, m.target);
    LOOP
        answer := pipedrive._request(server, 'GET', format('/v1/deals/%s/changelog?limit=500%s', deal, coalesce('&cursor=' || next_cursor, '')));
        requests := requests + 1;
        INSERT INTO pipedrive.changes (mirror_id, entity, id, field, old_value, new_value, changed_at, change_source)
        SELECT m.mirror_id, m.entity, deal, k.attname, pipedrive._logged_value(l.old_value, k.atttypid), pipedrive._logged_value(l.new_value, k.atttypid),
               (l."time" || CASE WHEN l."time" ~ '(Z|[+-][0-9:]+)$' AND l."time" ~ ':' THEN '' ELSE 'Z' END)::timestamptz, 'backfill'
          FROM jsonb_to_recordset(CASE WHEN jsonb_typeof(answer -> 'data') = 'array' THEN answer -> 'data' ELSE '[]' END) AS l (field_key text, old_value text, new_value text, "time" text)
          JOIN LATERAL (SELECT c.attname, a.atttypid FROM pipedrive._table_columns c JOIN pg_attribute a ON a.attrelid = m.target AND a.attname = c.attname
                         WHERE c.relation = m.source AND c.field = l.field_key AND c.subfield IN ('', 'id') ORDER BY c.subfield LIMIT 1) k ON true
         WHERE NOT EXISTS (SELECT FROM pipedrive.changes x WHERE x.mirror_id = m.mirror_id AND x.id = deal AND x.field = k.attname AND x.change_source <> 'backfill'
                              AND x.changed_at <= (l."time" || CASE WHEN l."time" ~ '(Z|[+-][0-9:]+)$' AND l."time" ~ ':' THEN '' ELSE 'Z' END)::timestamptz);
        next_cursor := answer #>> '{additional_data,next_cursor}';
        EXIT WHEN next_cursor IS NULL;
    END LOOP;
    INSERT INTO pipedrive.backfilled VALUES (m.mirror_id, deal) ON CONFLICT DO NOTHING;
    PERFORM pipedrive._record_change_count(m.mirror_id, 1);
    RETURN requests * 20;
END
$$;
COMMENT ON FUNCTION _backfill_deal(pipedrive.mirror, name, bigint) IS 'the earlier history of one deal; tokens spent';

CREATE FUNCTION _logged_value(value text, type oid) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN value IS NULL THEN 'null'::jsonb
                WHEN type IN ('bigint'::regtype, 'numeric'::regtype) AND value ~ '^-?[0-9]+(\.[0-9]+)?$' THEN to_jsonb(value::numeric)
                ELSE to_jsonb(value) END
$$;
COMMENT ON FUNCTION _logged_value(text, oid) IS 'a value of Pipedrive''s log as it stands in pipedrive.changes';

CREATE PROCEDURE backfill_history(mirror regclass, max_tokens bigint)
LANGUAGE plpgsql AS $$
DECLARE
    m pipedrive.mirror;
    server name;
    deal bigint;
    spent bigint := 0;
BEGIN
    SELECT x.* INTO m FROM pipedrive.mirror x
     WHERE (x.target OPERATOR(pg_catalog.=) mirror OR x.source OPERATOR(pg_catalog.=) mirror) AND x.entity OPERATOR(pg_catalog.=) 'deals';
    IF m.mirror_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = pg_catalog.format('"%s" is not a mirror of deals', mirror);
    END IF;
    SELECT k.server INTO server FROM pipedrive._table_columns k WHERE k.relation OPERATOR(pg_catalog.=) m.source LIMIT 1;
    WHILE spent OPERATOR(pg_catalog.+) 20 OPERATOR(pg_catalog.<=) max_tokens LOOP
        EXECUTE pg_catalog.format('SELECT t.id FROM %s t WHERE NOT EXISTS (SELECT FROM pipedrive.backfilled b WHERE b.mirror_id OPERATOR(pg_catalog.=) $1 AND b.id OPERATOR(pg_catalog.=) t.id) ORDER BY t.id DESC LIMIT 1', m.target)
           INTO deal USING m.mirror_id;
        EXIT WHEN deal IS NULL;
        spent := spent OPERATOR(pg_catalog.+) pipedrive._backfill_deal(m, server, deal);
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE backfill_history(regclass, bigint) IS
    'fetches what Pipedrive logged of deals before they were mirrored into pipedrive.changes, newest deals first, 20 tokens a deal, at most max_tokens; the next call goes on';

-- A mirror whose tables are dropped is no mirror any more.
CREATE FUNCTION _forget_mirror() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM pipedrive.mirror m
     USING pg_event_trigger_dropped_objects() d
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid IN (m.source::oid, m.target::oid);
END
$$;
COMMENT ON FUNCTION _forget_mirror() IS 'event trigger function: forgets mirrors whose foreign or local table was dropped';
CREATE EVENT TRIGGER pipedrive_forget_mirror ON sql_drop
    WHEN TAG IN ('DROP SERVER', 'DROP FOREIGN TABLE', 'DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION') EXECUTE FUNCTION _forget_mirror();
COMMENT ON EVENT TRIGGER pipedrive_forget_mirror IS 'forgets mirrors whose foreign or local table was dropped';
