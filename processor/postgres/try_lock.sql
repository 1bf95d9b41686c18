-- An advisory lock, held until the session ends; false: another session has it. The bytes of its name are its key.
-- $1 name of at most 8 characters text
SELECT pg_try_advisory_lock(('x' || lpad(encode(convert_to($1::text, 'UTF8'), 'hex'), 16, '0'))::bit(64)::bigint)
