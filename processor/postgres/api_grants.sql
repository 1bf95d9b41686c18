-- What the role of the query API needs, as statements, and whether it could do more than that, which it must not. No row: there is no such
-- role. Of a contact it does not read what is encrypted.
-- $1 name of the role text
SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER') OR has_schema_privilege(rolname, current_schema(), 'CREATE')
       OR has_table_privilege(rolname, 'notification', 'INSERT, UPDATE, DELETE, TRUNCATE'),
       (SELECT string_agg(format('GRANT %s TO %I', what, rolname), '; ')
        FROM unnest(ARRAY[format('USAGE ON SCHEMA %I', current_schema()),
                          'SELECT ON schema_migration, notification, receipt, acceptance, alert, incident, quarantine, delivery_minute, code_minute, endpoint_minute, rhythm, watch_look',
                          'SELECT (provider, contact_id, provider_id, deleted, phone, phone_hash, email, email_hash, consents, version, changed_at, deleted_at, gone_at, other_ids) ON contact']) AS granted (what))
FROM pg_roles WHERE rolname = $1
