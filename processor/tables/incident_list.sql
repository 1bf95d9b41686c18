-- The incidents that are open, the newest first, then those that closed since a time, the last one first.
-- Columns: incident_id text, kind, provider, endpoint, scope, since, opened_at, closed_at, folded, details
-- $1 closed since timestamptz
SELECT incident_id::text, kind, provider, endpoint, scope, since, opened_at, closed_at, folded, details::text
FROM incident
WHERE closed_at IS NULL OR closed_at >= $1::timestamptz
ORDER BY closed_at DESC NULLS FIRST, opened_at DESC, incident_id
