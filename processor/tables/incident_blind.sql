-- The incidents since a time during which receipts may come late by no fault of the provider's pace.
-- Columns: provider, since, closed_at
-- $1 from when on timestamptz
SELECT provider, since, closed_at FROM incident
WHERE kind IN ('silent', 'refusing', 'unreachable') AND (closed_at IS NULL OR closed_at >= $1::timestamptz)
