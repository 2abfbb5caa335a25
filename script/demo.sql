-- The tour of script/demo: each step says what it does, shows its SQL and its result.
-- Environment: PIPEDRIVE_COMPANY_DOMAIN, or PIPEDRIVE_SIMULATOR_URL; and PIPEDRIVE_API_TOKEN.
\set ECHO none
\set VERBOSITY default
SET client_min_messages = warning;
SET TimeZone = 'UTC';

-- printenv rather than \getenv, which psql 14 lacks; the token appears on no command line
\set domain   `printenv PIPEDRIVE_COMPANY_DOMAIN || :`
\set base_url `printenv PIPEDRIVE_SIMULATOR_URL || :`
\set token    `printenv PIPEDRIVE_API_TOKEN || :`
SELECT :'domain' <> '' AS real_account \gset

\echo
\echo '== 1. An account becomes a server, a token a user mapping, and one statement makes the tables.'
\echo
\set ECHO queries
CREATE EXTENSION pipedrive_fdw;
\if :real_account
CREATE SERVER crm FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (company_domain :'domain');
\else
CREATE SERVER crm FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url :'base_url');
\endif
\set ECHO none
\echo 'CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token ''********'');'
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token :'token');
\unset token
\setenv PIPEDRIVE_API_TOKEN
\set ECHO queries
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;

\set ECHO none
\echo
\echo '   What is there now:'
\echo
\set ECHO queries
SELECT c.relname AS "table", count(*) AS columns,
       count(*) FILTER (WHERE o.field ~ '^[0-9a-f]{40}$') AS "from custom fields"
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN LATERAL (SELECT max(option_value) AS field FROM pg_options_to_table(a.attfdwoptions)
                      WHERE option_name = 'field') o ON true
 WHERE c.relnamespace = 'crm'::regnamespace
 GROUP BY c.relname
 ORDER BY c.relname;

\set ECHO none
-- A custom field of deals that reads well in a table: text, preferably one whose name says that it sorts deals
-- into kinds, and without quotes in its name.
SELECT (
    SELECT quote_ident(a.attname)
      FROM pg_attribute a, pg_options_to_table(a.attfdwoptions) o
     WHERE a.attrelid = 'crm.deals'::regclass AND a.atttypid = 'text'::regtype AND NOT a.attisdropped
       AND o.option_name = 'field' AND o.option_value ~ '^[0-9a-f]{40}$'
       AND NOT EXISTS (SELECT FROM pg_options_to_table(a.attfdwoptions) s WHERE s.option_name = 'subfield')
     ORDER BY a.attname ~* '(type|source|industry|region|segment|category|reason|tier|priority|kind)' DESC,
              quote_ident(a.attname) = a.attname DESC, a.attnum
     LIMIT 1) AS custom_column \gset
\if :{?custom_column}
\echo
\echo '== 2. Custom fields are columns with readable names, and their options read as labels.'
\echo
\set ECHO queries
SELECT :custom_column, count(*) AS deals, round(avg(value)) AS "average value"
  FROM crm.deals
 WHERE status = 'open'
 GROUP BY 1
 ORDER BY deals DESC, 1
 LIMIT 8;
\set ECHO none
\else
\echo
\echo '== 2. This account has no custom text field on deals; a query on standard columns instead.'
\echo
\set ECHO queries
SELECT status, count(*) AS deals, round(avg(value)) AS "average value"
  FROM crm.deals
 GROUP BY 1
 ORDER BY 1;
\set ECHO none
\endif

\echo
\echo '== 3. A filter on update_time travels to Pipedrive; EXPLAIN tells which requests that takes, before'
\echo '      (EXPLAIN alone sends none) and, with ANALYZE, after, and what they cost in API tokens.'
\echo
\if :real_account
SELECT date_trunc('hour', now() - interval '3 days') AS since \gset
\else
-- the simulated account has a calendar of its own
SELECT date_trunc('hour', max(update_time) - interval '3 days') AS since FROM crm.deals \gset
\endif
\set ECHO queries
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)
SELECT title, status, update_time
  FROM crm.deals
 WHERE update_time >= :'since' AND status = 'open';

SELECT left(title, 40) AS title, status, update_time::timestamp(0) AS "updated (UTC)"
  FROM crm.deals
 WHERE update_time >= :'since' AND status = 'open'
 ORDER BY update_time DESC, id
 LIMIT 5;

\set ECHO none
\echo
\echo '== 4. Tables join as tables do.'
\echo
\set ECHO queries
SELECT left(d.title, 36) AS deal, left(o.name, 24) AS organization, left(p.name, 22) AS person,
       u.name AS owner, d.value, d.currency
  FROM crm.deals d
  JOIN crm.organizations o ON o.id = d.org_id
  JOIN crm.persons p ON p.id = d.person_id
  LEFT JOIN crm.users u ON u.id = d.owner_id
 WHERE d.status = 'won'
 ORDER BY d.value DESC NULLS LAST, d.id
 LIMIT 5;

