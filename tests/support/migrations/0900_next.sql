-- What a next version could add: whoever does not know it is not disturbed.
-- bears: 1
ALTER TABLE notification ADD COLUMN next_note text;
COMMENT ON COLUMN notification.next_note IS 'Of the next version.';
