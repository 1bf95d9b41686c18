-- Where applied migrations are written down. Several statements, which are one transaction.
SET LOCAL lock_timeout = '500ms';
CREATE TABLE IF NOT EXISTS schema_migration (
  version    integer     PRIMARY KEY,
  name       text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
-- Later than the table itself; what was applied before them keeps these values.
ALTER TABLE schema_migration ADD COLUMN IF NOT EXISTS checksum text,
                             ADD COLUMN IF NOT EXISTS bears integer NOT NULL DEFAULT 1;
COMMENT ON TABLE schema_migration IS 'The migrations of schemas/postgres that were applied here.';
COMMENT ON COLUMN schema_migration.version IS 'Number in front of the file''s name.';
COMMENT ON COLUMN schema_migration.name IS 'The file''s name.';
COMMENT ON COLUMN schema_migration.applied_at IS 'When.';
COMMENT ON COLUMN schema_migration.checksum IS 'SHA-256 of the file as it was applied; NULL: applied before this was written down.';
COMMENT ON COLUMN schema_migration.bears IS 'The oldest version whose programs may still run here since then.'
