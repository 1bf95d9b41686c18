-- A write of a finished notification can be HOT: no index has a column that changes with every write, and a page has room for a second
-- version of some of its rows. The write that resolves a notification changes its status, and cannot be HOT. The pages that are there are
-- filled as they were. Autovacuum comes after 2 % of changes: a fifth of 100 million rows, its default, are weeks of them.
-- Programs of schema version 15 and older find what is old by updated_at. While they run beside this, their retention reads the whole table,
-- and gives up after 30 s; nothing else of them used the index.
-- bears: 5

DROP INDEX notification_finished;

ALTER TABLE notification SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
                              autovacuum_analyze_scale_factor = 0.02);
