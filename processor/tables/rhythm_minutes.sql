-- Good calls of each endpoint between two minutes, both included: the clock of an ingress may be ahead. A minute without a row is
-- unknown, and so is one in which events waited in a spool.
-- Columns: endpoint, provider, minute, calls, waits int (1: yes)
-- $1 the first minute timestamptz  $2 the last minute timestamptz
SELECT endpoint, max(provider), minute, sum(good)::bigint, bool_or(spooled_since IS NOT NULL)::integer
FROM endpoint_minute
WHERE minute BETWEEN $1::timestamptz AND $2::timestamptz
GROUP BY endpoint, minute
ORDER BY endpoint, minute
