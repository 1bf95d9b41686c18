-- How many calls of each endpoint that no check refused were answered with other than 2xx since a minute.
-- Columns: endpoint, failed
-- $1 from which minute on timestamptz  $2 up to which minute timestamptz
SELECT endpoint, sum(calls - good - refused)::bigint FROM endpoint_minute
WHERE minute >= $1::timestamptz AND minute <= $2::timestamptz AND failed > 0
GROUP BY endpoint
