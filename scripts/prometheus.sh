#!/usr/bin/env bash
# Prometheus and Alertmanager for the tests: their programs, from Debian's packages, in a folder of ours. Nothing is installed, no
# service is started, and no root is needed.
#
#   prometheus.sh get   fetches prometheus, promtool, alertmanager and amtool, unless this machine has them
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FOLDER=$CACHE/prometheus # the programs are in usr/bin; tests/support/prometheus.py looks there, too

has_all() {
    local PATH=$FOLDER/usr/bin:$PATH program
    for program in prometheus promtool amtool; do command -v "$program" >/dev/null || return; done
    command -v prometheus-alertmanager >/dev/null || command -v alertmanager >/dev/null
}

unpack() { # FOLDER
    local package
    cd "$1"
    apt-get download prometheus prometheus-alertmanager
    for package in ./*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x --wildcards './usr/bin/*' './usr/share/prometheus/*'; done
    rm ./*.deb
}

get() {
    local fresh
    if has_all; then return; fi
    command -v apt-get >/dev/null || die prometheus "not installed: prometheus, promtool, alertmanager, amtool" \
        "Install them as your system calls them, then try again."
    mkdir -p "$CACHE"
    fresh=$(mktemp -d "$CACHE/prometheus-fetch.XXXXXX")
    with_progress prometheus 'fetching Prometheus and Alertmanager (30 MB)' "$fresh.log" "$0" unpack "$fresh" || {
        rm -rf "$fresh"
        die prometheus "apt-get could not fetch prometheus and prometheus-alertmanager" \
            "The full log is $fresh.log; \`apt-get update\` may help."
    }
    mv -T "$fresh" "$FOLDER" 2>/dev/null || rm -rf "$fresh" # another run may have been quicker
    rm -f "$fresh.log"
}

case ${1-} in
    get) get ;;
    unpack) unpack "$2" ;;
    *) usage ;;
esac
