-- What the runtime role needs, as statements, and whether it could do more than that, which it must not. No row: there is no such role.
-- $1 name of the role text
SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER') OR has_schema_privilege(rolname, current_schema(), 'CREATE'),
       (SELECT string_agg(format('GRANT %s TO %I', what, rolname), '; ')
        FROM unnest(ARRAY[format('USAGE ON SCHEMA %I', current_schema()),
                          'SELECT ON schema_migration',
                          'SELECT, INSERT, UPDATE, DELETE ON notification, receipt, acceptance, alert, quarantine, quarantine_alert, delivery_minute, code_minute, applied, endpoint_minute, incident, provider_hour, endpoint_hour, rhythm, watch_look, contact, ask_run, ask_question']) AS granted (what))
FROM pg_roles WHERE rolname = $1
