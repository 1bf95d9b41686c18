-- $1 version int  $2 name text  $3 checksum text  $4 the oldest version whose programs may run int
INSERT INTO schema_migration (version, name, checksum, bears) VALUES ($1::integer, $2::text, $3::text, $4::integer)
