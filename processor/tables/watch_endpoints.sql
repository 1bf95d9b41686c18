-- What each ingress counted since a minute. The rows of one endpoint and minute follow each other.
-- Columns: endpoint, provider, minute, calls, refused, refused_by, failed_in_a_row, spooled_since
-- $1 from which minute on timestamptz  $2 up to which minute timestamptz
SELECT endpoint, provider, minute, calls, refused, refused_by::text, failed_in_a_row, spooled_since
FROM endpoint_minute
WHERE minute >= $1::timestamptz AND minute <= $2::timestamptz
ORDER BY minute, endpoint
