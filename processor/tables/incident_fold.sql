-- Counts overdue notifications into the open incidents of their providers.
-- $1 provider text[]  $2 how many bigint[]
UPDATE incident i SET folded = i.folded + given.n
FROM unnest($1::text[], $2::bigint[]) AS given (provider, n)
WHERE i.provider = given.provider AND i.closed_at IS NULL AND i.kind IN ('silent', 'failing') AND i.scope IN ('', 'account')
