-- When the providers were slow since a time.
-- Columns: provider, opened_at, closed_at
-- $1 from when on timestamptz
SELECT provider, opened_at, closed_at FROM incident
WHERE kind = 'slow' AND (closed_at IS NULL OR closed_at >= $1::timestamptz)
