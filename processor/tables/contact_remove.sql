-- Contacts that have become a part of others.
-- $1 provider text[]  $2 contact_id text[]
DELETE FROM contact c USING unnest($1::text[], $2::text[]) AS removed (provider, contact_id)
WHERE c.provider = removed.provider AND c.contact_id = removed.contact_id
