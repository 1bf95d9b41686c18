-- Locks the open incidents of these providers. Every batch takes them in this order before it writes any of them, so that two never wait for
-- each other.
-- $1 provider text[]
SELECT FROM incident WHERE closed_at IS NULL AND provider = ANY ($1::text[])
ORDER BY kind, provider, endpoint, scope
FOR NO KEY UPDATE
