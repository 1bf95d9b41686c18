-- Who holds a lock on one of our tables, for people to read.
SELECT string_agg(DISTINCT format('process %s (%s, user %s, %s)', a.pid, a.application_name, a.usename,
                                  coalesce('from ' || host(a.client_addr), 'local')), ', ')
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
JOIN pg_class c ON c.oid = l.relation AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND a.pid <> pg_backend_pid()
