#!/usr/bin/env bash
# A Docker engine of its own for the rehearsal, in a network namespace of its own: its bridges, packet filter and ports are not those of
# this machine, and it reaches the internet through slirp4netns. Needs root, Debian's docker.io,
# slirp4netns and debootstrap, and Maven.
#
#   engine.sh start DIR            starts it; everything it has is in DIR
#   engine.sh run DIR COMMAND…     runs a command in its network, with DOCKER_HOST
#   engine.sh images DIR           the images that docker-compose.yml needs: pulled, or else stand-ins, which are kept in .cache
#   engine.sh stop DIR             stops it, and removes DIR and the namespace
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

HERE=$ROOT/tests/compose
SLIM=debian:bookworm-slim

namespace() { basename "$1"; }
inside() { nsenter --net="/run/netns/$(namespace "$1")" "${@:2}"; }
docker_in() { inside "$1" env DOCKER_HOST="unix://$1/docker.sock" DOCKER_BUILDKIT=0 docker "${@:2}"; }
answers() { docker_in "$1" version >/dev/null 2>&1; }

start() { # DIR
    local dir=$1 net files
    net=$(namespace "$dir")
    files=$(ulimit -Hn) # no container may have more
    mkdir -p "$dir/engine" "$dir/network"
    ip netns add "$net"
    inside "$dir" ip link set lo up
    daemon_start "$dir/network" slirp4netns --configure --mtu=1500 --disable-host-loopback --netns-type=path "/run/netns/$net" tap0
    daemon_start "$dir/engine" nsenter --net="/run/netns/$net" dockerd -H "unix://$dir/docker.sock" --data-root "$dir/data" \
        --exec-root "$dir/exec" --pidfile "$dir/docker.pid" --dns 10.0.2.3 --cgroup-parent "/$net" --default-ulimit nofile="$files:$files"
    daemon_wait engine "$dir/engine" 60 answers "$dir"
}

build_slim() { # DIR
    "$HERE/standins/slim/build.sh" "$1/slim" &&
        tar -C "$1/slim" -c . | docker_in "$1" import - "$SLIM" &&
        rm -rf "$1/slim"
}

build_standin() { # DIR FOLDER IMAGE
    local context=$1/context
    rm -rf "$context"
    cp -r "$HERE/standins/$2" "$context"
    [[ $2 != kafka ]] || mvn -B -C -f "$context/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$context/jars" || return
    docker_in "$1" build -t "$3" "$context" && rm -rf "$context"
}

# Each is kept as a file whose name says what it was built from.
standin() { # DIR FOLDER IMAGE
    local kept build=build_standin
    [[ $2 != slim ]] || build=build_slim
    kept=$CACHE/standin-$2-$(cat "$HERE/standins/$2"/* | sha256sum | cut -c 1-12).tar
    if [[ -f $kept ]]; then
        docker_in "$1" load -q -i "$kept" >/dev/null
        return
    fi
    with_progress engine "building a stand-in for $3" "$1/standin-$2.log" "$build" "$@" || die engine "could not build the stand-in for $3"
    mkdir -p "$CACHE"
    docker_in "$1" save "$3" -o "$kept.new"
    mv "$kept.new" "$kept"
}

images() { # DIR
    local image folder found
    found=$(sed -nE 's/^ *image: ([^ ]+).*/\1/p' "$ROOT/docker-compose.yml")
    for image in "$SLIM" $found; do
        case $image in
            "$SLIM") folder=slim ;;
            apache/kafka:*) folder=kafka ;;
            postgres:*) folder=postgres ;;
            caddy:*) folder=caddy ;;
            prom/*) folder=$(basename "${image%:*}") ;;
            *) continue ;;
        esac
        docker_in "$1" pull -q "$image" >/dev/null 2>&1 || standin "$1" "$folder" "$image"
    done
}

stop() { # DIR
    local dir=$1 net mounted
    net=$(namespace "$dir")
    daemon_end "$dir/engine" TERM 60 || daemon_end "$dir/engine" KILL 10 || true
    daemon_end "$dir/network" TERM 10 || true
    ip netns del "$net" 2>/dev/null || true
    while read -r _ mounted _; do [[ $mounted != "$dir"/* ]] || umount -l "$mounted"; done <<<"$(tac /proc/mounts)"
    find /sys/fs/cgroup -depth -type d -path "*/$net*" -exec rmdir {} + 2>/dev/null || true
    rm -rf "$dir"
}

case ${1-} in
    start) start "$2" ;;
    run) exec nsenter --net="/run/netns/$(namespace "$2")" env DOCKER_HOST="unix://$2/docker.sock" DOCKER_BUILDKIT=0 "${@:3}" ;;
    images) images "$2" ;;
    stop) stop "$2" ;;
    *) usage ;;
esac
