-- Deletes the oldest notes on quarantined bytes: they matter for a day. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing older than this timestamptz
WITH old AS (
  SELECT fingerprint, raised_at FROM quarantine_alert
  WHERE raised_at >= $2::timestamptz AND raised_at < now() - make_interval(days => $1::integer)
  ORDER BY raised_at LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM quarantine_alert q USING old WHERE q.fingerprint = old.fingerprint RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(raised_at), $2::timestamptz), (SELECT count(*) FROM deleted) AS quarantine_alert FROM old
