#!/usr/bin/env bash
# The keys of docker-compose.yml: random, made once, and kept in a volume that only this script reads. At each start each container gets
# a volume with what it needs and no more; DOCHAK_SECRETS_DIR reads it. The configuration goes the same way: yours from the folder
# DOCHAK_CONFIG, and what is shipped for the rest. No key is ever in git.
#
#   dochak-secrets make   makes the keys that are missing, and gives each container its files
#   dochak-secrets show   that, and prints addresses and keys as shell assignments, by the names ./dev up gives them in .run/env
# SPDX-License-Identifier: MIT
set -euo pipefail
shopt -s nullglob
umask 077

OWN=/own               # DOCHAK_CONFIG
MADE=/made             # a volume in each of its folders
SHIPPED=/usr/share/dochak
DOCHAK=10001:10001     # the user of our containers

die() {
    echo "dochak-secrets: $*" >&2
    exit 1
}

# put FILE OWNER MODE: the standard input becomes FILE, completely or not at all. The new file's name is no setting's name.
put() {
    local new
    new=$(dirname "$1")/new.$(basename "$1")
    rm -f "$new"
    cat >"$new"
    chmod "$3" "$new"
    chown "$2" "$new"
    mv "$new" "$1"
}

# keep NAME: a key that exists stays as it is.
keep() { [[ -e $MADE/store/$1 ]] || head -c 16 /dev/urandom | od -An -v -tx1 | tr -d ' \n' | put "$MADE/store/$1" "$DOCHAK" 400; }

