-- Which version of a notification a replay wrote last: what turns after that is told once more, under another id.
-- bears: 3

ALTER TABLE notification ADD COLUMN corrected_version integer;

COMMENT ON COLUMN notification.corrected_version IS 'The version that a replay wrote when it last corrected the row; NULL: never corrected.';
COMMENT ON COLUMN alert.alert_id IS 'ce_id: UUIDv5 of what it is about, its type and the last correction before it, if there is one: a status that turns again after that is another alert, and the same alert never gets a second id.';