\set ECHO none
\echo
\echo '== 5. The pipeline by stage, money per currency.'
\echo
\set ECHO queries
SELECT pl.name AS pipeline, s.name AS stage, count(*) AS deals, d.currency, sum(d.value) AS value
  FROM crm.deals d
  JOIN crm.stages s ON s.id = d.stage_id
  JOIN crm.pipelines pl ON pl.id = s.pipeline_id
 WHERE d.status = 'open'
 GROUP BY pl.id, pl.name, s.id, s.order_nr, s.name, d.currency
 ORDER BY pl.name, s.order_nr, s.id, d.currency
 LIMIT 24;

\set ECHO none
\echo
\echo '== 6. A mirror is a local table that follows the account: loaded once, then only what changed.'
\echo
\set ECHO queries
SELECT pipedrive.create_mirror(t) FROM unnest('{crm.deals,crm.pipelines,crm.stages}'::regclass[]) AS t;
\timing on
\if :real_account
CALL pipedrive.sync(max_tokens => 1000);
CALL pipedrive.sync(max_tokens => 1000);
\else
CALL pipedrive.sync();
CALL pipedrive.sync();
\endif
SELECT count(*) AS deals, count(*) FILTER (WHERE is_archived) AS archived FROM crm_mirror.deals;
\timing off
SELECT mirror, tokens_today, last_error FROM pipedrive.mirrors;

\set ECHO none
\echo
\echo '== 7. Dashboards over mirrors: materialized views that are refreshed when a mirror has changed. No tokens.'
\echo
\set ECHO queries
SELECT * FROM pipedrive.create_dashboards('crm_mirror');
SELECT pipeline, stage, deals, currency, value, round(weighted_value) AS weighted
  FROM crm_dashboards.pipeline_by_stage
 ORDER BY pipeline_order, pipeline_id, stage_order, stage_id, currency
 LIMIT 8;
\set ECHO none
\if :real_account
\echo
\echo '   In the simulated account a deal would be won now, and its webhook taken in. A real one is only read.'
\else
SELECT d.id AS deal_id, d.title AS deal_title, d.stage_id, d.currency
  FROM crm_mirror.deals AS d JOIN crm_mirror.stages AS s ON s.id = d.stage_id
 WHERE d.status = 'open' AND NOT d.is_archived AND d.currency IS NOT NULL AND d.value < 1000000
 ORDER BY count(*) OVER (PARTITION BY d.stage_id, d.currency) > 1 DESC, d.value DESC, d.id LIMIT 1 \gset
\echo
\echo '== 8. Somebody wins a deal in Pipedrive. Its webhook brings it here, and the dashboard follows.'
\echo
\echo '   Before:'
\echo
\set ECHO queries
SELECT pipeline, stage, deals, currency, value FROM crm_dashboards.pipeline_by_stage WHERE stage_id = :stage_id AND currency = :'currency';
\set ECHO none
-- The simulator's side door plays Pipedrive's user, and says what webhook would be sent.
SELECT json_build_object('action', 'change', 'entity', 'deals', 'id', :deal_id, 'fields', json_build_object('status', 'won')) AS change \gset
\set ignored `"$PIPEDRIVE_SIMULATOR_CTL" DELETE webhooks`
SELECT clock_timestamp() AS began \gset
\set ignored `"$PIPEDRIVE_SIMULATOR_CTL" mutate :'change'`
\set sent `"$PIPEDRIVE_SIMULATOR_CTL" GET webhooks`
SELECT e -> 'body' AS event FROM json_array_elements(:'sent') AS e WHERE e ->> 'entity' IN ('deal', 'deals') LIMIT 1 \gset
\if :{?event}
SELECT format('"%s %s %s"', m ->> 'action', m ->> 'entity', m ->> 'entity_id') AS what, length(:'event') AS size FROM (SELECT :'event'::json -> 'meta') AS e (m) \gset
\echo '   In Pipedrive, deal' :deal_id '("':deal_title'") is won. Pipedrive sends' :what 'with' :size 'characters:'
\echo
\echo 'SELECT pipedrive.ingest_webhook($1);'
SELECT pipedrive.ingest_webhook(:'event'::jsonb);
\set ECHO queries
CALL pipedrive.refresh_views();
SELECT pipeline, stage, deals, currency, value FROM crm_dashboards.pipeline_by_stage WHERE stage_id = :stage_id AND currency = :'currency';
\set ECHO none
SELECT to_char(extract(epoch FROM clock_timestamp() - :'began'), 'FM990.00') AS seconds \gset
\echo '   From the change in Pipedrive to the dashboard:' :seconds 'seconds, and not one API token.'
\echo
\set ECHO queries
SELECT field, old_value, new_value, change_source FROM pipedrive.changes WHERE entity = 'deals' AND id = :'deal_id' ORDER BY field;
\set ECHO none
\else
\echo '   (this simulator knows no webhooks)'
\endif
\endif
