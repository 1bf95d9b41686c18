-- Deletes the oldest hours of what is usual. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT hour, provider FROM provider_hour
  WHERE hour >= $2::timestamptz AND hour < now() - make_interval(days => $1::integer)
  ORDER BY hour LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM provider_hour p USING old WHERE (p.hour, p.provider) = (old.hour, old.provider) RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(hour), $2::timestamptz), (SELECT count(*) FROM deleted) AS provider_hour FROM old
