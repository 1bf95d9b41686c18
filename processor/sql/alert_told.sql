-- These are on the alert topic, committed.
-- Not waited for: a note that a crash of Postgres takes is one that was never made, as if we had died before it.
-- $1 alert_id uuid[]
WITH unsynced AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE alert SET told = true FROM unsynced WHERE alert_id = ANY ($1::uuid[])
