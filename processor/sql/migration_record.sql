-- $1 version int  $2 name text
INSERT INTO schema_migration (version, name) VALUES ($1::integer, $2::text)
