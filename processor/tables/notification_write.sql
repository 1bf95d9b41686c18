-- Writes each notification whole, provided that it was not written since it was read: version is the one to become.
-- Fewer rows than given means that one was, and the caller starts over from a fresh read.
-- $1 provider text[]  $2 notification_id text[]  $3 status text[]  $4 outcome text[]  $5 code text[]  $6 reason text[]
-- $7 contradicted_by text[]  $8 channel text[]  $9 recipient text[]  $10 recipient_hash bytea[]  $11 reference text[]
-- $12 accepted_at  $13 resolved_at  $14 unconfirmed_at  $15 due_at  $16 expires_at  $17 first_seen_at timestamptz[]
-- $18 version  $19 corrected_version int[]  $20 next_look_at timestamptz[]
INSERT INTO notification (provider, notification_id, status, outcome, code, reason, contradicted_by, channel, recipient,
                          recipient_hash, reference, accepted_at, resolved_at, unconfirmed_at, due_at, expires_at,
                          first_seen_at, version, corrected_version, next_look_at, updated_at)
SELECT *, now() FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                            $8::text[], $9::text[], $10::bytea[], $11::text[], $12::timestamptz[], $13::timestamptz[],
                            $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[],
                            $18::integer[], $19::integer[], $20::timestamptz[])
ON CONFLICT (provider, notification_id) DO UPDATE SET
  status = excluded.status, outcome = excluded.outcome, code = excluded.code, reason = excluded.reason,
  contradicted_by = excluded.contradicted_by, channel = excluded.channel, recipient = excluded.recipient,
  recipient_hash = excluded.recipient_hash, reference = excluded.reference, accepted_at = excluded.accepted_at,
  resolved_at = excluded.resolved_at, unconfirmed_at = excluded.unconfirmed_at, due_at = excluded.due_at,
  expires_at = excluded.expires_at, first_seen_at = excluded.first_seen_at, version = excluded.version,
  corrected_version = excluded.corrected_version, next_look_at = excluded.next_look_at, updated_at = excluded.updated_at
WHERE notification.version = excluded.version - 1
