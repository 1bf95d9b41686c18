-- $1 name text  $2 the file text  $3 the oldest version whose programs may run int
INSERT INTO schema_migration (version, name, checksum, bears)
VALUES (split_part($1::text, '_', 1)::integer, $1::text, encode(sha256(convert_to($2::text, 'UTF8')), 'hex'), $3::integer)
