-- The open incidents, the newest first.
-- Columns: incident_id, kind, provider, endpoint, scope, since, opened_at, judged_until, gap_ms, details
SELECT incident_id, kind, provider, endpoint, scope, since, opened_at, judged_until, gap_ms, details::text
FROM incident WHERE closed_at IS NULL
ORDER BY opened_at DESC
