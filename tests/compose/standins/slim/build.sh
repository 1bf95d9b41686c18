#!/usr/bin/env bash
# build.sh DIR: makes the files of debian:bookworm-slim in DIR. Like the real one it has no documentation and no translations, nor have
# the packages that later layers add. It trusts whom this machine trusts: a proxy may stand between it and the package registries.
# SPDX-License-Identifier: MIT
set -euo pipefail
debootstrap --variant=minbase bookworm "$1"
printf 'path-exclude /usr/share/%s/*\n' doc man info locale groff lintian linda >"$1/etc/dpkg/dpkg.cfg.d/docker"
printf 'path-include /usr/share/doc/*/copyright\n' >>"$1/etc/dpkg/dpkg.cfg.d/docker"
find "$1/usr/share/doc" -type f ! -name copyright -delete
mkdir -p "$1/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$1/usr/local/share/ca-certificates" {} +
rm -rf "$1"/usr/share/{man,info,locale,groff}/* "$1"/var/{cache/apt,lib/apt/lists,log}/*
