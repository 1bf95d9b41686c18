-- The endpoints that ingress named since a minute, and when it last refused a call of each.
-- Columns: endpoint, provider, refused_at
-- $1 from which minute on timestamptz  $2 up to which minute timestamptz
SELECT endpoint, max(provider), max(minute) FILTER (WHERE refused > 0) FROM endpoint_minute
WHERE minute >= $1::timestamptz AND minute <= $2::timestamptz
GROUP BY endpoint
