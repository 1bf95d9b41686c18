-- The server process that runs this statement.
SELECT pg_backend_pid()
