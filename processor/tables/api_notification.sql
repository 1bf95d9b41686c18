-- One notification with its history, each list in the order of time, a hundred entries of each at most; `truncated` says that there are
-- more. A document of more than 32 KiB is null. Times of the session's zone. No row: there is no such notification. The alerts are looked up
-- by the parameters, and not by the notification's columns, whose collation is another one than that of their index.
-- Columns: item json
-- $1 provider  $2 notification_id  $3 the words of codes: {provider: {code: text}} jsonb
SELECT json_build_object(
  'notification',
  json_build_object('provider', n.provider, 'notification_id', n.notification_id, 'status', n.status, 'outcome', n.outcome, 'code', n.code,
                    'reason', left(n.reason, 2000), 'contradicted_by', n.contradicted_by, 'channel', n.channel, 'recipient', n.recipient,
                    'recipient_hash', encode(n.recipient_hash, 'hex'), 'reference', n.reference, 'accepted_at', n.accepted_at,
                    'resolved_at', n.resolved_at, 'unconfirmed_at', n.unconfirmed_at, 'due_at', n.due_at, 'expires_at', n.expires_at,
                    'first_seen_at', n.first_seen_at, 'updated_at', n.updated_at),
  'acceptances',
  (SELECT coalesce(json_agg(json_build_object(
            'acceptance_id', a.acceptance_id, 'accepted_at', a.accepted_at, 'received_at', a.received_at, 'endpoint', a.endpoint,
            'event_id', a.event_id, 'registration', CASE WHEN length(a.registration::text) <= 32768 THEN a.registration END)
            ORDER BY a.received_at, a.source_offset), '[]')
   FROM (SELECT * FROM acceptance WHERE provider = n.provider AND notification_id = n.notification_id
         ORDER BY received_at, source_offset LIMIT 100) AS a),
  'receipts',
  (SELECT coalesce(json_agg(json_build_object(
            'receipt_id', r.receipt_id, 'outcome', r.outcome, 'code', r.code, 'reason', $3::jsonb -> r.provider ->> r.code,
            'received_at', r.received_at, 'endpoint', r.endpoint, 'event_id', r.event_id, 'element', CASE WHEN length(r.element::text) <= 32768 THEN r.element END)
            ORDER BY r.received_at, r.source_offset), '[]')
   FROM (SELECT * FROM receipt WHERE provider = n.provider AND notification_id = n.notification_id
         ORDER BY received_at, source_offset LIMIT 100) AS r),
  'alerts',
  (SELECT coalesce(json_agg(json_build_object(
            'alert_id', a.alert_id, 'type', a.type, 'provider', a.provider, 'subject', a.subject, 'raised_at', a.raised_at,
            'published', a.told, 'data', CASE WHEN length(a.data::text) <= 32768 THEN a.data END)
            ORDER BY a.raised_at, a.alert_id), '[]')
   FROM (SELECT * FROM alert WHERE provider = $1::text AND subject = $2::text
         ORDER BY raised_at, alert_id LIMIT 100) AS a),
  'truncated',
  EXISTS (SELECT FROM acceptance WHERE provider = n.provider AND notification_id = n.notification_id OFFSET 100)
  OR EXISTS (SELECT FROM receipt WHERE provider = n.provider AND notification_id = n.notification_id OFFSET 100)
  OR EXISTS (SELECT FROM alert WHERE provider = $1::text AND subject = $2::text OFFSET 100))
FROM notification n
WHERE n.provider = $1::text AND n.notification_id = $2::text
