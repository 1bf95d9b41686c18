-- How far the index is that another migrate builds, or drops, and which sessions it waits for; for people to read. The session that
-- builds is the one with the lock of migration_lock.sql.
SELECT concat_ws('; ', coalesce(p.phase, 'dropping what an earlier attempt has left'),
                 CASE WHEN p.blocks_total > 0 THEN format('%s of %s blocks', p.blocks_done, p.blocks_total) END,
                 (SELECT 'waits for ' || string_agg(format('process %s (%s, user %s, %s)', a.pid, a.application_name, a.usename,
                                                           coalesce('from ' || host(a.client_addr), 'local')), ', ' ORDER BY a.pid)
                  FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids(l.pid))))
FROM pg_locks l LEFT JOIN pg_stat_progress_create_index p USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = x'646f6368'::integer::oid AND l.objid = 0
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
