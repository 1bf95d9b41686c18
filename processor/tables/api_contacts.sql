-- A page of contacts, the newest first: by last_at, then provider and id. With an id or a recipient, those that have it. Else each provider, status
-- and set of consents is read by an index of its own order, so that a page reads few rows. It names the columns that the role of the query API may
-- read. OFFSET 0: what is looked up is looked up by its id or recipient, and not searched for by time. Times of the session's zone.
-- Columns: item json, last_at as the cursor has it, provider, contact_id
-- $1 provider  $2 contact_id or one of the provider's ids  $3 status: known or deleted  $4 consent that is given  $5 consent that is withdrawn
-- $6 recipient_hash in hex  $7 since timestamptz: each may be NULL
-- $8 before timestamptz  $9 provider  $10 contact_id: what is behind this place  $11 at most how many
WITH RECURSIVE known (provider, deleted, consents) AS (
  (SELECT provider, deleted, consents FROM contact ORDER BY provider, deleted, consents LIMIT 1)
  UNION ALL
  SELECT next.provider, next.deleted, next.consents FROM known CROSS JOIN LATERAL (
    SELECT c.provider, c.deleted, c.consents FROM contact c
    WHERE (c.provider, c.deleted, c.consents) > (known.provider, known.deleted, known.consents)
    ORDER BY c.provider, c.deleted, c.consents LIMIT 1
  ) AS next
), named (provider, deleted, consents) AS (
  SELECT provider, deleted, consents FROM known
  WHERE ($1::text IS NULL OR provider = $1::text) AND ($3::text IS NULL OR deleted = ($3::text = 'deleted'))
    AND ($4::text IS NULL OR consents -> $4::text = 'true') AND ($5::text IS NULL OR consents -> $5::text = 'false')
), looked_up (provider, contact_id) AS (
  (SELECT c.provider, c.contact_id FROM (SELECT DISTINCT provider FROM named) AS providers CROSS JOIN LATERAL (
     SELECT provider, contact_id FROM contact WHERE provider = providers.provider AND contact_id = $2::text
     UNION
     SELECT provider, contact_id FROM (SELECT provider, contact_id FROM contact WHERE provider = providers.provider AND provider_id = $2::text OFFSET 0) AS own
   ) AS c
   UNION
   SELECT provider, contact_id FROM (SELECT provider, contact_id FROM contact WHERE other_ids ? $2::text OFFSET 0) AS earlier)
  UNION ALL
  (SELECT provider, contact_id FROM (SELECT provider, contact_id FROM contact WHERE phone_hash = decode($6::text, 'hex') OFFSET 0) AS phones WHERE $2::text IS NULL
   UNION
   SELECT provider, contact_id FROM (SELECT provider, contact_id FROM contact WHERE email_hash = decode($6::text, 'hex') OFFSET 0) AS emails WHERE $2::text IS NULL)
), page (provider, contact_id, last_at) AS (
  (SELECT c.provider, c.contact_id, c.last_at FROM looked_up CROSS JOIN LATERAL (
     SELECT provider, contact_id, deleted, consents, phone_hash, email_hash, greatest(changed_at, deleted_at, gone_at) AS last_at
     FROM contact WHERE provider = looked_up.provider AND contact_id = looked_up.contact_id OFFSET 0
   ) AS c
   WHERE ($1::text IS NULL OR c.provider = $1::text) AND ($3::text IS NULL OR c.deleted = ($3::text = 'deleted'))
     AND ($4::text IS NULL OR c.consents -> $4::text = 'true') AND ($5::text IS NULL OR c.consents -> $5::text = 'false')
     AND ($6::text IS NULL OR c.phone_hash = decode($6::text, 'hex') OR c.email_hash = decode($6::text, 'hex'))
     AND c.last_at >= coalesce($7::timestamptz, '-infinity') AND (c.last_at, c.provider, c.contact_id) < ($8::timestamptz, $9::text, $10::text)
   ORDER BY c.last_at DESC, c.provider DESC, c.contact_id DESC LIMIT $11::bigint)
  UNION ALL
  (SELECT c.provider, c.contact_id, c.last_at FROM named CROSS JOIN LATERAL (
     SELECT c.provider, c.contact_id, greatest(c.changed_at, c.deleted_at, c.gone_at) AS last_at FROM contact c
     WHERE c.provider = named.provider AND c.deleted = named.deleted AND c.consents = named.consents
       AND greatest(c.changed_at, c.deleted_at, c.gone_at) >= coalesce($7::timestamptz, '-infinity')
       AND greatest(c.changed_at, c.deleted_at, c.gone_at) <= $8::timestamptz
       AND (greatest(c.changed_at, c.deleted_at, c.gone_at), c.provider, c.contact_id) < ($8::timestamptz, $9::text, $10::text)
     ORDER BY greatest(c.changed_at, c.deleted_at, c.gone_at) DESC, c.contact_id DESC LIMIT $11::bigint
   ) AS c
   WHERE $2::text IS NULL AND $6::text IS NULL
   ORDER BY c.last_at DESC, c.provider DESC, c.contact_id DESC LIMIT $11::bigint)
)
SELECT json_build_object('provider', provider, 'contact_id', contact_id, 'provider_id', provider_id,
                         'status', CASE WHEN deleted THEN 'deleted' ELSE 'known' END, 'phone', phone, 'phone_hash', encode(phone_hash, 'hex'),
                         'email', email, 'email_hash', encode(email_hash, 'hex'), 'consents', consents, 'version', version, 'last_at', last_at,
                         'changed_at', changed_at, 'deleted_at', CASE WHEN deleted THEN greatest(deleted_at, gone_at) END),
       to_char(last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), provider, contact_id
FROM page CROSS JOIN LATERAL (
  SELECT provider_id, deleted, phone, phone_hash, email, email_hash, consents, version, changed_at, deleted_at, gone_at
  FROM contact WHERE provider = page.provider AND contact_id = page.contact_id OFFSET 0
) AS c
ORDER BY last_at DESC, provider DESC, contact_id DESC
