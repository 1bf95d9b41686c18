-- The contacts of a provider that are not deleted and have an id that the operator gave them: by the provider's own they cannot be asked for.
-- Columns: contact_id, is_known: true
-- $1 provider text
SELECT contact_id, true FROM contact
WHERE provider = $1::text AND NOT deleted AND contact_id IS DISTINCT FROM provider_id
ORDER BY contact_id
