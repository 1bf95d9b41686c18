-- Whether nobody runs a program that is older than a migration bears; none can start then until the transaction ends.
-- $1 the version it bears int
SELECT coalesce(bool_and(pg_try_advisory_xact_lock(x'646f6368'::integer, version)), true)
FROM schema_migration WHERE version < $1::integer
