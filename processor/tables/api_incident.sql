-- One incident, with the members of its alerts. Times of the session's zone. No row: there is no such incident, or the id is no UUID.
-- Columns: item json
-- $1 incident_id
SELECT details || jsonb_build_object(
         'incident_id', incident_id, 'kind', kind, 'status', CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END,
         'provider', nullif(provider, ''), 'endpoint', nullif(endpoint, ''), 'scope', nullif(scope, ''), 'since', since,
         'opened_at', opened_at, 'closed_at', closed_at, 'folded_overdue', folded)
FROM incident
WHERE incident_id = CASE WHEN $1::text ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN $1::text::uuid END
