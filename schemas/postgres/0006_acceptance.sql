-- What applications registered, kept as receipts are: a replay reads the tables alone, so it works beyond the retention of the topic. And the
-- endpoint that brought a receipt.
-- bears: 5

ALTER TABLE receipt ADD COLUMN endpoint text;

COMMENT ON COLUMN receipt.endpoint IS 'ce_endpoint of that event: the endpoint that brought it. NULL: taken in before the column was there.';

CREATE TABLE acceptance (
  acceptance_id    uuid        NOT NULL,
  provider         text        COLLATE "C" NOT NULL,
  notification_id  text        COLLATE "C" NOT NULL,
  registration     jsonb       NOT NULL,
  recipient        text,
  recipient_hash   bytea,
  accepted_at      timestamptz NOT NULL,
  received_at      timestamptz NOT NULL,
  event_id         uuid        NOT NULL,
  endpoint         text,
  source_partition integer     NOT NULL,
  source_offset    bigint      NOT NULL,
  PRIMARY KEY (provider, notification_id, acceptance_id)
);
CREATE INDEX acceptance_received ON acceptance USING brin (received_at) WITH (autosummarize = on);

COMMENT ON TABLE acceptance IS 'What a send API answered for one recipient, as the application registered it, each answer once however often it was registered. Empty for what was registered before the table was there.';
COMMENT ON COLUMN acceptance.acceptance_id IS 'UUIDv5 of the provider, the notification id, the masked recipient and the registration.';
COMMENT ON COLUMN acceptance.provider IS 'Whose send API answered.';
COMMENT ON COLUMN acceptance.notification_id IS 'For which message.';
COMMENT ON COLUMN acceptance.registration IS 'The event''s value (event.accepted.schema.json) without its recipient. In the response, recipients are masked, and numbers in the reason; the bytes as sent are in Kafka.';
COMMENT ON COLUMN acceptance.recipient IS 'Masked: of the registration, else of the response. NULL: neither has one.';
COMMENT ON COLUMN acceptance.recipient_hash IS 'HMAC-SHA256 of the recipient under DOCHAK_RECIPIENT_KEY, to search by.';
COMMENT ON COLUMN acceptance.accepted_at IS 'When the send API answered: as registered, else received_at. Also of an answer that was a refusal.';
COMMENT ON COLUMN acceptance.received_at IS 'When ingress received it.';
COMMENT ON COLUMN acceptance.event_id IS 'ce_id of the event that carried it first.';
COMMENT ON COLUMN acceptance.endpoint IS 'ce_endpoint of that event. NULL: it was registered at POST /v1/notifications.';
COMMENT ON COLUMN acceptance.source_partition IS 'Partition of that event.';
COMMENT ON COLUMN acceptance.source_offset IS 'Offset of that event.';
COMMENT ON INDEX acceptance_received IS 'By time of receipt; replay finds its range by it.';
