-- The contacts that have one of the ids, be it their own or one of the provider's.
-- provider || '': or all contacts of the provider could be read by the key, for each id.
-- $1 provider text[]  $2 contact_id or provider_id text[]
SELECT c.provider, c.contact_id, c.provider_id, c.deleted, c.phone, c.phone_hash, c.email, c.email_hash, c.consents::text, c.sealed,
       c.version, c.changed_at, c.deleted_version, c.deleted_at, c.deleted_provider_id, c.gone_at, c.gone_learned_at, c.seen_at,
       c.other_ids::text
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
