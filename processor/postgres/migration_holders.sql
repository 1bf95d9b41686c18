-- Who holds the lock of one of these versions (schema_hold.sql), for people to read.
-- $1 first version int  $2 last version int
SELECT string_agg(format('process %s (%s, user %s, %s)', a.pid, a.application_name, a.usename,
                         coalesce('from ' || host(a.client_addr), 'local')), ', ' ORDER BY a.pid)
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = x'646f6368'::integer::oid
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.objid::bigint BETWEEN $1::bigint AND $2::bigint AND a.pid <> pg_backend_pid()
