-- When the oldest open notification of a provider was first seen.
-- $1 provider text
SELECT first_seen_at FROM notification
WHERE provider = $1 AND status = 'PENDING'
ORDER BY first_seen_at LIMIT 1
