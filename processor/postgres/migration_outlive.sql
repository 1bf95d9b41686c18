-- Whether no program is running that is too old for a migration; none can start then until the transaction ends.
-- $1 the oldest version whose programs may run int
SELECT coalesce(bool_and(pg_try_advisory_xact_lock(x'646f6368'::integer, version)), true)
FROM schema_migration WHERE version < $1::integer
