-- The two schemas of the extension: pipedrive holds what users call and read, pipedrive_internal
-- what only our own code names.

-- An error where it is there already, whoever made it: nothing but ours may be in it.
CREATE SCHEMA pipedrive_internal;
COMMENT ON SCHEMA pipedrive_internal IS
    'what pipedrive_fdw is made of; not for use, and another with every version';

-- Names are for everybody; tables, functions and what spends tokens are granted one by one.
GRANT USAGE ON SCHEMA pipedrive, pipedrive_internal TO PUBLIC;
