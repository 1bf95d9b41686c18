-- How many records said what, by channel and code: what fails, and why, without counting the large tables.
-- bears: 5

CREATE TABLE code_minute (
  minute    timestamptz NOT NULL,
  provider  text COLLATE "C" NOT NULL,
  endpoint  text COLLATE "C" NOT NULL,
  outcome   text COLLATE "C" NOT NULL,
  channel   text COLLATE "C" NOT NULL,
  code      text COLLATE "C" NOT NULL,
  partition integer     NOT NULL,
  records   bigint      NOT NULL,
  PRIMARY KEY (minute, provider, endpoint, outcome, channel, code, partition)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

COMMENT ON TABLE code_minute IS 'How many records about messages had which channel and code: delivery_minute in more detail, written with it. Records that were taken in before the table was there are not in it.';
COMMENT ON COLUMN code_minute.minute IS 'The minute in which ingress received them.';
COMMENT ON COLUMN code_minute.provider IS 'Name of a provider file.';
COMMENT ON COLUMN code_minute.endpoint IS 'The endpoint that was called; empty: none, as for a registration.';
COMMENT ON COLUMN code_minute.outcome IS 'As of delivery_minute: of a receipt that is new, of a registration that is, or of a deadline that passed.';
COMMENT ON COLUMN code_minute.channel IS 'Of the record, else of its notification; empty: neither names one.';
COMMENT ON COLUMN code_minute.code IS 'The provider''s result code; empty: it has none.';
COMMENT ON COLUMN code_minute.partition IS 'Of the records: each partition has one worker, so no two wait for one row.';
COMMENT ON COLUMN code_minute.records IS 'How many.';
