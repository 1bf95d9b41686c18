-- What stands in quarantine, and what became of it. The bytes stay in Kafka.
-- bears: 5

CREATE TABLE quarantine (
  source_partition integer     NOT NULL,
  source_offset    bigint      NOT NULL,
  event_id         uuid,
  provider         text,
  endpoint         text,
  reason           text        NOT NULL,
  received_at      timestamptz NOT NULL,
  size_bytes       bigint      NOT NULL,
  redriven_at      timestamptz,
  PRIMARY KEY (source_partition, source_offset)
);
CREATE INDEX quarantine_received ON quarantine (received_at);

COMMENT ON TABLE quarantine IS 'The records of the quarantine topic, as the workers read them. Those that were read before the table was there are not in it.';
COMMENT ON COLUMN quarantine.source_partition IS 'Partition of the record.';
COMMENT ON COLUMN quarantine.source_offset IS 'Offset of the record. A topic that was made anew has the offsets again: the row is that of the last record that was read.';
COMMENT ON COLUMN quarantine.event_id IS 'ce_id. NULL: the record is no event of ours.';
COMMENT ON COLUMN quarantine.provider IS 'Whose input it is. NULL: not known.';
COMMENT ON COLUMN quarantine.endpoint IS 'The endpoint that brought it. NULL: none, as for a registration.';
COMMENT ON COLUMN quarantine.reason IS 'Why it was not understood.';
COMMENT ON COLUMN quarantine.received_at IS 'When ingress received it; of a record that is no event of ours, its time in Kafka.';
COMMENT ON COLUMN quarantine.size_bytes IS 'Length of the record''s value.';
COMMENT ON COLUMN quarantine.redriven_at IS 'When a redrive first understood all of it. NULL: none has.';
COMMENT ON INDEX quarantine_received IS 'By time of receipt; retention takes the oldest.';
