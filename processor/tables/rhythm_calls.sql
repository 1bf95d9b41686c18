-- Good calls of one endpoint since a minute.
-- Columns: minute, calls, waits int (1: yes)
-- $1 from which minute on timestamptz  $2 endpoint text
SELECT minute, sum(good)::bigint, bool_or(spooled_since IS NOT NULL)::integer
FROM endpoint_minute
WHERE minute >= $1::timestamptz AND endpoint = $2
GROUP BY minute
