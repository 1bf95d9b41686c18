-- The newest migration applied, and the oldest version whose programs all of them bear.
SELECT coalesce(max(version), 0), coalesce(max(bears), 0) FROM schema_migration
