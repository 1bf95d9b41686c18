-- The endpoints that ingress named between two minutes, both included.
-- Columns: endpoint, provider
-- $1 the first minute timestamptz  $2 the last minute timestamptz
SELECT endpoint, max(provider) FROM endpoint_minute
WHERE minute BETWEEN $1::timestamptz AND $2::timestamptz
GROUP BY endpoint
