-- Adds up the hours of a day that are complete. An hour that is there stays as it is.
-- $1 the hour that is not over yet timestamptz
INSERT INTO endpoint_hour (endpoint, hour, calls, live, known)
SELECT endpoint, date_trunc('hour', minute), sum(calls), count(*) FILTER (WHERE calls > 0), count(*)
FROM (SELECT endpoint, minute, sum(good)::bigint AS calls, bool_or(spooled_since IS NOT NULL) AS waits
      FROM endpoint_minute
      WHERE minute >= $1::timestamptz - interval '1 day' AND minute < $1::timestamptz
      GROUP BY endpoint, minute) AS m
WHERE NOT waits
GROUP BY 1, 2
ON CONFLICT (endpoint, hour) DO NOTHING
