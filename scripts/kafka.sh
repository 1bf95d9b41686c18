#!/usr/bin/env bash
# One Apache Kafka node (KRaft, broker and controller) for development and tests. The only way this project starts one.
#
#   kafka.sh start DIR [PORT]   starts it on 127.0.0.1:PORT (none or 0: the one used before, else a free one); does nothing if it runs
#   kafka.sh wait  DIR [SECS]   until it answers, at most SECS (60); an error shows the end of its log
#   kafka.sh stop  DIR          asks it to end and waits      kill DIR   ends it with SIGKILL, as a crash would
#   kafka.sh wipe  DIR          kill, and remove DIR          port DIR   prints its port
#   kafka.sh jars               only fetches what `start` needs, if it is not there yet, and makes later starts quicker
#
# DIR holds all of it: data/, log, pid (line 1), port. Topics are not made by being named: `dochak-processor migrate` makes them.
# What DIR/extra.properties says, if it is there, comes on top of our settings and wins: a test makes nodes of one cluster with it.
# KAFKA_HEAP_OPTS is Kafka's own variable for java's memory.
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

# Java's class data archive: the classes that a node has loaded, as java keeps them in memory, so that a start costs half the CPU. Java
# checks that the archive is of its own version and of these jars, and does without it otherwise; another java has another file.
archive() { # JAVA
    local java
    java=$(readlink -f "$(command -v "$1")")
    echo "$(jars_dir)-$(stat -c '%n %s %Y' "$java" | sha256sum | cut -c 1-8).jsa"
}

# One node, started and stopped for it. Whatever fails costs nothing but time later.
make_archive() {
    local file dir
    file=$(archive "$(java_bin)")
    [[ ! -f $file ]] || return 0
    dir=$(mktemp -d "$CACHE/kafka-archive.XXXXXX")
    with_progress kafka 'making its later starts quicker (once)' "$dir.log" record_classes "$dir/node" "$dir/classes.jsa" || true
    [[ ! -f $dir/classes.jsa ]] || mv "$dir/classes.jsa" "$file"
    rm -rf "$dir" "$dir.log"
}

record_classes() { # DIR FILE
    JAVA_TOOL_OPTIONS="${JAVA_TOOL_OPTIONS-} '-XX:ArchiveClassesAtExit=$2'" "$0" start "$1"
    "$0" wait "$1" || true
    "$0" stop "$1"
    "$0" wipe "$1"
}

# All paths are relative to DIR, where the process lives: a comma, a space or Hangul in the checkout's path never reaches Kafka,
# which splits log.dirs at commas, nor java's classpath, which splits at colons.
write_properties() { # DIR PORT
    our_properties "$2" >"$1/server.properties"
    [[ ! -f $1/extra.properties ]] || cat "$1/extra.properties" >>"$1/server.properties"
}

our_properties() { # PORT
    local controller
    controller=$(free_port)
    cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$1
controller.listener.names=CONTROLLER
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
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

format_data() { # JAVA SHARE
    local id
    [[ ! -f data/meta.properties ]] || return 0
    # As long as the UUID in base64 that Kafka asks for, and the same for all nodes of one cluster, since they have the same voters.
    id=$(grep '^controller.quorum.voters=' server.properties | tail -n 1 | sha256sum | cut -c 1-22)
    "$1" -cp 'jars/*' "$2" -Xmx256m kafka.tools.StorageTool format --ignore-formatted --cluster-id "$id" --config server.properties >>log 2>&1 || {
        show_tail "$PWD/log"
        die kafka "its data folder $PWD/data could not be prepared"
    }
}

start() {
    local dir port running java share heap
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
    write_properties "$dir" "$port"
    ln -sfn "$(jars_dir)" "$dir/jars"
    cd "$dir" || exit
    share=-Xshare:auto # as java does by itself
    [[ ! -f $(archive "$java") ]] || share=-XX:SharedArchiveFile=$(archive "$java")
    format_data "$java" "$share"
    read -ra heap <<<"${KAFKA_HEAP_OPTS:--Xms128m -Xmx512m}"
    daemon_start "$dir" "$java" -cp 'jars/*' "$share" "${heap[@]}" -XX:+ExitOnOutOfMemoryError \
        -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat='yyyy-MM-dd HH:mm:ss.SSS' \
        kafka.Kafka server.properties
}

answers() { kcat -L -b "127.0.0.1:$(<"$1/port")" -m 2 >/dev/null 2>&1; }

case ${1-}:${2-} in
    start:?*) start "$2" "${3-}" ;;
    wait:?*) command -v kcat >/dev/null || die kafka "kcat is not installed" "Install the package kcat."
        daemon_wait kafka "$2" "${3:-60}" answers "$2" ;;
    stop:?*) daemon_stop kafka "$2" TERM 30 ;;
    kill:?*) daemon_stop kafka "$2" KILL 10 ;;
    wipe:?*) daemon_stop kafka "$2" KILL 10; rm -rf "$2" ;;
    port:?*) cat "$2/port" ;;
    jars:)
        fetch_jars
        make_archive
        ;;
    *) usage ;;
esac
