-- The newest migration applied, and the oldest version whose programs may run on all of them.
SELECT coalesce(max(version), 0), coalesce(max(bears), 0) FROM schema_migration
