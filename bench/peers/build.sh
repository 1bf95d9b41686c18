#!/usr/bin/env bash
# Builds what ./dev bench compares ours with, and the tools it measures with, each into .cache/bench/NAME.
#
#   build.sh NAME…     vegeta probe go spring fastapi express pyconsumer
#
# Every peer of ingress listens on 127.0.0.1:$PORT and takes POST /webhook/bizgo: one report of BizGo's, which it produces to $TOPIC at
# $KAFKA_BOOTSTRAP with its msgKey as key and acks=all. It answers 200 {"msgKey": …} when Kafka has acknowledged that, and 503 when
# Kafka does not. pyconsumer stands beside the processor. Each is written as its own users would, with the defaults of its libraries. NAME/versions says what it is made of.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

PEERS=$ROOT/bench/peers
VEGETA=v12.13.0

installed_version() { dpkg-query -W -f '${Version}' "$1" | sed -E 's/[-+].*//'; }

# Go 1.21 and newer fetch the Go that a module asks for.
need_go() {
    local version
    version=$(go env GOVERSION)
    if [[ ! $version =~ ^go1\.([0-9]+) ]] || ((BASH_REMATCH[1] < 21)); then
        die bench "this Go is too old: $version; 1.21 is needed, or newer" "Install one from your distribution's backports, for example."
    fi
    export GOTOOLCHAIN=auto
}

build_vegeta() { # DIR
    need_go
    GOBIN=$1 go install "github.com/tsenart/vegeta/v12@$VEGETA"
    echo "vegeta $VEGETA" >"$1/versions"
}

# shellcheck disable=SC2046 # flags are words
build_probe() {
    gcc -O2 -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror "$PEERS/probe/probe.c" -o "$1/probe" \
        $(pkg-config --cflags --libs rdkafka) -lcivetweb -pthread
    echo "civetweb $(installed_version libcivetweb-dev), librdkafka $(pkg-config --modversion rdkafka)" >"$1/versions"
}

build_go() {
    need_go
    go -C "$PEERS/go" build -o "$1/peer" .
    echo "$(go -C "$PEERS/go" env GOVERSION), franz-go $(go -C "$PEERS/go" list -m -f '{{.Version}}' github.com/twmb/franz-go)" >"$1/versions"
}

build_spring() {
    local libs
    mvn -B -q -C -f "$PEERS/spring/pom.xml" package "-Dbench.out=$1"
    libs=$(jar tf "$1/peer.jar")
    version_of() { sed -nE "s#.*/$1-([0-9.]+)\.jar\$#\1#p" <<<"$libs"; }
    echo "Java $(java -version 2>&1 | sed -nE '1s/.*"(.*)".*/\1/p'), Spring Boot $(version_of spring-boot)," \
        "spring-kafka $(version_of spring-kafka), kafka-clients $(version_of kafka-clients)" >"$1/versions"
}

# The Python of a peer also runs the benchmark itself, which asks Kafka and Postgres through the same clients.
build_python() { # DIR NAME PACKAGE…
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --disable-pip-version-check -q -r "$PEERS/$2/requirements.txt"
    "$1/bin/python" - "${@:3}" >"$1/versions" <<'PYTHON'
import platform
import sys
from importlib.metadata import version
print(f"Python {platform.python_version()},", ", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
PYTHON
}

build_fastapi() { build_python "$1" fastapi fastapi uvicorn confluent-kafka; }
build_pyconsumer() { build_python "$1" pyconsumer confluent-kafka psycopg; }

build_express() {
    cp "$PEERS/express/package.json" "$PEERS/express/server.js" "$1"
    npm install --prefix "$1" --no-package-lock --no-audit --no-fund
    (cd "$1" && node -p "'Node.js ' + process.versions.node + ['express', 'kafkajs'].map(name => ', ' + name + ' ' + require(name + '/package.json').version).join('')") \
        >"$1/versions"
}

# What a NAME is made from; a change makes it anew.
fingerprint() {
    { find "$PEERS" -path "$PEERS/$1/*" -type f ! -name '*.pyc' -exec sha256sum {} + | sort && sha256sum "$PEERS/build.sh"; } | sha256sum
}

if [[ ${1-} == --into ]]; then
    "build_$2" "$3"
    exit
fi
(($#)) || usage
for name; do
    dir=$CACHE/bench/$name
    [[ ! -f $dir/made-from || $(<"$dir/made-from") != "$(fingerprint "$name")" ]] || continue
    rm -rf "$dir"
    mkdir -p "$dir"
    # A process of its own, since bash forgets `set -e` in a function whose failure is handled.
    with_progress bench "building $name" "$RUN/log/bench-$name.log" "${BASH_SOURCE[0]}" --into "$name" "$dir" ||
        die bench "$name could not be built" "The full log is $RUN/log/bench-$name.log; --only leaves it out."
    fingerprint "$name" >"$dir/made-from"
done
