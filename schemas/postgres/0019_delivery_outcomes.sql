-- More counters for the watch, and how many records of a kind raised no alert.
-- NOT VALID: the rows that are there keep to the narrower check, so no table is read under the lock.
-- bears: 5

ALTER TABLE delivery_minute
  DROP CONSTRAINT delivery_minute_outcome_check,
  ADD CONSTRAINT delivery_minute_outcome_check
    CHECK (outcome IN ('delivered', 'failed', 'recipient_fault', 'account_fault', 'unconfirmed', 'repeated', 'accepted', 'rejected', 'overdue',
                       'expired', 'taken', 'in_time', 'other', 'quarantined')) NOT VALID,
  ADD COLUMN last_at timestamptz;

COMMENT ON COLUMN delivery_minute.last_at IS 'When the last of them was received. NULL: written by a program that did not know the column.';

COMMENT ON COLUMN delivery_minute.minute IS 'The minute in which ingress received them. Of taken and in_time: the minute in which the send API accepted the notification.';
COMMENT ON COLUMN delivery_minute.outcome IS 'A new receipt''s outcome; recipient_fault: failed because of the recipient; repeated: a receipt or a registration that was there already; accepted, rejected: a registration; overdue, expired: a deadline that passed; taken: a notification accepted for the first time; in_time: its first receipt came in the time that the provider file allows; other: an element that is no receipt; quarantined: bytes that were not understood.';

ALTER TABLE quarantine_alert ADD COLUMN folded bigint NOT NULL DEFAULT 0;

COMMENT ON TABLE quarantine_alert IS 'When input that is not understood for one reason last raised an alert. A provider that changes its format raises one a day; every record of it stays on the quarantine topic.';
COMMENT ON COLUMN quarantine_alert.fingerprint IS 'UUIDv5 of the endpoint and the reason, without the values in the reason; or of the type of an event that was quarantined whole.';
COMMENT ON COLUMN quarantine_alert.folded IS 'Records since that alert, which raised none.';
