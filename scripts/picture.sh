#!/usr/bin/env bash
# ./dev picture: takes docs/dashboard.png again: the first view of the dashboard as it is built from here, with invented data
# (tests/dashboard/picture.py). It needs nothing that runs.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

takes_nothing picture "$@"
"$ROOT/scripts/packages.sh" picture
python=$(venv)/bin/python
page=$(mktemp -d)
trap 'rm -rf "$page"' EXIT
"$ROOT/dashboard/build.sh" "$page"
PYTHONPATH=$ROOT/tests "$python" -m dashboard.picture "$page" "$ROOT/docs/dashboard.png"
say picture "docs/dashboard.png is taken. Look at it, and at what README.md says below it."
