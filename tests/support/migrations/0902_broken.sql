-- Fails when it has done half of its work.
-- bears: 1
CREATE TABLE half (id integer PRIMARY KEY);
ALTER TABLE notification ADD COLUMN half_note text;
ALTER TABLE notification DROP COLUMN nobody_has_this;
