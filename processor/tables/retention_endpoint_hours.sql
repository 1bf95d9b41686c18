-- Deletes the oldest hours of what is learned, endpoint by endpoint as the index has them. One row: whether there may be more, the age
-- reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT h.endpoint, h.hour FROM rhythm r, LATERAL (
    SELECT endpoint, hour FROM endpoint_hour
    WHERE endpoint = r.endpoint AND hour >= $2::timestamptz AND hour < now() - make_interval(days => $1::integer)
    ORDER BY hour LIMIT 1000 FOR UPDATE SKIP LOCKED
  ) AS h
  ORDER BY h.hour LIMIT 1000
), deleted AS (
  DELETE FROM endpoint_hour e USING old WHERE (e.endpoint, e.hour) = (old.endpoint, old.hour) RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(hour), $2::timestamptz), (SELECT count(*) FROM deleted) AS endpoint_hour FROM old
