-- The incidents since a time during which receipts may come late by no fault of the provider's pace. A certificate that will end keeps
-- no receipt away yet.
-- Columns: provider, since, closed_at
-- $1 from when on timestamptz
SELECT provider, since, closed_at FROM incident
WHERE kind IN ('silent', 'refusing', 'unreachable') AND scope NOT LIKE 'certificate%'
  AND (closed_at IS NULL OR closed_at >= $1::timestamptz)
