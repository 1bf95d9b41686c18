-- When these last raised an alert, and how many records raised none since. The rows are there and locked (quarantine_alert_hold.sql).
-- $1 fingerprint uuid[]  $2 raised_at timestamptz[]  $3 folded bigint[]
UPDATE quarantine_alert q SET raised_at = given.raised_at, folded = given.folded
FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) AS given (fingerprint, raised_at, folded)
WHERE q.fingerprint = given.fingerprint
