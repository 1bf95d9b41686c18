-- Marks the session as that of a program which knows this version; false: a migration that it is too old for is being applied.
-- The first half of the key is this program's own: "doch" in ASCII. Version 0 is migrate itself.
-- $1 version int
SELECT pg_try_advisory_lock_shared(x'646f6368'::integer, $1::integer)
