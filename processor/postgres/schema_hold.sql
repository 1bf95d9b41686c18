-- Marks the session as that of a program which knows this version; false: a migration that does not bear it is being applied.
-- The first half of the key is this program's own: "doch" in ASCII. Version 0 is migrate itself.
-- $1 version int
SELECT pg_try_advisory_lock_shared(x'646f6368'::integer, $1::integer)
