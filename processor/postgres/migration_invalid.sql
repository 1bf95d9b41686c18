-- The statement that drops an index which was not built to its end. No row: there is none of that name.
-- $1 name of the index text
SELECT format('DROP INDEX CONCURRENTLY %s', indexrelid::regclass)
FROM pg_index JOIN pg_class c ON c.oid = indexrelid
WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace AND NOT indisvalid
