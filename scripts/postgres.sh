#!/usr/bin/env bash
# One Postgres server for development and tests, with the distribution's binaries and a data folder of its own; clusters of the
# system are left alone. The only way this project starts one.
#
#   postgres.sh start DIR [PORT]   starts it on 127.0.0.1:PORT (none or 0: the one used before, else a free one); does nothing if it runs
#   postgres.sh wait  DIR [SECS]   until it answers, at most SECS (60); an error shows the end of its log
#   postgres.sh stop  DIR          asks it to end and waits      kill DIR   ends it with SIGKILL, as a crash would
#   postgres.sh wipe  DIR          kill, and remove DIR          port DIR   prints its port
#   postgres.sh psql  DIR [ARG…]   psql on it
#   postgres.sh standby DIR FROM   makes DIR a copy of FROM, which runs; once started it follows FROM and is read-only until promoted
#
# DIR holds data/, log, pid (line 1), port. User `dochak` (may do everything), database `dochak`; who is on this machine needs no password.
# It syncs to disk as Postgres does by default. There is no Unix socket: its path may only be 107 bytes long, a checkout's may be longer.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The newest version there is, but for data that exists the version that made it.
bin_dir() {
    local version='*' package=postgresql found
    if [[ -s $1/data/PG_VERSION ]]; then
        version=$(<"$1/data/PG_VERSION")
        package=postgresql-$version
    fi
    # shellcheck disable=SC2086 # the star is meant
    found=$(printf '%s\n' /usr/lib/postgresql/$version/bin/initdb | sort -V | tail -n 1)
    [[ -x $found ]] || found=$(command -v initdb) ||
        die postgres "the server programs that $1 needs are not installed" "Install the package $package."
    dirname "$found"
}

# Postgres refuses to run as root: there it runs as the user of the distribution's package.
AS_SERVER=()
if ((EUID == 0)); then
    AS_SERVER=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi

# Where the data lies: in DIR, unless the server's user cannot enter it (a checkout under /root, say). Then it lies outside, DIR/data is
# a link to it, and `wipe` removes both.
data_parent() {
    local outside
    id postgres >/dev/null 2>&1 || ((EUID)) ||
        die postgres "refuses to run as root, and there is no user postgres to run it as" \
            "Install the package postgresql, or run this as a plain user."
    if "${AS_SERVER[@]}" test -x "$1"; then
        echo "$1"
        return
    fi
    outside=$(mktemp -d /var/tmp/dochak-postgres.XXXXXX)
    chmod 711 "$outside"
    say postgres "user postgres may not enter $1: the data goes to $outside" >&2
    echo "$outside"
}

# make_data DIR COMMAND…: COMMAND fills the folder that it gets as last argument. Made beside and moved at the end: a run that was cut
# off leaves nothing that looks whole.
make_data() {
    local dir=$1 parent fresh
    shift
    parent=$(data_parent "$dir")
    fresh=$parent/fresh
    rm -rf "$fresh"
    mkdir -m 700 "$fresh"
    ((EUID)) || chown postgres: "$fresh"
    "$@" "$fresh" >>"$dir/log" 2>&1 || {
        show_tail "$dir/log"
        die postgres "its data folder $fresh could not be prepared"
    }
    mv -T "$fresh" "$parent/data"
    [[ $parent == "$dir" ]] || ln -sfn "$parent/data" "$dir/data"
}

init_data() { # BIN DATA
    "${AS_SERVER[@]}" "$1/initdb" -D "$2" -U dochak -A trust -E UTF8 --locale=C.UTF-8 &&
        "${AS_SERVER[@]}" "$1/postgres" --single -D "$2" postgres <<<'CREATE DATABASE dochak;'
}

copy_data() { # BIN PORT DATA
    "${AS_SERVER[@]}" "$1/pg_basebackup" -h 127.0.0.1 -p "$2" -U dochak --checkpoint=fast --write-recovery-conf -D "$3"
}

standby() { # DIR FROM
    local dir bin port
    dir=$(need_dir "$1")
    [[ ! -e $dir/data ]] || die postgres "there is a server in $dir already" "Wipe it first."
    is_running "$2" || die postgres "does not run in $2" "A copy is made of a server that runs."
    bin=$(bin_dir "$2")
    port=$(<"$2/port")
    cd / # as in start
    make_data "$dir" copy_data "$bin" "$port"
}

start() {
    local dir port bin running
    dir=$(need_dir "$1")
    if is_running "$dir"; then
        running=$(<"$dir/port")
        [[ ${2:-0} == 0 || $2 == "$running" ]] || die postgres "already runs in $dir, on port $running, not on $2" "Stop it first."
        return
    fi
    bin=$(bin_dir "$dir")
    port=$(daemon_port "$dir" "${2:-0}")
    port_is_free "$port" || die postgres "port $port is taken by another program" "Give another port, or none."
    cd / # the folder we are in may be closed to the server's user
    [[ -s $dir/data/PG_VERSION ]] || make_data "$dir" init_data "$bin"
    # Left by a kill; its process is gone, as we know better than Postgres, which looks only at the number.
    rm -f "$dir/data/postmaster.pid"
    daemon_start "$dir" "${AS_SERVER[@]}" "$bin/postgres" -D "$(readlink -f "$dir/data")" \
        -c listen_addresses=127.0.0.1 -c port="$port" -c unix_socket_directories=
}

answers() { "$1/pg_isready" -q -h 127.0.0.1 -p "$2"; }

run_psql() {
    local dir=$1
    shift
    PGHOST=127.0.0.1 PGPORT=$(<"$dir/port") PGUSER=dochak PGDATABASE=dochak exec psql "$@"
}

wipe() {
    local outside
    daemon_stop postgres "$1" KILL 10
    outside=$(readlink "$1/data") || outside=
    [[ $outside != /var/tmp/dochak-postgres.*/data ]] || rm -rf "${outside%/data}"
    rm -rf "$1"
}

case ${1-}:${2-} in
    start:?*) start "$2" "${3-}" ;;
    wait:?*) daemon_wait postgres "$2" "${3:-60}" answers "$(bin_dir "$2")" "$(<"$2/port")" ;;
    # INT is Postgres's "fast": it ends the sessions instead of waiting for them.
    stop:?*) daemon_stop postgres "$2" INT 30 ;;
    kill:?*) daemon_stop postgres "$2" KILL 10 ;;
    wipe:?*) wipe "$2" ;;
    port:?*) cat "$2/port" ;;
    standby:?*) [[ -n ${3-} ]] || usage; standby "$2" "$3" ;;
    psql:?*) run_psql "${@:2}" ;;
    *) usage ;;
esac
