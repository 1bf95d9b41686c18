-- The notifications of a provider that were accepted in a time and have no result, or have only expired; or all of them. The oldest first.
-- Columns: notification_id, is_known: whether the provider still knows them
-- $1 provider text  $2 since when the provider knows them timestamptz  $3 from timestamptz  $4 before timestamptz  $5 whether all boolean
SELECT notification_id, at >= $2::timestamptz
FROM (SELECT notification_id, coalesce(accepted_at, first_seen_at) AS at FROM notification
      WHERE provider = $1::text AND next_look_at IS NOT NULL AND status = 'PENDING'
      UNION ALL
      SELECT notification_id, coalesce(accepted_at, first_seen_at) FROM notification
      WHERE provider = $1::text AND next_look_at IS NULL AND status = 'PENDING'
      UNION ALL
      -- first_seen_at is not much earlier: a receipt may come before the registration
      SELECT notification_id, coalesce(accepted_at, first_seen_at) FROM notification
      WHERE provider = $1::text AND status <> 'PENDING' AND ($5::boolean OR outcome = 'expired')
        AND first_seen_at >= $3::timestamptz - interval '1 day') AS open
WHERE at >= $3::timestamptz AND at < $4::timestamptz
ORDER BY at, notification_id
