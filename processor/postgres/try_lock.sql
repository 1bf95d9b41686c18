-- An advisory lock, held until the session ends; false: somebody else has it.
-- $1 key bigint
SELECT pg_try_advisory_lock($1::bigint)
