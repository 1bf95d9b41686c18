-- Locks notifications until the transaction ends, in the order in which batches lock rows. In a transaction with one snapshot, one
-- that was written or deleted since is an error (40001).
-- $1 provider text[]  $2 notification_id text[]
SELECT FROM unnest($1::text[], $2::text[]) AS wanted (provider, notification_id)
JOIN notification n USING (provider, notification_id)
ORDER BY n.provider, n.notification_id
FOR UPDATE OF n
