-- Deletes the oldest resolved notifications with all their receipts and acceptances; one that somebody is at work on stays. One row:
-- whether there may be more, the age reached, how many of each table.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT provider, notification_id, updated_at FROM notification
  WHERE status <> 'PENDING' AND updated_at >= $2::timestamptz AND updated_at < now() - make_interval(days => $1::integer)
  ORDER BY updated_at LIMIT 1000 FOR UPDATE SKIP LOCKED
), receipts AS (
  DELETE FROM receipt r USING old WHERE r.provider = old.provider AND r.notification_id = old.notification_id RETURNING 1
), acceptances AS (
  DELETE FROM acceptance a USING old WHERE a.provider = old.provider AND a.notification_id = old.notification_id RETURNING 1
), notifications AS (
  DELETE FROM notification n USING old WHERE n.provider = old.provider AND n.notification_id = old.notification_id RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(updated_at), $2::timestamptz), (SELECT count(*) FROM notifications) AS notification,
       (SELECT count(*) FROM receipts) AS receipt, (SELECT count(*) FROM acceptances) AS acceptance
FROM old
