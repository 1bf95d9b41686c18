-- These are on the alert topic, committed.
-- $1 alert_id uuid[]
UPDATE alert SET told = true WHERE alert_id = ANY ($1::uuid[]) AND NOT told
