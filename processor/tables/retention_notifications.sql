-- Looks at the next thousand resolved notifications, from the first seen on, and deletes those that were not written for so many days, with
-- all their receipts and acceptances; one that a worker has locked stays. One row: whether there may be more, the age reached, how many of
-- each table. Those that stay are passed over, so the next thousand begin behind them; of more than a thousand that were first seen at
-- the same moment, the rest waits for the next sweep. Each provider and status is read by an index of its own order.
-- $1 days int  $2 nothing first seen at this or before timestamptz
WITH RECURSIVE known (provider) AS (
  SELECT min(provider) FROM notification
  UNION ALL
  SELECT (SELECT min(n.provider) FROM notification n WHERE n.provider > known.provider) FROM known WHERE provider IS NOT NULL
), looked_at AS (
  SELECT n.provider, n.notification_id, n.first_seen_at FROM known CROSS JOIN LATERAL (
    (SELECT provider, notification_id, first_seen_at FROM notification
     WHERE provider = known.provider AND status = 'SENT' AND first_seen_at > $2::timestamptz
       AND first_seen_at < now() - make_interval(days => $1::integer)
     ORDER BY first_seen_at LIMIT 1000)
    UNION ALL
    (SELECT provider, notification_id, first_seen_at FROM notification
     WHERE provider = known.provider AND status = 'DEAD_LETTER' AND first_seen_at > $2::timestamptz
       AND first_seen_at < now() - make_interval(days => $1::integer)
     ORDER BY first_seen_at LIMIT 1000)
  ) AS n
  ORDER BY n.first_seen_at LIMIT 1000
), old AS (
  SELECT n.provider, n.notification_id FROM looked_at JOIN notification n USING (provider, notification_id)
  WHERE n.updated_at < now() - make_interval(days => $1::integer) AND n.status <> 'PENDING'
  FOR UPDATE OF n SKIP LOCKED
), receipts AS (
  DELETE FROM receipt r USING old WHERE r.provider = old.provider AND r.notification_id = old.notification_id RETURNING 1
), acceptances AS (
  DELETE FROM acceptance a USING old WHERE a.provider = old.provider AND a.notification_id = old.notification_id RETURNING 1
), notifications AS (
  DELETE FROM notification n USING old WHERE n.provider = old.provider AND n.notification_id = old.notification_id RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(first_seen_at), $2::timestamptz), (SELECT count(*) FROM notifications) AS notification,
       (SELECT count(*) FROM receipts) AS receipt, (SELECT count(*) FROM acceptances) AS acceptance
FROM looked_at
