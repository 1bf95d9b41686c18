-- The incidents since a time whose hours are not learned. A certificate that will end keeps no call away yet.
-- Columns: since, closed_at
-- $1 from when on timestamptz  $2 endpoint text  $3 provider text
SELECT since, closed_at FROM incident
WHERE kind IN ('silent', 'refusing', 'unreachable') AND scope NOT LIKE 'certificate%'
  AND (closed_at IS NULL OR closed_at >= $1::timestamptz)
  AND (endpoint = $2 OR (endpoint = '' AND provider IN ('', $3)))
