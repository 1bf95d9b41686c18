#!/usr/bin/env bash
# build.sh DIR: builds the page into DIR. Its packages are installed where they are not those of package-lock.json.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec 9<package-lock.json
flock 9 # two build trees may want it at the same time
if ! cmp -s package-lock.json node_modules/.installed; then
    echo "dashboard: npm ci"
    npm ci --ignore-scripts --loglevel=error
    cp package-lock.json node_modules/.installed
fi
node_modules/.bin/vite build --outDir "$1" --emptyOutDir --logLevel warn
