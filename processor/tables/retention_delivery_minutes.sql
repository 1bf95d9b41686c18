-- Deletes the oldest counters. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT minute, provider, endpoint, outcome, partition FROM delivery_minute
  WHERE minute >= $2::timestamptz AND minute < now() - make_interval(days => $1::integer)
  ORDER BY minute LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM delivery_minute d USING old
  WHERE (d.minute, d.provider, d.endpoint, d.outcome, d.partition) =
        (old.minute, old.provider, old.endpoint, old.outcome, old.partition)
  RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(minute), $2::timestamptz), (SELECT count(*) FROM deleted) AS delivery_minute FROM old
