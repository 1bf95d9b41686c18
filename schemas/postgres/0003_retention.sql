-- What is finished, by age: retention deletes by it.
-- bears: 1

CREATE INDEX notification_finished ON notification (updated_at) WHERE status <> 'PENDING';
CREATE INDEX alert_told ON alert (raised_at) WHERE told;

COMMENT ON INDEX notification_finished IS 'The resolved ones by when anything was last heard of them; retention takes the oldest.';
COMMENT ON INDEX alert_told IS 'The alerts that are out, by age; retention takes the oldest.';
