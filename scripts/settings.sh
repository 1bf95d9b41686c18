# shellcheck shell=bash
# What the services of `./dev up` are told: keys, addresses and the environment made of them. Sourced, after lib.sh.
# A DOCHAK_* setting that the caller exported, or its *_FILE form, always wins over what stands here.
# SPDX-License-Identifier: MIT

# Names that .run/env hands to people. Somebody may have exported them all; the services would refuse them as unknown.
# PG* too: the services get the database of this checkout and never one of the caller's.
forget_callers_names() {
    local name
    for name in DOCHAK_INGRESS_URL DOCHAK_INGRESS_OPS_URL DOCHAK_PROCESSOR_URL DOCHAK_PROCESSOR_OPS_URL DOCHAK_API_KEY \
        "${!DOCHAK_WEBHOOK_@}" "${!PG@}"; do
        unset "$name"
    done
}

# by_default NAME VALUE: exports it unless the caller did.
by_default() {
    local file=${1}_FILE
    [[ -v $1 || -v $file ]] || export "$1=$2"
}

# value_of NAME: what the services will read.
value_of() {
    local file=${1}_FILE
    if [[ -v $1 ]]; then echo "${!1}"; elif [[ -v $file ]]; then cat "${!file}"; fi
}

# --- keys: made once, at the first start ----------------------------------------------------------------------------

random_key() { head -c 16 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

make_secrets() {
    local name
    mkdir -p "$RUN"
    (umask 077 && touch "$RUN/secrets")
    for name in DOCHAK_INGRESS_KEY DOCHAK_RECIPIENT_KEY DOCHAK_API_KEY DOCHAK_SECRET_BIZGO_PATH DOCHAK_SECRET_BLUX_PATH; do
        grep -q "^$name=" "$RUN/secrets" || echo "$name=$(random_key)" >>"$RUN/secrets"
    done
}

# secret NAME
secret() { sed -n "s/^$1=//p" "$RUN/secrets"; }

# --- ports ----------------------------------------------------------------------------------------------------------

# settle_port DIR NAME DOCUMENTED: writes DIR/NAME, the port of a part: that of the running process; else the documented one
# if it is free, else the one of last time, else any.
settle_port() {
    local file=$1/$2 port
    mkdir -p "$1"
    [[ ! -s $file ]] || ! is_running "$1" || return 0
    if port_is_free "$3"; then
        port=$3
    else
        if [[ -s $file ]] && port=$(<"$file") && port_is_free "$port"; then :; else port=$(free_port); fi
        say "$(basename "$1")" "port $3 is taken; using $port"
    fi
    echo "$port" >"$file"
}

settle_ports() {
    settle_port "$RUN/kafka" port 9092
    settle_port "$RUN/postgres" port 5432
    settle_port "$RUN/ingress" port 8080
    settle_port "$RUN/ingress" ops-port 9080
    settle_port "$RUN/processor" ops-port 9081
}

# --- the services' environment --------------------------------------------------------------------------------------

export_settings() {
    [[ -s $RUN/secrets && -s $RUN/processor/ops-port ]] || die dev "nothing was ever started here" "Run ./dev up first."
    forget_callers_names
    export PGHOST=127.0.0.1 PGPORT PGUSER=dochak PGDATABASE=dochak
    PGPORT=$(<"$RUN/postgres/port")
    by_default DOCHAK_KAFKA_BOOTSTRAP "127.0.0.1:$(<"$RUN/kafka/port")"
    by_default DOCHAK_ENDPOINTS_FILE "$ROOT/deploy/dev/endpoints.json"
    by_default DOCHAK_INGRESS_LISTEN "127.0.0.1:$(<"$RUN/ingress/port")"
    by_default DOCHAK_INGRESS_OPS_LISTEN "127.0.0.1:$(<"$RUN/ingress/ops-port")"
    by_default DOCHAK_PROCESSOR_OPS_LISTEN "127.0.0.1:$(<"$RUN/processor/ops-port")"
    by_default DOCHAK_INSTANCE dev
    local name
    for name in DOCHAK_INGRESS_KEY DOCHAK_RECIPIENT_KEY DOCHAK_SECRET_BIZGO_PATH DOCHAK_SECRET_BLUX_PATH; do
        by_default "$name" "$(secret "$name")"
    done
}

# url_of LISTEN-SETTING: where to reach what listens there; 0.0.0.0 is no address to call.
url_of() {
    local listen
    listen=$(value_of "$1")
    echo "http://${listen/#0.0.0.0:/127.0.0.1:}"
}

# An assignment any shell can read, whatever is in the value.
assignment() {
    local value=$2
    [[ $value =~ ^[A-Za-z0-9_./:@%+,-]*$ ]] || value="'${value//\'/\'\\\'\'}'"
    echo "$1=$value"
}

write_env() {
    local ingress keys
    ingress=$(url_of DOCHAK_INGRESS_LISTEN)
    keys=$(value_of DOCHAK_INGRESS_KEY) # several while they are being changed; the first will do
    (
        umask 077
        {
            assignment DOCHAK_INGRESS_URL "$ingress"
            assignment DOCHAK_INGRESS_OPS_URL "$(url_of DOCHAK_INGRESS_OPS_LISTEN)"
            assignment DOCHAK_PROCESSOR_OPS_URL "$(url_of DOCHAK_PROCESSOR_OPS_LISTEN)"
            assignment DOCHAK_INGRESS_KEY "${keys%%,*}"
            assignment DOCHAK_API_KEY "$(secret DOCHAK_API_KEY)"
            assignment DOCHAK_WEBHOOK_BIZGO "$ingress/webhook/bizgo/alimtalk/$(value_of DOCHAK_SECRET_BIZGO_PATH)"
            assignment DOCHAK_WEBHOOK_BLUX "$ingress/webhook/blux/sms/$(value_of DOCHAK_SECRET_BLUX_PATH)"
            assignment KAFKA_BOOTSTRAP "$(value_of DOCHAK_KAFKA_BOOTSTRAP)"
            assignment PGHOST "$PGHOST"
            assignment PGPORT "$PGPORT"
            assignment PGUSER "$PGUSER"
            assignment PGDATABASE "$PGDATABASE"
        } >"$RUN/env.new"
    )
    mv "$RUN/env.new" "$RUN/env"
}
