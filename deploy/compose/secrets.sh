#!/usr/bin/env bash
# The keys of docker-compose.yml: random, made once, each a file in a volume that its containers share. None is ever in git.
#
#   dochak-secrets make   makes those that are missing
#   dochak-secrets show   that, and prints addresses and keys as shell assignments, by the names ./dev up gives them in .run/env
# SPDX-License-Identifier: MIT
set -euo pipefail
umask 077
cd /run/dochak

random_key() { head -c 16 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# keep NAME MODE VALUE: what is there stays as it is; what is not comes whole or not at all.
keep() {
    [[ ! -e $1 ]] || return 0
    rm -f "$1.new"
    echo "$3" >"$1.new"
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
}

make() {
    local name
    for name in ingress_key recipient_key bizgo_path blux_path; do keep "$name" 400 "$(random_key)"; done
    keep postgres_password 444 "$(random_key)" # read by the user of the Postgres image, which is not ours
    keep pgpass 600 "*:*:*:*:$(<postgres_password)"
    keep runtime_password 400 "$(random_key)"
    keep runtime_pgpass 600 "*:*:*:*:$(<runtime_password)"
}

show() {
    local ingress=http://127.0.0.1:${INGRESS_PORT:-8080}
    cat <<TEXT
DOCHAK_INGRESS_URL=$ingress
DOCHAK_INGRESS_OPS_URL=http://127.0.0.1:${INGRESS_OPS_PORT:-9080}
DOCHAK_PROCESSOR_OPS_URL=http://127.0.0.1:${PROCESSOR_OPS_PORT:-9081}
DOCHAK_INGRESS_KEY=$(<ingress_key)
DOCHAK_WEBHOOK_BIZGO=$ingress/webhook/bizgo/alimtalk/$(<bizgo_path)
DOCHAK_WEBHOOK_BLUX=$ingress/webhook/blux/sms/$(<blux_path)
KAFKA_BOOTSTRAP=127.0.0.1:${KAFKA_PORT:-9092}
TEXT
}

case ${1-} in
    make) make ;;
    show) make && show ;;
    *)
        sed -n 's/^#   //p' "$0" >&2
        exit 2
        ;;
esac
