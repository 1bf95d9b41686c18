-- Deletes the oldest counters of channels and codes. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT minute, provider, endpoint, outcome, channel, code, partition FROM code_minute
  WHERE minute >= $2::timestamptz AND minute < now() - make_interval(days => $1::integer)
  ORDER BY minute LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM code_minute c USING old
  WHERE (c.minute, c.provider, c.endpoint, c.outcome, c.channel, c.code, c.partition) =
        (old.minute, old.provider, old.endpoint, old.outcome, old.channel, old.code, old.partition)
  RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(minute), $2::timestamptz), (SELECT count(*) FROM deleted) AS code_minute FROM old
