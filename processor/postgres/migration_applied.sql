-- A migration that was applied, and whether it is still the same. No row: it was not applied yet.
-- $1 version int  $2 checksum text
SELECT coalesce(checksum = $2::text, true), to_char(applied_at, 'YYYY-MM-DD') FROM schema_migration WHERE version = $1::integer
