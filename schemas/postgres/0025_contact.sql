-- What providers say about people: the newest of it, and that they were deleted.
-- bears: 5

CREATE TABLE contact (
  provider            text COLLATE "C" NOT NULL,
  contact_id          text COLLATE "C" NOT NULL,
  provider_id         text COLLATE "C",
  deleted             boolean     NOT NULL,
  phone               text,
  phone_hash          bytea,
  email               text,
  email_hash          bytea,
  consents            jsonb       NOT NULL,
  sealed              bytea,
  version             bigint,
  changed_at          timestamptz,
  deleted_version     bigint,
  deleted_at          timestamptz,
  deleted_provider_id text COLLATE "C",
  gone_at             timestamptz,
  gone_learned_at     timestamptz,
  seen_at             timestamptz,
  PRIMARY KEY (provider, contact_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX contact_provider_id ON contact (provider, provider_id) WHERE provider_id IS NOT NULL;

COMMENT ON TABLE contact IS 'People as a provider knows them. A row is made of the newest change and the newest deletions that the provider reported, whatever the order in which they came. Retention does not touch it.';
COMMENT ON COLUMN contact.provider IS 'Name of a provider file.';
COMMENT ON COLUMN contact.contact_id IS 'The id that the operator gave the person, such as Channel Talk''s memberId; the provider''s own where there is none.';
COMMENT ON COLUMN contact.provider_id IS 'The provider''s own id. NULL: it named none.';
COMMENT ON COLUMN contact.deleted IS 'One of the deletions is not older than the change. Such a row has no telephone number, no address and no consents.';
COMMENT ON COLUMN contact.phone IS 'Telephone number, masked. NULL: none.';
COMMENT ON COLUMN contact.phone_hash IS 'HMAC-SHA256 of it under DOCHAK_RECIPIENT_KEY, as notification.recipient_hash.';
COMMENT ON COLUMN contact.email IS 'E-mail address, masked. NULL: none.';
COMMENT ON COLUMN contact.email_hash IS 'HMAC-SHA256 of it, likewise.';
COMMENT ON COLUMN contact.consents IS 'By the names of the provider file: true is given, false is withdrawn; one that the provider did not mention is not there.';
COMMENT ON COLUMN contact.sealed IS 'Telephone number and e-mail address whole, as JSON, encrypted under DOCHAK_CONTACT_KEY: nonce, AES-256-GCM, tag, bound to provider and contact_id. NULL: there was no key, or neither is known.';
COMMENT ON COLUMN contact.version IS 'The provider''s version of the newest change. NULL: it has none.';
COMMENT ON COLUMN contact.changed_at IS 'When that change was, by the provider''s clock if known, and never later than it was received. NULL: only a deletion was reported.';
COMMENT ON COLUMN contact.deleted_version IS 'The version of the newest deletion that has one. NULL: none has.';
COMMENT ON COLUMN contact.deleted_at IS 'When that deletion was.';
COMMENT ON COLUMN contact.deleted_provider_id IS 'Which object of the provider was deleted; a person who comes back may be another one, whose versions begin anew.';
COMMENT ON COLUMN contact.gone_at IS 'When the newest deletion without a version was, such as the answer 404 to reconcile. NULL: there is none.';
COMMENT ON COLUMN contact.gone_learned_at IS 'When the last deletion without a version was received. NULL: there is none.';
COMMENT ON COLUMN contact.seen_at IS 'When the provider was last asked and knew the person. Deletions without a version that were received before count no more. NULL: never.';
COMMENT ON INDEX contact_provider_id IS 'By the provider''s own id, since a deletion may name only that.';
