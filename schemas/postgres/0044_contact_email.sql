-- outside of a transaction
-- People ask by e-mail address, too.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_email ON contact (email_hash) WHERE email_hash IS NOT NULL;

COMMENT ON INDEX contact_email IS 'All contacts with one e-mail address.';
