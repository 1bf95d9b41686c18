-- The hours of an endpoint since a time.
-- Columns: hour, calls, live, known
-- $1 from when on timestamptz  $2 endpoint text
SELECT hour, calls, live, known FROM endpoint_hour WHERE endpoint = $2 AND hour >= $1::timestamptz
