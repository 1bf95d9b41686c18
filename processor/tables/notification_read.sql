-- The notifications as they stand. Columns in the order of `struct notification`'s reader in rows.c.
-- $1 provider text[]  $2 notification_id text[]
SELECT n.provider, n.notification_id, n.status, n.outcome, n.code, n.reason, n.contradicted_by, n.channel,
       n.recipient, n.recipient_hash, n.reference, n.accepted_at, n.resolved_at, n.unconfirmed_at,
       n.due_at, n.expires_at, n.first_seen_at, n.version, n.corrected_version, n.next_look_at
FROM unnest($1::text[], $2::text[]) AS wanted (provider, notification_id)
JOIN notification n USING (provider, notification_id)
