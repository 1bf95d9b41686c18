-- When the watch last looked, and for how many seconds it has not.
-- Columns: looked_at, seconds
SELECT looked_at, greatest(0, extract(epoch FROM now() - looked_at))::bigint FROM watch_look WHERE one
