-- Deletes the oldest notes on quarantined records. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT source_partition, source_offset, received_at FROM quarantine
  WHERE received_at >= $2::timestamptz AND received_at < now() - make_interval(days => $1::integer)
  ORDER BY received_at LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM quarantine q USING old WHERE q.source_partition = old.source_partition AND q.source_offset = old.source_offset RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(received_at), $2::timestamptz), (SELECT count(*) FROM deleted) AS quarantine FROM old
