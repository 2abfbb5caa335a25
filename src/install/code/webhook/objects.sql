-- What Pipedrive sends events for, and what each action asks for.

DELETE FROM pipedrive_internal.webhook_object;
INSERT INTO pipedrive_internal.webhook_object
SELECT r.object, r.entity, r.path FROM jsonb_to_recordset(pipedrive_internal.catalogue('webhooks'::text)) AS r (object text, entity text, path text);

DELETE FROM pipedrive_internal.webhook_action;
INSERT INTO pipedrive_internal.webhook_action VALUES
    ('2', 'create', 'upsert'), ('2', 'change', 'upsert'), ('2', 'delete', 'delete'),
    ('1', 'added', 'upsert'), ('1', 'updated', 'upsert'), ('1', 'merged', 'upsert'), ('1', 'deleted', 'delete');
