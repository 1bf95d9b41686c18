-- Notifications that have no row yet. One that is there after all is an error (23505).
COPY notification (provider, notification_id, status, outcome, code, reason, contradicted_by, channel, recipient,
                   recipient_hash, reference, accepted_at, resolved_at, unconfirmed_at, due_at, expires_at,
                   first_seen_at, version, corrected_version, next_look_at) FROM STDIN (FORMAT binary)
