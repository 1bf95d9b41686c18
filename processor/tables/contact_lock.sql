-- Locks ids of contacts until the end of the transaction, also of contacts that have no row yet. An id is one of 256 locks, taken in their
-- order, so that no two transactions wait for each other.
-- $1 provider text[]  $2 contact_id or provider_id text[]
SELECT pg_advisory_xact_lock(1668247156, lock) -- the first number: "cont"
FROM (SELECT DISTINCT hashtext(provider || '/' || id) & 255 AS lock
      FROM unnest($1::text[], $2::text[]) AS named (provider, id) ORDER BY lock) AS locks
