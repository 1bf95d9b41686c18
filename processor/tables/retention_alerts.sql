-- Deletes the oldest alerts that are on their topic for sure. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT alert_id, raised_at FROM alert
  WHERE told AND raised_at >= $2::timestamptz AND raised_at < now() - make_interval(days => $1::integer)
  ORDER BY raised_at LIMIT 1000 FOR UPDATE SKIP LOCKED
), alerts AS (
  DELETE FROM alert a USING old WHERE a.alert_id = old.alert_id RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(raised_at), $2::timestamptz), (SELECT count(*) FROM alerts) AS alert FROM old
