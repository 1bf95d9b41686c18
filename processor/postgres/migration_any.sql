-- Whether there is a table of migrations. To ask that of the table itself would be an error in the log of Postgres.
SELECT to_regclass('schema_migration') IS NOT NULL
