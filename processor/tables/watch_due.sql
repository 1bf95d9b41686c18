-- The notifications whose deadline has passed, provider by provider, the oldest first. With `hold` only those that have expired. A deadline that
-- no program since schema version 14 has written is due_at.
-- Columns: provider, notification_id, deadline, expired int (1: yes; 0 also where it never expires)
-- $1 provider text[]  $2 hold int[] (1: yes)  $3 until timestamptz[]  $4 at most how many bigint[]
SELECT p.provider, n.notification_id, n.deadline, coalesce(n.deadline >= n.expires_at, false)::integer AS expired
FROM unnest($1::text[], $2::integer[], $3::timestamptz[], $4::bigint[]) AS p (provider, hold, until, most),
LATERAL (
  (SELECT notification_id, next_look_at AS deadline, expires_at FROM notification
   WHERE provider = p.provider AND next_look_at <= p.until AND (p.hold = 0 OR next_look_at >= expires_at)
   ORDER BY next_look_at LIMIT p.most)
  UNION ALL
  (SELECT notification_id, due_at, expires_at FROM notification
   WHERE provider = p.provider AND status = 'PENDING' AND next_look_at IS NULL AND due_at <= p.until AND p.hold = 0
   ORDER BY due_at LIMIT p.most)
) AS n
