-- One webhook about one of a thousand deals of this client, each later than the one before (script/bench sets :first, :n
-- and :mode). Hours, minutes and seconds are 10 to 19: pgbench reads "::" as a cast and letters as part of a name.
\set n :n + 1
\set id :first + :client_id * 1000 + random(0, 999)
\set event random(1000000000000000, 9000000000000000)
\set d 1 + :n / 20000 % 9
\set h :n / 2000 % 10
\set m :n / 200 % 10
\set s :n / 20 % 10
\set stage random(1, 15)
\set amount random(1, 100000)
SELECT pipedrive.ingest_webhook('{"meta":{"action":"change","company_id":"100200300","correlation_id":"5d6e2f4e-0c4c-4bd0-9b5f-000000000000","entity_id":":id","entity":"deal","id":"e:event","is_bulk_edit":false,"timestamp":"2027-0:d-01T1:h:1:m:1:s.500Z","type":"general","user_id":"25455458","version":"2.0","webhook_id":"1872755","webhook_owner_id":"25455458","change_source":"app","permitted_user_ids":["25455458","25455459"],"attempt":1,"host":"simulated.pipedrive.com"},"data":{"add_time":"2026-03-01T10:00:00Z","channel":null,"channel_id":null,"close_time":null,"creator_user_id":25455458,"currency":"EUR","custom_fields":{},"expected_close_date":null,"first_won_time":null,"id": :id,"label_ids":[],"lost_reason":null,"lost_time":null,"org_id":1,"origin":"API","origin_id":null,"owner_id":25455458,"person_id":2,"pipeline_id":1,"probability":null,"stage_change_time":null,"stage_id": :stage,"status":"open","title":"Deal :amount","update_time":"2027-0:d-01T1:h:1:m:1:s.000Z","value": :amount,"visible_to":"3","won_time":null,"is_archived":false,"archive_time":null},"previous":{"value":0,"stage_id":1,"update_time":null}}'::jsonb, ':mode');
