-- What became of every message: the notifications, the receipts that say so, the alerts they raised.
-- Every table but schema_migration is found by (provider, notification_id) or by the place of a record in Kafka.
-- bears: 1

CREATE TABLE notification (
  provider        text        NOT NULL,
  notification_id text        NOT NULL,
  status          text        NOT NULL CHECK (status IN ('PENDING', 'SENT', 'DEAD_LETTER')),
  outcome         text        CHECK (outcome IN ('delivered', 'failed', 'account_fault', 'unconfirmed', 'rejected', 'expired')),
  code            text,
  reason          text,
  contradicted_by text,
  channel         text,
  recipient       text,
  recipient_hash  bytea,
  reference       text,
  accepted_at     timestamptz,
  resolved_at     timestamptz,
  unconfirmed_at  timestamptz,
  due_at          timestamptz,
  expires_at      timestamptz,
  first_seen_at   timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  version         integer     NOT NULL,
  PRIMARY KEY (provider, notification_id)
);
-- What is still open, in the order in which it falls due: the watch reads only this.
CREATE INDEX notification_pending_due ON notification (due_at) WHERE status = 'PENDING';

COMMENT ON TABLE notification IS 'One message to one recipient, and whether it arrived.';
COMMENT ON COLUMN notification.provider IS 'Who delivers and reports: the name of a provider file.';
COMMENT ON COLUMN notification.notification_id IS 'The provider''s id for this message to this recipient (BizGo msgKey, Blux notification_id).';
COMMENT ON COLUMN notification.status IS 'PENDING: accepted, nothing known yet. SENT: reported as arrived. DEAD_LETTER: did not arrive.';
COMMENT ON COLUMN notification.outcome IS 'What decided the status; unconfirmed: the provider cannot say yet; NULL: nothing reported.';
COMMENT ON COLUMN notification.code IS 'The provider''s result code behind the outcome.';
COMMENT ON COLUMN notification.reason IS 'Why, in words: the provider''s text, else the provider file''s. Numbers that could be phone numbers are masked.';
COMMENT ON COLUMN notification.contradicted_by IS 'Code of a receipt that said failed where the status is SENT (for example the first channel of a fallback).';
COMMENT ON COLUMN notification.channel IS 'Channel of the receipt that decided, else of the acceptance: ALIMTALK, SMS, ...';
COMMENT ON COLUMN notification.recipient IS 'Masked, for people to recognise: +8210****5678.';
COMMENT ON COLUMN notification.recipient_hash IS 'HMAC-SHA256 of the recipient under DOCHAK_RECIPIENT_KEY, to search by.';
COMMENT ON COLUMN notification.reference IS 'The sender''s own reference, for example an order number.';
COMMENT ON COLUMN notification.accepted_at IS 'When the send API took it (earliest registration); NULL: never registered.';
COMMENT ON COLUMN notification.resolved_at IS 'When it arrived or failed, by the provider''s clock where it tells, else by ours.';
COMMENT ON COLUMN notification.unconfirmed_at IS 'When the provider last said that it cannot tell yet; its receipt may still come.';
COMMENT ON COLUMN notification.due_at IS 'While PENDING: a receipt should be here by then.';
COMMENT ON COLUMN notification.expires_at IS 'While PENDING: after this nobody waits any longer.';
COMMENT ON COLUMN notification.first_seen_at IS 'When the first event about it was received.';
COMMENT ON COLUMN notification.updated_at IS 'When this row was last written.';
COMMENT ON COLUMN notification.version IS 'Counts the writes; a writer names the version it read and loses against a newer one.';
COMMENT ON INDEX notification_pending_due IS 'The open ones by deadline.';

CREATE TABLE receipt (
  receipt_id       uuid        PRIMARY KEY,
  provider         text        NOT NULL,
  notification_id  text        NOT NULL,
  outcome          text        NOT NULL CHECK (outcome IN ('delivered', 'failed', 'account_fault', 'unconfirmed')),
  code             text        NOT NULL,
  element          jsonb       NOT NULL,
  received_at      timestamptz NOT NULL,
  event_id         uuid        NOT NULL,
  source_partition integer     NOT NULL,
  source_offset    bigint      NOT NULL
);
CREATE INDEX receipt_notification ON receipt (provider, notification_id);

COMMENT ON TABLE receipt IS 'What a provider reported, each report once however often it was sent.';
COMMENT ON COLUMN receipt.receipt_id IS 'UUIDv5 of the provider, the notification id and the values of the provider file''s dedupe pointers.';
COMMENT ON COLUMN receipt.provider IS 'Who reported.';
COMMENT ON COLUMN receipt.notification_id IS 'On which message.';
COMMENT ON COLUMN receipt.outcome IS 'What the code means by the provider file that was in force.';
COMMENT ON COLUMN receipt.code IS 'The provider''s result code.';
COMMENT ON COLUMN receipt.element IS 'The provider''s element, its recipient masked, and numbers in its reason; the bytes as sent are in Kafka.';
COMMENT ON COLUMN receipt.received_at IS 'When ingress received it.';
COMMENT ON COLUMN receipt.event_id IS 'ce_id of the event that carried it first.';
COMMENT ON COLUMN receipt.source_partition IS 'Partition of that event.';
COMMENT ON COLUMN receipt.source_offset IS 'Offset of that event.';
COMMENT ON INDEX receipt_notification IS 'All receipts of one notification.';

CREATE TABLE alert (
  alert_id         uuid        PRIMARY KEY,
  type             text        NOT NULL,
  provider         text,
  subject          text,
  data             jsonb       NOT NULL,
  traceparent      text,
  raised_at        timestamptz NOT NULL,
  source_topic     text        NOT NULL,
  source_partition integer     NOT NULL,
  source_offset    bigint      NOT NULL,
  source_event     text        NOT NULL,
  told             boolean     NOT NULL DEFAULT false
);
-- Only those still to be told are ever looked for by source.
CREATE INDEX alert_untold ON alert (source_topic, source_partition, source_offset) WHERE NOT told;

COMMENT ON TABLE alert IS 'What was, or is about to be, told on the alert topic. An alert goes out in the Kafka transaction that commits its source, so a crash in between tells it once all the same.';
COMMENT ON COLUMN alert.alert_id IS 'ce_id: UUIDv5 of what it is about and its type, so the same alert never gets a second id.';
COMMENT ON COLUMN alert.type IS 'ce_type.';
COMMENT ON COLUMN alert.provider IS 'ce_provider; NULL: not about one provider.';
COMMENT ON COLUMN alert.subject IS 'ce_subject and the record''s key: the notification id, or NULL.';
COMMENT ON COLUMN alert.data IS 'The record''s value; see alert.schema.json.';
COMMENT ON COLUMN alert.traceparent IS 'W3C trace context of the request that caused it.';
COMMENT ON COLUMN alert.raised_at IS 'ce_time.';
COMMENT ON COLUMN alert.source_topic IS 'Topic of the record that caused it.';
COMMENT ON COLUMN alert.source_partition IS 'Partition of the record that caused it.';
COMMENT ON COLUMN alert.source_offset IS 'Offset of the record that caused it.';
COMMENT ON COLUMN alert.source_event IS 'ce_id of the record that caused it: a topic made anew has the offsets again, but not the ids.';
COMMENT ON COLUMN alert.told IS 'It is on the alert topic for sure; not told again even if the consumer group''s offsets are lost.';
COMMENT ON INDEX alert_untold IS 'The alerts a batch of records caused and nobody has told yet.';
