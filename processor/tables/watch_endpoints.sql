-- What ingress counted since a minute. The calls that failed in a row are those of all ingress together: a provider does not know that there
-- are several.
-- Columns: endpoint, provider, minute, instance, calls, refused, refused_by, failed_in_a_row, spooled_since
-- $1 from which minute on timestamptz  $2 up to which minute timestamptz
SELECT endpoint, provider, minute, instance, calls, refused, refused_by::text,
       sum(failed_in_a_row) OVER (PARTITION BY endpoint, minute)::bigint, spooled_since
FROM endpoint_minute
WHERE minute >= $1::timestamptz AND minute <= $2::timestamptz
ORDER BY endpoint, minute
