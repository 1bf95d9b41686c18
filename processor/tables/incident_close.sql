-- Closes incidents, unless they are closed already, or a fault was received after the judgement. Returns those that it closed.
-- $1 incident_id uuid[]  $2 closed_at timestamptz[]  $3 judged_until timestamptz[]
UPDATE incident i SET closed_at = given.closed_at, judged_until = given.judged_until
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS given (incident_id, closed_at, judged_until)
WHERE i.incident_id = given.incident_id AND i.closed_at IS NULL AND i.judged_until <= given.judged_until
RETURNING i.incident_id, i.opened_at, i.folded
