-- Deletes the runs of asking a provider that ended first; never one that goes on. One row: whether there may be more, the age reached, how many.
-- $1 days int  $2 nothing that ended before this timestamptz
WITH old AS (
  SELECT run_id, ended_at FROM ask_run
  WHERE ended_at >= $2::timestamptz AND ended_at < now() - make_interval(days => $1::integer)
  ORDER BY ended_at LIMIT 1000 FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM ask_run r USING old WHERE r.run_id = old.run_id RETURNING 1
)
SELECT count(*) = 1000, coalesce(max(ended_at), $2::timestamptz), (SELECT count(*) FROM deleted) AS ask_run FROM old
