-- Good calls of one endpoint between two minutes, both included. Minute by minute: as a range it would read those of all endpoints.
-- Columns: minute, calls, waits int (1: yes)
-- $1 the first minute timestamptz  $2 the last minute timestamptz  $3 endpoint text
SELECT at, calls, waits
FROM generate_series($1::timestamptz, $2::timestamptz, interval '1 minute') AS at,
LATERAL (SELECT sum(good)::bigint AS calls, bool_or(spooled_since IS NOT NULL)::integer AS waits
         FROM endpoint_minute WHERE minute = at AND endpoint = $3) AS m
WHERE calls IS NOT NULL
