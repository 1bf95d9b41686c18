-- outside of a transaction
-- Contacts are looked for by an id that the provider has for them beside the newest one.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_other_ids ON contact USING gin (other_ids) WHERE other_ids IS NOT NULL;

COMMENT ON INDEX contact_other_ids IS 'By an id that the provider has for the person beside the newest one: a deletion may name only that.';
