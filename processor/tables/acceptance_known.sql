-- Whether the acceptance is there.
-- $1 provider text[]  $2 notification_id text[]  $3 acceptance_id uuid[]
SELECT FROM acceptance JOIN unnest($1::text[], $2::text[], $3::uuid[]) AS asked (provider, notification_id, acceptance_id)
  USING (provider, notification_id, acceptance_id)
