-- As many open notifications as bench.rows says, accepted evenly over the last three days, which is when they expire: so each second as many
-- become overdue as expire. With the counters that the watch reads beside them: a day of minutes, and what is learned from weeks.
-- SPDX-License-Identifier: MIT
INSERT INTO notification (provider, notification_id, status, channel, recipient, recipient_hash, reference, accepted_at, due_at, expires_at,
                          next_look_at, first_seen_at, updated_at, version)
SELECT CASE WHEN n % 4 = 0 THEN 'blux' ELSE 'bizgo' END,
       to_char(at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSMS') || substr(md5(n::text), 1, 12) || '001', 'PENDING', 'ALIMTALK', '0101****5678',
       sha256(n::text::bytea), 'order-' || n, at, at + interval '300 s', at + interval '3 days',
       at + CASE WHEN at > now() - interval '300 s' THEN interval '300 s' ELSE interval '3 days' END, at, at, 1
FROM generate_series(1, current_setting('bench.rows')::bigint) AS n,
     LATERAL (SELECT now() - (current_setting('bench.rows')::bigint - n) * (interval '3 days' / current_setting('bench.rows')::bigint) AS at) AS t;

INSERT INTO delivery_minute (minute, provider, endpoint, outcome, partition, records, last_at)
SELECT minute, provider, provider || '/bench', outcome, partition, CASE outcome WHEN 'failed' THEN 3 ELSE 100 END, minute + interval '59 s'
FROM generate_series(date_trunc('minute', now()) - interval '26 hours', now(), interval '1 minute') AS minute,
     unnest('{bizgo,blux}'::text[]) AS provider, unnest('{delivered,failed,taken,in_time}'::text[]) AS outcome, generate_series(0, 7) AS partition;

INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled, leaving)
SELECT minute, provider || '/bench', instance, gen_random_uuid(), provider, 800, 800, 0, '{}', 0, 0, 0, false
FROM generate_series(date_trunc('minute', now()) - interval '26 hours', now(), interval '1 minute') AS minute,
     unnest('{bizgo,blux}'::text[]) AS provider, unnest('{one,two}'::text[]) AS instance;

INSERT INTO provider_hour (hour, provider, taken, late)
SELECT hour, provider, 48000, 480
FROM generate_series(date_trunc('hour', now()) - interval '28 days', now() - interval '26 hours', interval '1 hour') AS hour,
     unnest('{bizgo,blux}'::text[]) AS provider;

INSERT INTO endpoint_hour (endpoint, hour, calls, live, known)
SELECT provider || '/bench', hour, 48000, 60, 60
FROM generate_series(date_trunc('hour', now()) - interval '91 days', now() - interval '26 hours', interval '1 hour') AS hour,
     unnest('{bizgo,blux}'::text[]) AS provider
