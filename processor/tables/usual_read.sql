-- What is usual by hour of the day (UTC): the sums of 28 days, without the last day.
-- Columns: provider, hour of the day int, taken, late
-- $1 now timestamptz
SELECT provider, extract(hour FROM hour AT TIME ZONE 'UTC')::integer, sum(taken)::bigint, sum(late)::bigint
FROM provider_hour
WHERE hour >= $1::timestamptz - interval '29 days' AND hour < $1::timestamptz - interval '1 day'
GROUP BY 1, 2
