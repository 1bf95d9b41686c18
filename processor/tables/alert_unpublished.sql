-- How many alerts are older than a minute and not marked as published. 10000 stands for more.
SELECT count(*) FROM (SELECT 1 FROM alert WHERE NOT told AND raised_at < now() - interval '1 minute' LIMIT 10000) AS waiting
