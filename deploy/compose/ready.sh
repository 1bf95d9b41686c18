#!/usr/bin/env bash
# dochak-ready PORT: whether the service in this container is ready, by its own /readyz, whose answer it prints. For health checks:
# the image has no curl.
# SPDX-License-Identifier: MIT
set -eu
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
answer=$(cat <&3)
echo "${answer##*$'\r\n\r\n'}"
[[ $answer == 'HTTP/1.1 200 '* ]]
