-- The receipts by time, for a replay. In a migration of its own: it reads the whole table, and meanwhile others may read it, too.
-- bears: 5

CREATE INDEX receipt_received ON receipt USING brin (received_at) WITH (autosummarize = on);

COMMENT ON INDEX receipt_received IS 'By time of receipt, a few bytes for a hundred pages; replay finds its range by it.';
