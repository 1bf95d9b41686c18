-- What these columns hold, more exactly.
-- bears: 1

COMMENT ON COLUMN endpoint_minute.failed_in_a_row IS 'Of the calls that no check refused, answers other than 2xx since the last 2xx, at the end of the minute.';
