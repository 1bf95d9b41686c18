-- The right to ask a provider, held until the session ends; false: another session has it.
-- $1 provider text
SELECT pg_try_advisory_lock(hashtextextended('dochak ask ' || $1::text, 0))
