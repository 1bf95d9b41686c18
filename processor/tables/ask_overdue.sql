-- The notifications of a provider whose receipt is due, the oldest first: those that became so after a time, and those that expire soon.
-- Columns: notification_id, is_known: whether the provider still knows them
-- $1 provider text  $2 since when the provider knows them timestamptz  $3 until when they are due timestamptz
-- $4 became due, or known here, after timestamptz  $5 or expires until timestamptz
SELECT notification_id, coalesce(accepted_at, first_seen_at) >= $2::timestamptz
FROM (SELECT notification_id, accepted_at, first_seen_at, due_at, expires_at FROM notification
      WHERE provider = $1::text AND next_look_at IS NOT NULL AND status = 'PENDING' AND due_at <= $3::timestamptz
      UNION ALL
      SELECT notification_id, accepted_at, first_seen_at, due_at, expires_at FROM notification
      WHERE provider = $1::text AND next_look_at IS NULL AND status = 'PENDING' AND due_at <= $3::timestamptz) AS overdue
WHERE greatest(due_at, first_seen_at) > $4::timestamptz OR expires_at <= $5::timestamptz
ORDER BY due_at, notification_id
