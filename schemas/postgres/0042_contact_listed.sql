-- outside of a transaction
-- Contacts are listed by time, also those of one provider and of one consent. What the consents may be together are a few sets for each
-- provider, so a list reads a page of each of them.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_listed ON contact (provider, deleted, consents, (greatest(changed_at, deleted_at, gone_at)), contact_id);

COMMENT ON INDEX contact_listed IS 'The contacts of a provider with the same consents, by the time of the newest change or deletion. A query must write that time as the index does.';
