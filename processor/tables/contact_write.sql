-- Writes each contact whole; contact_lock.sql and contact_hold.sql have locked it.
-- $1 provider text[]  $2 contact_id text[]  $3 provider_id text[]  $4 deleted bigint[] (1: true)  $5 phone text[]  $6 phone_hash bytea[]
-- $7 email text[]  $8 email_hash bytea[]  $9 consents jsonb[]  $10 sealed bytea[]  $11 version bigint[]  $12 changed_at timestamptz[]
-- $13 deleted_version bigint[]  $14 deleted_at timestamptz[]  $15 deleted_provider_id text[]  $16 gone_at  $17 gone_learned_at
-- $18 seen_at timestamptz[]  $19 other_ids jsonb[]
INSERT INTO contact (provider, contact_id, provider_id, deleted, phone, phone_hash, email, email_hash, consents, sealed, version, changed_at,
                     deleted_version, deleted_at, deleted_provider_id, gone_at, gone_learned_at, seen_at, other_ids)
SELECT provider, contact_id, provider_id, deleted = 1, phone, phone_hash, email, email_hash, consents, sealed, version, changed_at,
       deleted_version, deleted_at, deleted_provider_id, gone_at, gone_learned_at, seen_at, other_ids
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::text[], $8::bytea[], $9::jsonb[], $10::bytea[],
            $11::bigint[], $12::timestamptz[], $13::bigint[], $14::timestamptz[], $15::text[], $16::timestamptz[], $17::timestamptz[],
            $18::timestamptz[], $19::jsonb[])
     AS given (provider, contact_id, provider_id, deleted, phone, phone_hash, email, email_hash, consents, sealed, version, changed_at,
               deleted_version, deleted_at, deleted_provider_id, gone_at, gone_learned_at, seen_at, other_ids)
ON CONFLICT (provider, contact_id) DO UPDATE SET
  provider_id = excluded.provider_id, deleted = excluded.deleted, phone = excluded.phone, phone_hash = excluded.phone_hash,
  email = excluded.email, email_hash = excluded.email_hash, consents = excluded.consents, sealed = excluded.sealed,
  version = excluded.version, changed_at = excluded.changed_at, deleted_version = excluded.deleted_version,
  deleted_at = excluded.deleted_at, deleted_provider_id = excluded.deleted_provider_id, gone_at = excluded.gone_at,
  gone_learned_at = excluded.gone_learned_at, seen_at = excluded.seen_at, other_ids = excluded.other_ids
