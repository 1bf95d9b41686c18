-- Good calls of each endpoint since a minute. A minute without a row is unknown, and so is one in which events waited in a spool.
-- Columns: endpoint, provider, minute, calls, waits int (1: yes)
-- $1 from which minute on timestamptz
SELECT endpoint, max(provider), minute, sum(good)::bigint, bool_or(spooled_since IS NOT NULL)::integer
FROM endpoint_minute
WHERE minute >= $1::timestamptz
GROUP BY endpoint, minute
ORDER BY endpoint, minute
