-- The views stage_history and owner_history: the values that a column of deals went through.

-- As the index of pipedrive.changes has it.
CREATE OR REPLACE FUNCTION pipedrive_internal.history_key(key_type regtype) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN key_type = 'bigint'::regtype
                THEN 'CASE WHEN octet_length(c.id) BETWEEN 1 AND 18 AND c.id !~ ''[^0-9]'' '
                     'THEN c.id::bigint END'
                ELSE format('c.id::%s', key_type) END
$$;
COMMENT ON FUNCTION pipedrive_internal.history_key(regtype) IS
    'expression for the key of a row "c" of pipedrive.changes in the type that it has in its mirror';

-- The values that a column of deals went through, as intervals: one sort, and two passes over it.
--
-- The order leans on nothing that may be missing, and on no clock of this machine: first what a
-- deal began with, then what Pipedrive's log tells of the time before the mirror (by its times; it
-- comes newest first), then what the mirror recorded, as it was recorded. A row of that ("what")
-- is a deal of the mirror (3), a beginning (0: of one that is gone, or that is back), an end (1: it
-- is deleted) or a change (2). What begins has the old value of what follows, or if nothing does,
-- what the deal has now; so has a deal that is there although an end is the last that was told. A
-- change that is told twice is one; a value that is not known is a gap. What a deal had last and
-- does not have now, as it is gone, has to have an end.
CREATE OR REPLACE FUNCTION pipedrive_internal.history_query(m pipedrive_internal.mirror, field text)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$
SELECT h.deal_id, h.value AS %1$I, h.entered, h.left_at, h.left_at - h.entered AS duration, h.step
  FROM (SELECT s.deal_id, s.value, s.entered, s.first, lead(s.entered) OVER w AS left_at,
               row_number() OVER w AS step
          FROM (SELECT e.deal_id, e.at, e.place, e.entered, first_value(e.what) OVER w AS first,
                       CASE WHEN e.what = 2 THEN e.value
                            WHEN lead(e.what) OVER w IS NULL THEN first_value(e.value) OVER w
                            WHEN e.what <> 1 THEN lead(e.old_value) OVER w END AS value,
                       e.what IN (1, 2)
                       AND CASE e.what WHEN 2 THEN e.value
                                       WHEN 1 THEN CASE WHEN lead(e.what) OVER w IS NULL
                                                        THEN first_value(e.value) OVER w END END
                           IS NOT DISTINCT FROM
                           CASE lag(e.what) OVER w WHEN 2 THEN lag(e.value) OVER w
                                                   WHEN 1 THEN NULL ELSE e.old_value END AS repeated
                  FROM (SELECT d.%4$I AS deal_id, timestamptz '-infinity' AS at, 0::bigint AS place,
                               3 AS what, d.add_time AS entered, NULL::bigint AS old_value,
                               d.%1$I::bigint AS value
                          FROM %2$s d
                         UNION ALL
                        SELECT %5$s, '-infinity', 0, 0,
                               max((jsonb_path_query_first_tz(c.old_value, '$.datetime()',
                                                              silent => true)
                                    #>> '{}')::timestamptz) FILTER (WHERE c.field = 'add_time'),
                               NULL, NULL
                          FROM pipedrive.changes c LEFT JOIN %2$s d ON d.%4$I = %5$s
                         WHERE c.mirror_id = %3$s AND d.%4$I IS NULL
                           AND c.change_source <> 'backfill'
                           AND (c.field = 'is_deleted' AND c.new_value = 'true'
                                OR c.field = 'add_time' AND c.new_value IS NULL)
                         GROUP BY c.id
                         UNION ALL
                        SELECT %5$s,
                               CASE c.change_source WHEN 'backfill' THEN c.changed_at
                                                    ELSE 'infinity' END,
                               CASE c.change_source WHEN 'backfill' THEN -c.arrival
                                                    ELSE c.arrival END,
                               CASE WHEN c.field = %1$L THEN 2
                                    WHEN c.new_value = 'true' THEN 1 ELSE 0 END,
                               c.changed_at,
                               CASE WHEN octet_length(c.old_value #>> '{}') BETWEEN 1 AND 18
                                     AND c.old_value #>> '{}' !~ '[^0-9]'
                                    THEN (c.old_value #>> '{}')::bigint END,
                               CASE WHEN octet_length(c.new_value #>> '{}') BETWEEN 1 AND 18
                                     AND c.new_value #>> '{}' !~ '[^0-9]'
                                    THEN (c.new_value #>> '{}')::bigint END
                          FROM pipedrive.changes c
                         WHERE c.mirror_id = %3$s
                           AND (c.field = %1$L
                                OR c.field = 'is_deleted' AND c.change_source <> 'backfill'
                                   AND (c.new_value = 'true' OR c.old_value = 'true'))) AS e
                WINDOW w AS (PARTITION BY e.deal_id ORDER BY e.at, e.place)) AS s
         WHERE NOT s.repeated
        WINDOW w AS (PARTITION BY s.deal_id ORDER BY s.at, s.place)) AS h
 WHERE h.value IS NOT NULL AND (h.left_at IS NOT NULL OR h.first = 3)$query$,
                  field, m.target, m.mirror_id, m.key_column, pipedrive_internal.history_key(m.key_type))
$$;
COMMENT ON FUNCTION pipedrive_internal.history_query(pipedrive_internal.mirror, text) IS
    'SELECT of deal_id, the column, entered, left_at, duration and step for a mirror of deals';

CREATE OR REPLACE FUNCTION pipedrive_internal.create_history_view(
    m pipedrive_internal.mirror, field text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ending text := replace(field, '_id', '') || '_history';
    name text := (
        SELECT format('%I.%I', n.nspname,
                      CASE WHEN c.relname = m.entity THEN ending
                           ELSE pipedrive_internal.derived_name(c.relname::text, '_' || ending)::text END)
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.target);
BEGIN
    IF NOT pipedrive_internal.is_free(name) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE VIEW %s AS %s', name, pipedrive_internal.history_query(m, field));
    EXECUTE format('COMMENT ON VIEW %s IS %L', name,
                   format('for each deal the values of %s: entered, left and duration, in the '
                          'order of step, as far as pipedrive.changes goes back; entered is NULL '
                          'for the first where the deal has no add_time; left_at is NULL for what '
                          'a deal has now. Deals that were deleted are kept: the last that they '
                          'had ends when they were deleted', field));
    PERFORM pipedrive_internal.keep_view(m.mirror_id, name, field);
END
$$;
COMMENT ON FUNCTION pipedrive_internal.create_history_view(pipedrive_internal.mirror, text) IS
    'views stage_history and owner_history beside a mirror of deals';

CREATE OR REPLACE FUNCTION pipedrive_internal.create_history_views(m pipedrive_internal.mirror)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pipedrive_internal.create_history_view(m, e.column_name)
      FROM (SELECT c.column_name FROM pipedrive.entity_columns c
             WHERE c.entity = m.entity AND c.history
               AND ARRAY[c.column_name, 'add_time'] <@ pipedrive_internal.mirror_columns(m.target)
               AND pipedrive_internal.mirror_view(m.mirror_id, c.column_name) IS NULL
             ORDER BY c.column_name DESC) AS e
$$;
COMMENT ON FUNCTION pipedrive_internal.create_history_views(pipedrive_internal.mirror) IS
    'views of the histories that the catalogue names for a mirror''s entity, those that are not '
    'there';
