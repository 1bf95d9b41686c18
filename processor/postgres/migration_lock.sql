-- One migrate at a time, until its session ends; false: there is another. The key is that of schema_hold.sql.
SELECT pg_try_advisory_lock(x'646f6368'::integer, 0)
