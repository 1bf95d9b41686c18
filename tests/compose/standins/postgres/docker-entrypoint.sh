#!/usr/bin/env bash
# As the image's own, for a container that runs as postgres: makes the data at the first start, and does not listen meanwhile.
# SPDX-License-Identifier: MIT
set -Eeuo pipefail
if [[ $1 == postgres && ! -s $PGDATA/PG_VERSION ]]; then
    chmod 700 "$PGDATA"
    chmod 3775 /var/run/postgresql || true
    eval 'initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" '"${POSTGRES_INITDB_ARGS-}"
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
