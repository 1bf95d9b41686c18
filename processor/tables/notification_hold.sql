-- The notifications as they stand, and as they stay until the transaction ends; in the order in which batches lock rows.
-- Parameters and columns as in notification_read.sql.
SELECT n.provider, n.notification_id, n.status, n.outcome, n.code, n.reason, n.contradicted_by, n.channel,
       n.recipient, n.recipient_hash, n.reference, n.accepted_at, n.resolved_at, n.unconfirmed_at,
       n.due_at, n.expires_at, n.first_seen_at, n.version, n.corrected_version, n.next_look_at
FROM unnest($1::text[], $2::text[]) AS wanted (provider, notification_id)
JOIN notification n USING (provider, notification_id)
ORDER BY n.provider, n.notification_id
FOR UPDATE OF n
