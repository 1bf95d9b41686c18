-- The elements of all receipts of some notifications, by notification, byte by byte.
-- $1 provider text[]  $2 notification_id text[]
SELECT r.provider, r.notification_id, r.element::text
FROM unnest($1::text[], $2::text[]) AS wanted (provider, notification_id)
JOIN receipt r USING (provider, notification_id)
ORDER BY r.provider, r.notification_id
