#!/usr/bin/env bash
# One Apache Kafka node (KRaft, broker and controller) for development and tests. The only way this project starts one.
#
#   kafka.sh start DIR [PORT [TOLD]]   starts it on 127.0.0.1:PORT (none or 0: the one used before, else a free one); does nothing if
#                               it runs. TOLD: the port that clients are told to use, where a proxy listens; kept for later starts
#   kafka.sh wait  DIR [SECS]   until it answers, at most SECS (60); an error shows the end of its log
#   kafka.sh stop  DIR          asks it to end and waits      kill DIR   ends it with SIGKILL, as a crash would
#   kafka.sh wipe  DIR          kill, and remove DIR          port DIR   prints its port
#   kafka.sh jars               only fetches what `start` needs, if it is not there yet
#
# DIR holds all of it: data/, log, pid (line 1), port, told. Topics are not made by being named: `dochak-processor migrate` makes them.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

POM=$ROOT/scripts/kafka/pom.xml

# The jars' folder carries the checksum of the pom that named them, so that a changed pom means a new folder.
jars_dir() { echo "$CACHE/kafka-$(sha256sum "$POM" | cut -c 1-12)"; }

fetch_jars() {
    local jars fresh
    jars=$(jars_dir)
    [[ ! -d $jars ]] || return 0
    command -v mvn >/dev/null || die kafka "Maven (mvn) is not installed; it fetches Kafka's jars" "Install the package maven."
    mkdir -p "$CACHE"
    fresh=$(mktemp -d "$CACHE/kafka-fetch.XXXXXX")
    # -C: a jar whose checksum is wrong is an error.
    with_progress kafka 'fetching Apache Kafka with Maven (43 MB)' "$fresh.log" \
        mvn -B -C -f "$POM" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$fresh" || {
        rm -rf "$fresh"
        die kafka "Maven could not fetch the jars that $POM names" \
            "It needs Maven Central, directly or through a mirror in ~/.m2/settings.xml; the full log is $fresh.log"
    }
    # Another run may have been quicker.
    mv -T "$fresh" "$jars" 2>/dev/null || rm -rf "$fresh"
    rm -f "$fresh.log"
}

java_bin() {
    local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    command -v "$java" >/dev/null || die kafka "there is no Java; Kafka needs 17 or newer" "Install the package openjdk-17-jre-headless."
    echo "$java"
}

# All paths are relative to DIR, where the process lives: a comma, a space or Hangul in the checkout's path never reaches Kafka,
# which splits log.dirs at commas, nor java's classpath, which splits at colons.
write_properties() { # DIR PORT TOLD
    local controller
    controller=$(free_port)
    cat >"$1/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$3
controller.listener.names=CONTROLLER
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# One node cannot keep three copies.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# After a kill the next start waits until the broker it was counts as gone: 3 s instead of 9.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# Fewer partitions of Kafka's own: quicker to start and to stop.
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
PROPERTIES
}

format_data() { # JAVA
    local id
    [[ ! -f data/meta.properties ]] || return 0
    # A UUID in URL-safe base64; no - or _, so that it never looks like an option.
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'pq' | cut -c 1-22)
    "$1" -cp 'jars/*' -Xmx256m kafka.tools.StorageTool format --ignore-formatted --cluster-id "$id" --config server.properties >>log 2>&1 || {
        show_tail "$PWD/log"
        die kafka "its data folder $PWD/data could not be prepared"
    }
}

start() {
    local dir port running java
    dir=$(need_dir "$1")
    if is_running "$dir"; then
        running=$(<"$dir/port")
        [[ ${2:-0} == 0 || $2 == "$running" ]] || die kafka "already runs in $dir, on port $running, not on $2" "Stop it first."
        return
    fi
    java=$(java_bin)
    fetch_jars
    port=$(daemon_port "$dir" "${2:-0}")
    port_is_free "$port" || die kafka "port $port is taken by another program" "Give another port, or none."
    [[ -z ${3-} ]] || echo "$3" >"$dir/told"
    write_properties "$dir" "$port" "$(cat "$dir/told" 2>/dev/null || echo "$port")"
    ln -sfn "$(jars_dir)" "$dir/jars"
    cd "$dir" || exit
    format_data "$java"
    daemon_start "$dir" "$java" -cp 'jars/*' -Xms128m -Xmx512m -XX:+ExitOnOutOfMemoryError \
        -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat='yyyy-MM-dd HH:mm:ss.SSS' \
        kafka.Kafka server.properties
}

answers() { kcat -L -b "127.0.0.1:$(<"$1/port")" -m 2 >/dev/null 2>&1; }

case ${1-}:${2-} in
    start:?*) start "$2" "${3-}" "${4-}" ;;
    wait:?*) command -v kcat >/dev/null || die kafka "kcat is not installed" "Install the package kcat."
        daemon_wait kafka "$2" "${3:-60}" answers "$2" ;;
    stop:?*) daemon_stop kafka "$2" TERM 30 ;;
    kill:?*) daemon_stop kafka "$2" KILL 10 ;;
    wipe:?*) daemon_stop kafka "$2" KILL 10; rm -rf "$2" ;;
    port:?*) cat "$2/port" ;;
    jars:) fetch_jars ;;
    *) usage ;;
esac
