-- The oldest open notification of a provider that was first seen after a time, and when that was.
-- $1 provider text  $2 from timestamptz
SELECT notification_id, (extract(epoch FROM first_seen_at) * 1000)::bigint FROM notification
WHERE provider = $1 AND status = 'PENDING' AND first_seen_at >= $2::timestamptz
ORDER BY first_seen_at LIMIT 1
