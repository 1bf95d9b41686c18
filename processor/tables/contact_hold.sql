-- Locks the rows that contact_read.sql finds, in their order: a transaction with another id of the same contact waits for this one.
-- provider || '': or all contacts of the provider could be read by the key, for each id.
-- $1 provider text[]  $2 contact_id or provider_id text[]
SELECT c.contact_id
FROM (SELECT c.provider, c.contact_id
      FROM unnest($1::text[], $2::text[]) AS named (provider, id) JOIN contact c ON c.provider = named.provider AND c.contact_id = named.id
      UNION
      SELECT c.provider, c.contact_id
      FROM unnest($1::text[], $2::text[]) AS named (provider, id) JOIN contact c ON c.provider = named.provider AND c.provider_id = named.id
      UNION
      SELECT c.provider, c.contact_id
      FROM unnest($1::text[], $2::text[]) AS named (provider, id) JOIN contact c ON c.other_ids ? named.id AND c.provider || '' = named.provider
     ) AS found
JOIN contact c USING (provider, contact_id)
ORDER BY c.provider, c.contact_id
FOR UPDATE OF c
