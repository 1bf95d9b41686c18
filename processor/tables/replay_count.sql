-- How many notifications are to be looked at again.
SELECT count(*) FROM replay_candidate
