-- How many records said what, minute by minute: written in the transaction of the batch, each record once.
-- bears: 3

CREATE TABLE delivery_minute (
  minute    timestamptz NOT NULL,
  provider  text COLLATE "C" NOT NULL,
  endpoint  text COLLATE "C" NOT NULL,
  outcome   text COLLATE "C" NOT NULL CHECK (outcome IN ('delivered', 'failed', 'account_fault', 'unconfirmed', 'repeated',
                                                         'accepted', 'rejected', 'other', 'quarantined')),
  partition integer     NOT NULL,
  records   bigint      NOT NULL,
  PRIMARY KEY (minute, provider, endpoint, outcome, partition)
);

COMMENT ON TABLE delivery_minute IS 'How many records said what: the watch reads it, and nothing counts the large tables.';
COMMENT ON COLUMN delivery_minute.minute IS 'The minute in which ingress received them.';
COMMENT ON COLUMN delivery_minute.provider IS 'Name of a provider file; empty: unknown.';
COMMENT ON COLUMN delivery_minute.endpoint IS 'The endpoint that was called; empty: none, as for a registration.';
COMMENT ON COLUMN delivery_minute.outcome IS 'A new receipt''s outcome; repeated: a receipt that was there already; accepted, rejected: a registration; other: an element that is no receipt; quarantined: bytes that were not understood.';
COMMENT ON COLUMN delivery_minute.partition IS 'Of the records: each partition has one worker, so no two wait for one row.';
COMMENT ON COLUMN delivery_minute.records IS 'How many.';

CREATE TABLE applied (
  topic          text    COLLATE "C" NOT NULL,
  partition      integer NOT NULL,
  next_offset    bigint  NOT NULL,
  counted_before bigint  NOT NULL,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 10);

COMMENT ON TABLE applied IS 'Up to where the records of each partition are counted in delivery_minute.';
COMMENT ON COLUMN applied.topic IS 'Topic of the records.';
COMMENT ON COLUMN applied.partition IS 'Partition of the records.';
COMMENT ON COLUMN applied.next_offset IS 'The first record that is not counted.';
COMMENT ON COLUMN applied.counted_before IS 'next_offset before the last batch.';
