-- Good calls of one endpoint between two minutes, both included.
-- Columns: minute, calls, waits int (1: yes)
-- $1 the first minute timestamptz  $2 the last minute timestamptz  $3 endpoint text
SELECT minute, sum(good)::bigint, bool_or(spooled_since IS NOT NULL)::integer
FROM endpoint_minute
WHERE minute BETWEEN $1::timestamptz AND $2::timestamptz AND endpoint = $3
GROUP BY minute
