-- The run of a provider that has not ended. Times are Unix milliseconds; not_before is 0 if it is NULL.
-- Columns: run_id, scope, started_at, not_before, questions, requests, found, nothing, differed
-- $1 provider text  $2 about text  $3 whether that of the schedule boolean
SELECT run_id, scope, (extract(epoch FROM started_at) * 1000)::bigint, coalesce((extract(epoch FROM not_before) * 1000)::bigint, 0),
       questions, requests, found, nothing, differed
FROM ask_run WHERE provider = $1::text AND about = $2::text AND scheduled = $3::boolean AND ended_at IS NULL
