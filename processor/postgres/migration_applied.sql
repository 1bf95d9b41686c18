-- A migration that was applied, and whether it is still the same. No row: it was not applied yet.
-- $1 name text  $2 the file text
SELECT coalesce(checksum = encode(sha256(convert_to($2::text, 'UTF8')), 'hex'), true), to_char(applied_at, 'YYYY-MM-DD')
FROM schema_migration WHERE version = split_part($1::text, '_', 1)::integer