# give FOLDER OWNER MODE NAME=SOURCE…: puts a copy of each SOURCE into the folder as NAME, and removes all other files.
give() {
    local folder=$MADE/$1 owner=$2 mode=$3 pair path
    local -A given=()
    shift 3
    (umask 022 && mkdir -p "$folder") # the files have modes of their own
    for pair; do
        given[${pair%%=*}]=1
        put "$folder/${pair%%=*}" "$owner" "$mode" <"${pair#*=}"
    done
    for path in "$folder"/*; do [[ -d $path || -n ${given[$(basename "$path")]-} ]] || rm -f "$path"; done
}

# The files of ingress as NAME=SOURCE, one a line: generated ones first, since yours replace them.
ingress_secrets() {
    local path
    echo "DOCHAK_INGRESS_KEY=$MADE/store/ingress_key"
    echo "DOCHAK_PING_KEY=$MADE/store/ping_key"
    echo "DOCHAK_SECRET_BIZGO_PATH=$MADE/store/bizgo_path"
    echo "DOCHAK_SECRET_BLUX_PATH=$MADE/store/blux_path"
    echo "DOCHAK_SECRET_CHANNELTALK_TOKEN=$MADE/store/channeltalk_token"
    for path in "$OWN"/secrets/*; do is_of_processor "$path" || echo "$(basename "$path")=$path"; done
}

# Of yours. What providers are asked with is no concern of ingress.
is_of_processor() { [[ $(basename "$1") =~ ^DOCHAK_(API_KEY|CONTACT_KEY|SECRET_ASK_.*)$ ]]; }

# Likewise, the files of the processor, generated ones first. The key of contacts is only yours: without one they are stored masked.
processor_secrets() {
    local path ping_key=$OWN/secrets/DOCHAK_PING_KEY
    [[ -e $ping_key ]] || ping_key=$MADE/store/ping_key
    echo "DOCHAK_PING_KEY=$ping_key"
    echo "DOCHAK_RECIPIENT_KEY=$MADE/store/recipient_key"
    echo "DOCHAK_PG_PASSWORD=$MADE/store/runtime_password"
    echo "DOCHAK_API_KEY=$MADE/store/api_key"
    echo "DOCHAK_API_POSTGRES_URL=$MADE/store/api_postgres_url"
    for path in "$OWN"/secrets/*; do ! is_of_processor "$path" || echo "$(basename "$path")=$path"; done
}

# NAME=SOURCE, one a line: shipped ones first, since yours replace them.
provider_files() {
    local path
    for path in "$SHIPPED"/providers/*.json "$OWN"/providers/*.json; do echo "$(basename "$path")=$path"; done
}

make() {
    local name files endpoints=$OWN/endpoints.json store=$MADE/store
    for name in "$OWN"/secrets/*; do
        [[ $(basename "$name") =~ ^DOCHAK_(INGRESS_KEY|API_KEY|PING_KEY|CONTACT_KEY|SECRET_[A-Z0-9_]+)$ ]] ||
            die "secrets/$(basename "$name"): only DOCHAK_SECRET_…, DOCHAK_INGRESS_KEY, DOCHAK_API_KEY, DOCHAK_PING_KEY and" \
                "DOCHAK_CONTACT_KEY are read here; see deploy/compose/config/README.md"
    done
    for name in ingress_key api_key ping_key recipient_key bizgo_path blux_path channeltalk_token postgres_password runtime_password \
        api_password grafana_password; do
        keep "$name"
    done
    # What it leaves out, such as the host, is in the processor's environment.
    echo "user=dochak_api password=$(<"$store/api_password")" | put "$store/api_postgres_url" "$DOCHAK" 400
    rm -f "$store/pgpass" "$store/runtime_pgpass" # of earlier versions

    mapfile -t files < <(ingress_secrets)
    give ingress "$DOCHAK" 400 "${files[@]}"
    mapfile -t files < <(processor_secrets)
    give processor "$DOCHAK" 400 "${files[@]}"
    give owner "$DOCHAK" 400 DOCHAK_RECIPIENT_KEY="$store/recipient_key" DOCHAK_PG_PASSWORD="$store/postgres_password" \
        runtime_password="$store/runtime_password" api_password="$store/api_password"
    give postgres 0:0 444 postgres_password="$store/postgres_password" # its user is the image's
    give grafana 472:0 400 grafana_password="$store/grafana_password" # 472 is the user of Grafana's image

    [[ -e $endpoints ]] || endpoints=$SHIPPED/endpoints.json
    give config 0:0 444 endpoints.json="$endpoints"
    mapfile -t files < <(provider_files)
    give config/providers 0:0 444 "${files[@]}"
}

show() {
    local ingress=http://127.0.0.1:${INGRESS_PORT:-18080} ingress_keys api_keys
    ingress_keys=$(<"$MADE/ingress/DOCHAK_INGRESS_KEY") # several while they are being changed; the first will do
    api_keys=$(<"$MADE/processor/DOCHAK_API_KEY")
    cat <<TEXT
DOCHAK_INGRESS_URL=$ingress
DOCHAK_INGRESS_OPS_URL=http://127.0.0.1:${INGRESS_OPS_PORT:-19080}
DOCHAK_PROCESSOR_URL=http://127.0.0.1:$(first_port "${PROCESSOR_PORT:-18081}")
DOCHAK_PROCESSOR_OPS_URL=http://127.0.0.1:$(first_port "${PROCESSOR_OPS_PORT:-19081}")
DOCHAK_INGRESS_KEY=${ingress_keys%%,*}
DOCHAK_API_KEY=${api_keys%%,*}
DOCHAK_WEBHOOK_BIZGO=$ingress/webhook/bizgo/alimtalk/$(<"$MADE/ingress/DOCHAK_SECRET_BIZGO_PATH")
DOCHAK_WEBHOOK_BLUX=$ingress/webhook/blux/sms/$(<"$MADE/ingress/DOCHAK_SECRET_BLUX_PATH")
DOCHAK_WEBHOOK_CHANNELTALK=$ingress/webhook/channeltalk/users?token=$(<"$MADE/ingress/DOCHAK_SECRET_CHANNELTALK_TOKEN")
KAFKA_BOOTSTRAP=127.0.0.1:${KAFKA_PORT:-19092}
GRAFANA_URL=http://127.0.0.1:${GRAFANA_PORT:-13000}
GRAFANA_PASSWORD=$(<"$MADE/grafana/grafana_password")
TEXT
}

first_port() { echo "${1%%-*}"; } # of a range

case ${1-} in
    make) make ;;
    show)
        make
        show
        ;;
    *)
        sed -n 's/^#   //p' "$0" >&2
        exit 2
        ;;
esac
