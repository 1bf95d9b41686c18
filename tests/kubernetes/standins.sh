#!/usr/bin/env bash
# Root file systems for tests/kubernetes/, where no image registry can be reached. As root, on Debian 12, with debootstrap:
#
#   standins.sh FOLDER      makes FOLDER/dochak.tar   this checkout's programs (build/release); user 10001:10001
#                                 FOLDER/next.tar     the same with a later migration; needs build/dev
#                                 FOLDER/servers.tar  Kafka, Postgres 15 and Python, for DOCHAK_TEST_{KAFKA,POSTGRES,PYTHON}_IMAGE
#
# An engine makes images of them: docker import FOLDER/dochak.tar dochak:test
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

LIBRARIES=librdkafka1,libcivetweb1,libjansson4,libpq5,libcurl4,libsqlite3-0,zlib1g,libssl3,ca-certificates
SERVERS=openjdk-17-jre-headless,postgresql-15,python3

# base FOLDER PACKAGES: a Debian with these packages, kept for the next time.
base() {
    [[ -f $1/complete ]] && return
    rm -rf "$1"
    debootstrap --variant=minbase --include="$2" bookworm "$1" >"$1.log" 2>&1 || die standins "debootstrap failed" "See $1.log."
    rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*
    touch "$1/complete"
}

pack() { # ROOT TAR
    tar -C "$1" --numeric-owner --exclude=./complete --exclude='./dev/*' -cf "$2.new" . && mv "$2.new" "$2"
}

programs() { # FOLDER
    base "$1/libraries" "$LIBRARIES"
    rm -rf "$1/libraries/usr/local/bin"
    DESTDIR=$1/libraries cmake --install "$ROOT/build/release" --prefix /usr/local --strip >/dev/null
    pack "$1/libraries" "$1/dochak.tar"
    [[ -x $ROOT/build/dev/bin/dochak-processor-next ]] || return 0
    install "$ROOT/build/dev/bin/dochak-processor-next" "$1/libraries/usr/local/bin/dochak-processor"
    pack "$1/libraries" "$1/next.tar"
}

# The two commands of Kafka's image that servers.yaml calls.
command_of() { # CLASS
    # shellcheck disable=SC2016 # for the command to expand
    printf '#!/bin/sh\nexec java $KAFKA_HEAP_OPTS -cp "/opt/kafka/libs/*" -Dorg.slf4j.simpleLogger.showDateTime=true %s "$@"\n' "$1"
}

servers() { # FOLDER
    [[ ! -f $1/servers.tar ]] || return 0
    base "$1/servers" "$SERVERS"
    "$ROOT/scripts/kafka.sh" jars
    mkdir -p "$1/servers/opt/kafka/bin" "$1/servers/opt/kafka/libs"
    cp "$CACHE"/kafka-*/*.jar "$1/servers/opt/kafka/libs/"
    command_of kafka.tools.StorageTool >"$1/servers/opt/kafka/bin/kafka-storage.sh"
    command_of kafka.Kafka >"$1/servers/opt/kafka/bin/kafka-server-start.sh"
    chmod 755 "$1"/servers/opt/kafka/bin/*
    chroot "$1/servers" usermod -u 999 postgres # as in Postgres's image
    ln -sf ../lib/postgresql/15/bin/{initdb,postgres,pg_isready} "$1/servers/usr/bin/"
    pack "$1/servers" "$1/servers.tar"
}

[[ -n ${1-} ]] || die standins "no folder is given"
mkdir -p "$1"
folder=$(realpath "$1")
programs "$folder"
servers "$folder"
