-- Where applied migrations are written down.
CREATE TABLE IF NOT EXISTS schema_migration (
  version    integer     PRIMARY KEY,
  name       text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE schema_migration IS 'The migrations of schemas/postgres that were applied here.';
COMMENT ON COLUMN schema_migration.version IS 'Number in front of the file''s name.';
COMMENT ON COLUMN schema_migration.name IS 'The file''s name.';
COMMENT ON COLUMN schema_migration.applied_at IS 'When.';
