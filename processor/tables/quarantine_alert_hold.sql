-- Inserts what is new and locks every row until the end of the transaction, in one order so that two writers never wait for each other.
-- Returns when each last raised an alert (NULL: never), and how many records raised none since.
-- $1 fingerprint uuid[]
INSERT INTO quarantine_alert (fingerprint)
SELECT DISTINCT fingerprint FROM unnest($1::uuid[]) AS given (fingerprint) ORDER BY fingerprint
ON CONFLICT (fingerprint) DO UPDATE SET fingerprint = excluded.fingerprint
RETURNING fingerprint, raised_at, folded
