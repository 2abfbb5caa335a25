-- What Pipedrive sends events for, and what each action asks for.

DELETE FROM pipedrive_internal.webhook_object;
INSERT INTO pipedrive_internal.webhook_object
SELECT r.object, r.entity, r.path, r.key, r.key_type::regtype,
       CASE WHEN r.deleted_field IS NOT NULL
            THEN jsonb_build_object(r.deleted_field, r.deleted_value) END
  FROM jsonb_to_recordset(pipedrive_internal.catalogue('webhooks'::text))
       AS r (object text, entity text, path text, key text, key_type text, deleted_field text,
             deleted_value boolean);

DELETE FROM pipedrive_internal.webhook_action;
INSERT INTO pipedrive_internal.webhook_action VALUES
    ('2', 'create', 'upsert'), ('2', 'change', 'upsert'), ('2', 'delete', 'delete'),
    ('1', 'added', 'upsert'), ('1', 'updated', 'upsert'), ('1', 'merged', 'upsert'), ('1', 'deleted', 'delete');
