-- Deletes the incidents that closed first; never an open one. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing closed before this timestamptz
WITH old AS (
  SELECT incident_id, closed_at FROM incident
  WHERE closed_at >= $2::timestamptz AND closed_at < now() - make_interval(days => $1::integer)
  ORDER BY closed_at LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM incident i USING old WHERE i.incident_id = old.incident_id RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(closed_at), $2::timestamptz), (SELECT count(*) FROM deleted) AS incident FROM old
