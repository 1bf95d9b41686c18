-- A contact that is known here and is not among what a run has left to ask: if the provider still finds it, an answer "gone" about another one can be believed.
-- $1 provider text  $2 run_id uuid
SELECT contact_id FROM contact
WHERE provider = $1::text AND NOT deleted AND contact_id IS DISTINCT FROM provider_id
  AND NOT EXISTS (SELECT FROM ask_question WHERE run_id = $2::uuid AND id = contact.contact_id)
LIMIT 1
