-- What the query API is asked for, beside the rows of existing.sql: references and recipients, registrations, alerts, incidents, quarantined
-- records, contacts, and three hours of counters up to now.
-- SPDX-License-Identifier: MIT
UPDATE notification SET reference = 'order-' || left(md5(notification_id), 12), recipient_hash = sha256(notification_id::bytea);

INSERT INTO acceptance (acceptance_id, provider, notification_id, registration, accepted_at, received_at, event_id, source_partition, source_offset)
SELECT md5('acceptance' || notification_id)::uuid, provider, notification_id,
       jsonb_build_object('provider', provider, 'notification_id', notification_id, 'channel', channel, 'reference', reference),
       first_seen_at, first_seen_at, md5('accepted' || notification_id)::uuid, 0, 0
FROM notification;

INSERT INTO alert (alert_id, type, provider, subject, data, raised_at, source_topic, source_partition, source_offset, source_event, told)
SELECT md5('alert' || notification_id)::uuid, 'dochak.notification.dead_lettered.v1', provider, notification_id,
       jsonb_build_object('status', status, 'provider', provider, 'notification_id', notification_id, 'code', code, 'reason', reason),
       first_seen_at, 'another', 0, 0, notification_id, true
FROM notification WHERE status = 'DEAD_LETTER';

INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, details)
SELECT md5('incident' || n)::uuid, (ARRAY['failing', 'silent', 'slow'])[1 + n % 3], (ARRAY['bizgo', 'blux'])[1 + n % 2], '', '' || n, at, at,
       CASE WHEN n > 4 THEN at + interval '10 minutes' END, at, 0, 0, jsonb_build_object('summary', 'what is wrong', 'check_first', '[]'::jsonb)
FROM generate_series(1, 2000) AS n, LATERAL (SELECT now() - n * interval '1 hour' AS at) AS t;

INSERT INTO quarantine (source_partition, source_offset, provider, endpoint, reason, received_at, size_bytes)
SELECT n % 8, n / 8, 'blux', 'blux/sms', 'no JSON', now() - n * interval '1 minute', 100 FROM generate_series(1, 10000) AS n;

INSERT INTO contact (provider, contact_id, provider_id, deleted, phone, phone_hash, consents, version, changed_at, gone_at)
SELECT 'channeltalk', 'm-' || n, 'own-' || n, n % 50 = 0, CASE WHEN n % 50 > 0 THEN '+8210****5678' END,
       CASE WHEN n % 50 > 0 THEN sha256(('phone' || n)::bytea) END,
       CASE WHEN n % 50 = 0 THEN '{}' WHEN n % 9 = 0 THEN '{"email": true, "texting": false}' ELSE '{"email": true, "texting": true}' END::jsonb,
       n, CASE WHEN n % 50 > 0 THEN at END, CASE WHEN n % 50 = 0 THEN at END
FROM generate_series(1, 1000000) AS n, LATERAL (SELECT now() - n * interval '1 minute' AS at) AS t;

INSERT INTO code_minute (minute, provider, endpoint, outcome, channel, code, partition, records)
SELECT date_trunc('minute', now()) - m * interval '1 minute', 'bizgo', 'bizgo/alimtalk', CASE WHEN c = 0 THEN 'delivered' ELSE 'failed' END,
       'ALIMTALK', CASE WHEN c = 0 THEN '10000' ELSE '6' || c END, p, 100
FROM generate_series(0, 1440) AS m, generate_series(0, 5) AS c, generate_series(0, 7) AS p;
INSERT INTO delivery_minute (minute, provider, endpoint, outcome, partition, records, last_at)
SELECT minute, provider, endpoint, outcome, partition, sum(records), max(minute) FROM code_minute GROUP BY 1, 2, 3, 4, 5;
INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled, leaving)
SELECT date_trunc('minute', now()) - m * interval '1 minute', e, 'ingress-' || i, gen_random_uuid(), split_part(e, '/', 1), 100, 98, 1,
       '{"ip": 1}', 1, 0, 0, false
FROM generate_series(0, 1440) AS m, unnest(ARRAY['bizgo/alimtalk', 'blux/sms']) AS e, generate_series(0, 1) AS i
