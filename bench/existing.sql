-- As many receipts as bench.rows says, one a notification, in the days before the backlog's. Ids are shaped as backlog.py's.
-- SPDX-License-Identifier: MIT
CREATE TEMPORARY TABLE made AS
SELECT CASE WHEN n % 4 = 0 THEN 'blux' ELSE 'bizgo' END AS provider,
       CASE WHEN n % 4 = 0 THEN lpad(to_hex(extract(epoch FROM at)::bigint), 8, '0') || substr(md5(n::text), 1, 16)
            ELSE to_char(at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSMS') || substr(md5(n::text), 1, 12) || '001' END AS notification_id,
       n % 33 = 0 AS failed, at, n
FROM generate_series(1, current_setting('bench.rows')::bigint) AS n,
     LATERAL (SELECT timestamptz '2026-01-12 02:00Z' - (current_setting('bench.rows')::bigint - n + 1) * interval '20 ms' AS at) AS t;

INSERT INTO receipt (receipt_id, provider, notification_id, outcome, code, element, received_at, event_id, source_partition, source_offset)
SELECT md5('receipt' || n)::uuid, provider, notification_id, CASE WHEN failed THEN 'failed' ELSE 'delivered' END,
       CASE WHEN provider = 'blux' THEN 'notification:sms:received' WHEN failed THEN '63020' ELSE '10000' END,
       CASE WHEN provider = 'blux'
         THEN jsonb_build_object('event_type', 'notification:sms:received', 'payload', jsonb_build_object(
                'application_id', '65f1a2b3c4d5e6f7a8b9c0d1', 'blux_user_id', '65f1a2b3c4d5e6f7a8b9c0d2', 'user_id', 'user_123',
                'notification_id', notification_id, 'phone_number', '0101****5678', 'status', 'received', 'received_at', at))
         ELSE jsonb_build_object('msgKey', notification_id, 'serviceType', 'ALIMTALK', 'msgType', 'AT', 'sendTime', at, 'reportTime', at,
                'reportType', '0', 'reportCode', CASE WHEN failed THEN '63020' ELSE '10000' END, 'reportText', '', 'carrier', 'SKT') END,
       at, md5('event' || n)::uuid, n % 8, n / 8
FROM made ORDER BY n;

INSERT INTO notification (provider, notification_id, status, outcome, code, reason, channel, recipient, recipient_hash, resolved_at,
                          first_seen_at, updated_at, version)
SELECT provider, notification_id, CASE WHEN failed THEN 'DEAD_LETTER' ELSE 'SENT' END,
       CASE WHEN failed THEN 'failed' ELSE 'delivered' END,
       CASE WHEN provider = 'blux' THEN 'notification:sms:received' WHEN failed THEN '63020' ELSE '10000' END,
       CASE WHEN failed THEN 'recipient blocks alimtalk' END, CASE WHEN provider = 'blux' THEN 'SMS' ELSE 'ALIMTALK' END,
       CASE WHEN provider = 'blux' THEN '0101****5678' END, CASE WHEN provider = 'blux' THEN sha256(n::text::bytea) END,
       at, at, at, 1
FROM made ORDER BY n;
DROP TABLE made
