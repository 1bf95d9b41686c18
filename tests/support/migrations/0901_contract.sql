-- What the version after that could take away again.
-- bears: 900
ALTER TABLE notification DROP COLUMN next_note;
