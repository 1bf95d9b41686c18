-- What only names an earlier object of the provider finds the person, in whatever order it comes.
-- bears: 1

ALTER TABLE contact ADD COLUMN other_ids jsonb;

COMMENT ON COLUMN contact.other_ids IS 'The provider''s other ids of the person, earlier ones and those of what came late: an array of strings, sorted. NULL: there is none.';
COMMENT ON COLUMN contact.gone_at IS 'When the newest deletion was that has no version, such as the answer 404 to reconcile, or that is an answer. NULL: there is none.';
COMMENT ON COLUMN contact.gone_learned_at IS 'When the last of these was asked for, else received. NULL: there is none.';
COMMENT ON COLUMN contact.seen_at IS 'When the provider was last asked and said what the newest change says. It outweighs what was so before: deletions that have no version or are of another object. NULL: it was not asked.';
