-- What Pipedrive sends events for, what each action asks for, and where records of events differ
-- from those of lists.

DELETE FROM pipedrive_internal.webhook_object;
INSERT INTO pipedrive_internal.webhook_object
SELECT r.object, r.entity, r.path FROM jsonb_to_recordset(pipedrive_internal.catalogue('webhooks'::text)) AS r (object text, entity text, path text);

DELETE FROM pipedrive_internal.webhook_action;
INSERT INTO pipedrive_internal.webhook_action VALUES
    ('2', 'create', 'upsert'), ('2', 'change', 'upsert'), ('2', 'delete', 'delete'),
    ('1', 'added', 'upsert'), ('1', 'updated', 'upsert'), ('1', 'merged', 'upsert'), ('1', 'deleted', 'delete');

DELETE FROM pipedrive_internal.webhook_field;
INSERT INTO pipedrive_internal.webhook_field VALUES
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
