-- Materialized views that refresh_views() keeps current, and the log of their refreshes.

CREATE TABLE pipedrive_internal.tracked_view (
    view regclass PRIMARY KEY,
    max_age interval CHECK (max_age > interval '0'),
    tracked_at timestamptz NOT NULL DEFAULT now(),
    last_refresh timestamptz,
    last_serials jsonb,
    refreshes bigint NOT NULL DEFAULT 0,
    last_duration interval,
    last_rows bigint,
    last_concurrent boolean,
    last_error text,
    last_error_at timestamptz,
    hinted boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE pipedrive_internal.tracked_view IS
    'materialized views that refresh_views() keeps current';
COMMENT ON COLUMN pipedrive_internal.tracked_view.max_age IS
    'refreshed at this age even if nothing changed: for views that use now()';
COMMENT ON COLUMN pipedrive_internal.tracked_view.last_refresh IS
    'when the last successful refresh began';
COMMENT ON COLUMN pipedrive_internal.tracked_view.last_serials IS
    'state of everything the view reads, taken before that refresh: {mirror_id: change_serial(), '
    'view:oid: refreshes}';
COMMENT ON COLUMN pipedrive_internal.tracked_view.refreshes IS
    'grows with every refresh; views that read this one compare it';
COMMENT ON COLUMN pipedrive_internal.tracked_view.last_error IS
    'SQLSTATE and text, which may quote rows: tracked_views shows the text to the view''s owner '
    'only';
COMMENT ON COLUMN pipedrive_internal.tracked_view.hinted IS
    'whether the hint about the missing unique index was given';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.tracked_view', '');

CREATE TABLE pipedrive.refresh_log (
    view regclass NOT NULL,
    started timestamptz NOT NULL,
    duration interval NOT NULL,
    rows bigint,
    concurrent boolean,
    error text
);
COMMENT ON TABLE pipedrive.refresh_log IS
    'refreshes of tracked views; kept for setting refresh_log_retention';
COMMENT ON COLUMN pipedrive.refresh_log.error IS
    'SQLSTATE and text, which may quote rows: for the owner of the extension';
CREATE INDEX refresh_log_started ON pipedrive.refresh_log (started);
