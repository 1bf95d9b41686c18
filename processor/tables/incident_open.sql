-- Opens incidents, or adds the faults to the open one of the same key. Returns the ids of those that were written: one that is not among the
-- given ids was open already. An event that is read again changes nothing, nor does a fault from before the judgement by which the last incident of the key closed.
-- The gap to expect between faults goes on where the last incident of the key ended, as failing_fault_add() says.
-- $1 incident_id uuid[]  $2 kind text[]  $3 provider text[]  $4 endpoint text[]  $5 scope text[]  $6 since timestamptz[]
-- $7 opened_at timestamptz[]  $8 judged_until timestamptz[]  $9 faults bigint[]  $10 gap_ms bigint[]  $11 details jsonb[]
INSERT INTO incident AS i (incident_id, kind, provider, endpoint, scope, since, opened_at, judged_until, faults, gap_ms, details)
SELECT given.incident_id, given.kind, given.provider, given.endpoint, given.scope, given.since, given.opened_at, given.judged_until,
       given.faults, greatest(given.gap_ms, last.gap_ms - last.gap_ms / 20), given.details
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
            $9::bigint[], $10::bigint[], $11::jsonb[])
     AS given (incident_id, kind, provider, endpoint, scope, since, opened_at, judged_until, faults, gap_ms, details)
LEFT JOIN LATERAL (
  SELECT o.gap_ms, o.judged_until FROM incident o
  WHERE (o.kind, o.provider, o.endpoint, o.scope) = (given.kind, given.provider, given.endpoint, given.scope) AND o.closed_at IS NOT NULL
  ORDER BY o.closed_at DESC LIMIT 1
) AS last ON true
WHERE NOT EXISTS (SELECT FROM incident o WHERE o.incident_id = given.incident_id)
  AND coalesce(last.judged_until < given.judged_until, true)
ORDER BY given.kind, given.provider, given.endpoint, given.scope
ON CONFLICT (kind, provider, endpoint, scope) WHERE closed_at IS NULL DO UPDATE
SET faults = i.faults + excluded.faults,
    gap_ms = greatest((i.gap_ms * power(0.95, least(excluded.faults, 100)))::bigint,
                      (extract(epoch FROM excluded.since - i.judged_until) * 1000)::bigint),
    judged_until = greatest(i.judged_until, excluded.judged_until)
RETURNING incident_id
