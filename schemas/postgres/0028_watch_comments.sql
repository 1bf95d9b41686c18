-- What these columns hold, more exactly.
-- bears: 1

COMMENT ON TABLE provider_hour IS 'How many messages had no receipt in time, hour by hour: what the watch takes for usual. Left out are messages of minutes in which receipts may have been late by no fault of the provider''s pace, and those that became due while slow was open.';
COMMENT ON COLUMN incident.judged_until IS 'While it is open, when its last fault was received: it does not close by a judgement that is older. Then, until when all was known to the judgement that closed it: a fault that was received later opens a new one.';
COMMENT ON COLUMN rhythm.standing IS 'learning: fewer than four weeks are known; irregular: only a floor can watch it; watching; registered: the messages of its provider are registered, so a missing receipt is overdue.';
COMMENT ON COLUMN endpoint_minute.failed_in_a_row IS 'Of the calls that no check refused, answers other than 2xx since the last 2xx, at the end of the minute.';
