-- When bytes that were quarantined last raised an alert: the same bytes raise no second one within a day.
-- bears: 3

CREATE TABLE quarantine_alert (
  fingerprint uuid        PRIMARY KEY,
  raised_at   timestamptz
);
CREATE INDEX quarantine_alert_raised ON quarantine_alert (raised_at);

COMMENT ON TABLE quarantine_alert IS 'When a quarantined body last raised an alert. A provider that sends it again and again raises one a day; every record of it stays on the quarantine topic.';
COMMENT ON COLUMN quarantine_alert.fingerprint IS 'UUIDv5 of the endpoint, the SHA-256 of the bytes, and the reason.';
COMMENT ON COLUMN quarantine_alert.raised_at IS 'ce_time of the record that raised the alert. NULL only within the transaction that inserts the row.';
COMMENT ON INDEX quarantine_alert_raised IS 'By age; retention takes the oldest.';
