-- What a provider has said about one person: the contact that has this id, else the one of which it is the provider's own id, else the one that
-- had it once. It names the columns that the role of the query API may read. Times of the session's zone. No row: there is no such contact.
-- provider || '': or all contacts of the provider could be read by the key. OFFSET 0: the row is looked up by what was found, and not the other way
-- round.
-- Columns: item json
-- $1 provider  $2 contact_id or one of the provider's ids
SELECT json_build_object('provider', provider, 'contact_id', contact_id, 'provider_id', provider_id,
                         'status', CASE WHEN deleted THEN 'deleted' ELSE 'known' END, 'phone', phone, 'phone_hash', encode(phone_hash, 'hex'),
                         'email', email, 'email_hash', encode(email_hash, 'hex'), 'consents', consents, 'version', version,
                         'last_at', greatest(changed_at, deleted_at, gone_at), 'changed_at', changed_at,
                         'deleted_at', CASE WHEN deleted THEN greatest(deleted_at, gone_at) END)
FROM (
  SELECT provider, contact_id FROM (
    (SELECT 1 AS rank, provider, contact_id FROM contact WHERE provider = $1::text AND contact_id = $2::text)
    UNION ALL
    (SELECT 2, provider, contact_id
     FROM (SELECT provider, contact_id FROM contact WHERE provider = $1::text AND provider_id = $2::text OFFSET 0) AS named
     ORDER BY contact_id LIMIT 1)
    UNION ALL
    (SELECT 3, provider, contact_id
     FROM (SELECT provider, contact_id FROM contact WHERE other_ids ? $2::text AND provider || '' = $1::text OFFSET 0) AS earlier
     ORDER BY contact_id LIMIT 1)
  ) AS ranked
  ORDER BY rank LIMIT 1
) AS found
CROSS JOIN LATERAL (
  SELECT provider_id, deleted, phone, phone_hash, email, email_hash, consents, version, changed_at, deleted_at, gone_at
  FROM contact WHERE provider = found.provider AND contact_id = found.contact_id OFFSET 0
) AS c
