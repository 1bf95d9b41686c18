-- The notifications of a provider whose receipt is due, the oldest first.
-- Columns: notification_id, is_known: whether the provider still knows them
-- $1 provider text  $2 since when the provider knows them timestamptz
SELECT notification_id, coalesce(accepted_at, first_seen_at) >= $2::timestamptz
FROM (SELECT notification_id, accepted_at, first_seen_at, due_at FROM notification
      WHERE provider = $1::text AND next_look_at IS NOT NULL AND status = 'PENDING' AND due_at <= now()
      UNION ALL
      SELECT notification_id, accepted_at, first_seen_at, due_at FROM notification
      WHERE provider = $1::text AND next_look_at IS NULL AND status = 'PENDING' AND due_at <= now()) AS overdue
ORDER BY due_at, notification_id
