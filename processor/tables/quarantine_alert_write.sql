-- These raised an alert. The rows are there and locked (quarantine_alert_hold.sql).
-- $1 fingerprint uuid[]  $2 raised_at timestamptz[]
UPDATE quarantine_alert q SET raised_at = raised.at
FROM unnest($1::uuid[], $2::timestamptz[]) AS raised (fingerprint, at)
WHERE q.fingerprint = raised.fingerprint
