-- Adds up the hours of a day of one endpoint that are complete. An hour that is there stays as it is. Minute by minute, as in rhythm_calls.sql.
-- $1 the hour that is not over yet timestamptz  $2 endpoint text
INSERT INTO endpoint_hour (endpoint, hour, calls, live, known)
SELECT $2::text, date_trunc('hour', at), sum(calls), count(*) FILTER (WHERE calls > 0), count(*)
FROM generate_series($1::timestamptz - interval '1 day', $1::timestamptz - interval '1 minute', interval '1 minute') AS at,
LATERAL (SELECT sum(good)::bigint AS calls, bool_or(spooled_since IS NOT NULL) AS waits
         FROM endpoint_minute WHERE minute = at AND endpoint = $2::text) AS m
WHERE NOT waits
GROUP BY 2
ON CONFLICT (endpoint, hour) DO NOTHING
