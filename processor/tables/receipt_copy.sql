-- Receipts of notifications that have no row yet: all are new. One that is there after all is an error (23505).
COPY receipt (receipt_id, provider, notification_id, outcome, code, element, received_at, event_id, endpoint,
              source_partition, source_offset) FROM STDIN (FORMAT binary)
