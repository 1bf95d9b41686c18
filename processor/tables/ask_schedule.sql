-- What the schedule of a provider goes by. Times are Unix milliseconds; 0: never. Runs from before the clock went back do not count.
-- Columns: whether a run of the schedule has not ended; when the last one that has ended began; the same of those that asked for all;
-- when a silent incident was last opened or closed
-- $1 provider text  $2 now timestamptz
SELECT EXISTS (SELECT FROM ask_run WHERE provider = $1::text AND scheduled AND ended_at IS NULL),
       coalesce((extract(epoch FROM asked.any_at) * 1000)::bigint, 0),
       coalesce((extract(epoch FROM asked.all_at) * 1000)::bigint, 0),
       coalesce((extract(epoch FROM greatest(
         (SELECT max(opened_at) FROM incident WHERE kind = 'silent' AND provider = $1::text AND closed_at IS NULL),
         (SELECT max(closed_at) FROM incident WHERE kind = 'silent' AND provider = $1::text AND closed_at IS NOT NULL))) * 1000)::bigint, 0)
FROM (SELECT max(started_at) AS any_at, max(started_at) FILTER (WHERE scope LIKE 'all %') AS all_at FROM ask_run
      WHERE provider = $1::text AND scheduled AND ended_at IS NOT NULL AND started_at <= $2::timestamptz) AS asked
