-- A page of incidents, the newest first: by opened_at, then id. The item has the members of the incident's alerts. Times of the session's zone.
-- Columns: item json, opened_at as the cursor has it, incident_id
-- $1 status: open or closed  $2 kind  $3 provider  $4 endpoint  $5 since timestamptz: each may be NULL
-- $6 before timestamptz  $7 incident_id: what is behind this place  $8 at most how many
SELECT details || jsonb_build_object(
         'incident_id', incident_id, 'kind', kind, 'status', CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END,
         'provider', nullif(provider, ''), 'endpoint', nullif(endpoint, ''), 'scope', nullif(scope, ''), 'since', since,
         'opened_at', opened_at, 'closed_at', closed_at, 'folded_overdue', folded),
       to_char(opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), incident_id
FROM incident
WHERE ($1::text IS NULL OR (closed_at IS NULL) = ($1::text = 'open')) AND ($2::text IS NULL OR kind = $2::text)
  AND ($3::text IS NULL OR provider = $3::text) AND ($4::text IS NULL OR endpoint = $4::text)
  AND opened_at >= coalesce($5::timestamptz, '-infinity')
  AND opened_at <= $6::timestamptz AND (opened_at, incident_id) < ($6::timestamptz, $7::uuid)
ORDER BY opened_at DESC, incident_id DESC LIMIT $8::bigint
