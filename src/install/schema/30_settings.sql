-- What all rooms share: the settings of an installation, and the counter that orders what happens
-- to mirrors.

CREATE TABLE pipedrive.settings (
    name text PRIMARY KEY,
    value text NOT NULL
);
COMMENT ON TABLE pipedrive.settings IS
    'settings of mirrors and webhooks: a row overrides a default. Retentions are positive '
    'intervals or forever: inbox_retention (7 days) for stored events, queue_retention (30 days) '
    'for those that wait, tombstone_retention (90 days) for deletions; others: see '
    'apply_retention()';
SELECT pg_catalog.pg_extension_config_dump('pipedrive.settings', '');

-- What came before what is told by a counter: clocks step.
CREATE SEQUENCE pipedrive_internal.arrival;
COMMENT ON SEQUENCE pipedrive_internal.arrival IS
    'order in which events, marks and deletions reached the mirrors, changes were recorded, and '
    'pages were requested';
SELECT pg_catalog.pg_extension_config_dump('pipedrive_internal.arrival', '');
