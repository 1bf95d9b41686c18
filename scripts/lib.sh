# shellcheck shell=bash
# What every script here shares: saying things, waiting by condition, free ports, and processes that outlive the
# script (one folder each: `pid`, `port`, `log`). Sourced, never run. Sets strict mode and $ROOT, the checkout.
# SPDX-License-Identifier: MIT

set -euo pipefail
shopt -s inherit_errexit nullglob
export LC_ALL=C.UTF-8 # names and texts here are Korean too, and messages of tools the same everywhere

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
RUN=$ROOT/.run
# shellcheck disable=SC2034
CACHE=$ROOT/.cache

# --- saying things --------------------------------------------------------------------------------------------------

say() { printf '%-10s %s\n' "$1" "$2"; } # say PART TEXT

# die PART TEXT [HINT…]: what failed, then what to do, one line each.
die() {
    printf '%-10s %s\n' "$1" "$2" >&2
    local hint
    for hint in "${@:3}"; do printf '%-10s %s\n' '' "$hint" >&2; done
    exit 1
}

# takes_nothing COMMAND [ARG…]: dies if there is an ARG.
takes_nothing() { (($# == 1)) || die dev "$1 knows no '$2'" "usage: ./dev $1"; }

# asks_for_help COMMAND [ARG…]: whether an ARG is --help or -h. In `psql -h HOST` it names the server.
asks_for_help() {
    local arg
    for arg in "${@:2}"; do
        [[ $arg != --help && ($arg != -h || ($1 == psql && $# != 2)) ]] || return 0
    done
    return 1
}

# usage: the lines of the script's head comment that are set in by three spaces.
usage() {
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}

# show_tail FILE [SIZE]: the end of a log, indented, for an error message; with SIZE only of what came after that many bytes.
# Where one of our programs said plainly why it ends, that stands alone.
show_tail() {
    local lines plain
    lines=$(tail -c "+$((${2:-0} + 1))" "$1" 2>/dev/null | tail -n 25) || true
    [[ -n $lines ]] || return 0
    if plain=$(grep -E '^dochak-[a-z]+: ' <<<"$lines"); then lines=$plain; fi
    printf '%-10s the last lines of %s:\n' '' "$1" >&2
    printf '%s\n' "$lines" | sed 's/^/           | /' >&2
}

# with_progress PART WHAT LOG COMMAND…: runs a long step with its output in LOG and says how it goes: on a terminal a line that
# moves with the log, elsewhere a sign of life every 20 s. A failure shows the log's end and is the caller's to handle.
with_progress() {
    local part=$1 what=$2 log=$3 began=$SECONDS said=$SECONDS pid last rc=0
    shift 3
    mkdir -p "$(dirname "$log")"
    # A process group of its own, so that Ctrl-C ends the step with all it started.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    trap 'kill -TERM -- "-$pid" 2>/dev/null; exit 130' INT TERM
    [[ -t 1 ]] || say "$part" "$what …"
    while is_alive "$pid"; do
        if [[ -t 1 ]]; then
            # Colours and addresses out: of a downloaded file only its name matters.
            last=$(tail -c 400 "$log" | tail -n 1 | sed -E 's/\x1b\[[0-9;]*m//g; s#https?://[^ ]*/##; s/[^[:print:]]//g')
            printf '\r\033[K%-10s %s … %s s  %.60s' "$part" "$what" $((SECONDS - began)) "$last"
        elif ((SECONDS - said >= 20)); then
            said=$SECONDS
            say "$part" "$what … $((SECONDS - began)) s"
        fi
        sleep 0.2
    done
    wait "$pid" || rc=$?
    trap - INT TERM
    [[ ! -t 1 ]] || printf '\r\033[K'
    if ((rc)); then
        show_tail "$log"
    else
        say "$part" "$what: done in $((SECONDS - began)) s"
    fi
    return "$rc"
}

# --- waiting --------------------------------------------------------------------------------------------------------

# wait_until SECONDS COMMAND…: true as soon as COMMAND is, false after SECONDS.
wait_until() {
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/./} < end)) || return 1
        sleep 0.1
    done
}

# --- ports ----------------------------------------------------------------------------------------------------------

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range from which the kernel takes the ports of outgoing connections, so that none of those sits on it later. The tests'
# services take theirs from 23000 on. A port that another start took a moment ago is free too, as nobody listens on it yet: a file
# keeps it for two minutes.
free_port() {
    local port taken
    taken=${TMPDIR:-/tmp}/dochak-ports-$(id -u)
    mkdir -p "$taken"
    find "$taken" -ignore_readdir_race -type f -mmin +2 -delete # another start deletes them, too
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 3000))
        if (set -o noclobber && : >"$taken/$port") 2>/dev/null && port_is_free "$port"; then
            echo "$port"
            return
        fi
    done
    die ports "found no free port between 20000 and 23000 on 127.0.0.1"
}

# --- processes that stay --------------------------------------------------------------------------------------------
# A folder DIR belongs to one process: DIR/pid holds its process id and, on line 2, the time the kernel started it, so that a
# number which by now belongs to somebody else is never taken for it. DIR/log goes on from start to start; DIR/log-start says how
# long it was at the last one.

# proc_stat PID FIELD: a field of /proc/PID/stat by its number in proc(5); the name in field 2 may hold spaces.
proc_stat() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra stat <<<"${stat##*) }"
    echo "${stat[$2 - 3]}"
}

# A zombie has ended (where process 1 is slow to collect them they stay a while), unless some of its threads still run: those
# keep its port open.
is_alive() {
    local state threads
    state=$(proc_stat "$1" 3) || return 1
    threads=("/proc/$1/task"/*)
    [[ $state != [ZX] ]] || ((${#threads[@]} > 1))
}

# daemon_pid DIR: prints the process id if DIR's process runs, else false.
daemon_pid() {
    local pid began
    [[ -f $1/pid ]] || return 1
    { read -r pid && read -r began; } <"$1/pid" || return 1
    is_alive "$pid" && [[ $(proc_stat "$pid" 22) == "$began" ]] && echo "$pid"
}

is_running() { daemon_pid "$1" >/dev/null; }

# daemon_start DIR COMMAND…: its output is appended to DIR/log. It keeps nothing of ours: own session, no terminal, not the lock on 9.
daemon_start() {
    local dir=$1 pid
    shift
    { stat -c %s "$dir/log" 2>/dev/null || echo 0; } >"$dir/log-start"
    (exec setsid "$@") >>"$dir/log" 2>&1 </dev/null 9>&- &
    pid=$!
    printf '%s\n%s\n' "$pid" "$(proc_stat "$pid" 22)" >"$dir/pid"
}

# daemon_end DIR SIGNAL SECONDS: signals DIR's process and waits for it and the processes it started; false if they stay.
daemon_end() {
    local dir=$1 pid family=()
    if pid=$(daemon_pid "$dir"); then
        read -ra family <"/proc/$pid/task/$pid/children" || true
        family+=("$pid")
        kill "-$2" "$pid" 2>/dev/null || true
        wait_until "$3" none_alive "${family[@]}" || return 1
    fi
    rm -f "$dir/pid"
}

none_alive() {
    local pid
    for pid; do ! is_alive "$pid" || return 1; done
}

# daemon_stop PART DIR SIGNAL SECONDS: asks first, then insists, and says so.
daemon_stop() {
    daemon_end "$2" "$3" "$4" && return
    say "$1" "did not stop within $4 s and is killed; see $2/log" >&2
    daemon_end "$2" KILL 10 || die "$1" "process $(head -n 1 "$2/pid") does not go away even when killed"
}

# daemon_wait PART DIR SECONDS COMMAND…: until COMMAND says it is ready. A process that has ended is told at once, with what its log
# says since it was started.
daemon_wait() {
    local part=$1 dir=$2 seconds=$3 end=$((SECONDS + $3))
    shift 3
    while is_running "$dir"; do
        if "$@"; then return; fi
        if ((SECONDS >= end)); then
            show_tail "$dir/log" "$(<"$dir/log-start")"
            die "$part" "is not ready after $seconds s"
        fi
        sleep 0.1
    done
    [[ -f $dir/pid ]] || die "$part" "was never started in $dir"
    show_tail "$dir/log" "$(<"$dir/log-start")"
    die "$part" "ended before it was ready"
}

# daemon_port DIR [PORT]: the port to start on: PORT, else the one used before, else a free one; kept in DIR/port.
daemon_port() {
    local port=${2:-0}
    if [[ $port == 0 && -f $1/port ]]; then port=$(<"$1/port"); fi
    if [[ $port == 0 ]]; then port=$(free_port); fi
    echo "$port" >"$1/port"
    echo "$port"
}

# need_dir DIR: makes it and turns it into an absolute path, for launchers that are handed one.
need_dir() {
    { mkdir -p "$1" 2>/dev/null && [[ -w $1 ]]; } ||
        die files "cannot write to $1" "It may belong to another user: use that one, or remove the folder."
    (cd "$1" && pwd)
}
