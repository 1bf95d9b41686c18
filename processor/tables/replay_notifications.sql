-- The candidates as they stand, and as they stay until the transaction ends. Columns as in notification_read.sql, then the number.
-- $1 first number bigint  $2 last number bigint
SELECT n.provider, n.notification_id, n.status, n.outcome, n.code, n.reason, n.contradicted_by, n.channel,
       n.recipient, n.recipient_hash, n.reference, n.accepted_at, n.resolved_at, n.unconfirmed_at,
       n.due_at, n.expires_at, n.first_seen_at, n.version, n.corrected_version, c.number
FROM replay_candidate c JOIN notification n USING (provider, notification_id)
WHERE c.number BETWEEN $1::bigint AND $2::bigint
ORDER BY c.number
FOR UPDATE OF n
