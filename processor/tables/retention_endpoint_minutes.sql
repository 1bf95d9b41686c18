-- Deletes the oldest minutes of ingress. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT minute, endpoint, event_id FROM endpoint_minute
  WHERE minute >= $2::timestamptz AND minute < now() - make_interval(days => $1::integer)
  ORDER BY minute LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM endpoint_minute e USING old
  WHERE (e.minute, e.endpoint, e.event_id) = (old.minute, old.endpoint, old.event_id)
  RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(minute), $2::timestamptz), (SELECT count(*) FROM deleted) AS endpoint_minute FROM old
