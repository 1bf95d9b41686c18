#!/usr/bin/env bash
# silence without registration: the rule over simulated years of endpoints; false alarms and delays (two minutes; --help)
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

"$ROOT/scripts/packages.sh" up # the compiler
tool=$CACHE/bench/silence
mkdir -p "$tool"
if [[ ! -x $tool/bin/python ]] || ! cmp -s "$ROOT/bench/silence/requirements.txt" "$tool/requirements.txt"; then
    python3 -m venv "$tool"
    "$tool/bin/python" -m pip install --disable-pip-version-check -q -r "$ROOT/bench/silence/requirements.txt"
    cp "$ROOT/bench/silence/requirements.txt" "$tool/"
fi
gcc -O2 -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fPIC -shared -I"$ROOT" -o "$tool/silence.so" \
    "$ROOT"/bench/silence/silence.c "$ROOT"/processor/rules/{rhythm,holidays}.c "$ROOT"/common/base/{clock,err,mem}.c -lm
exec "$tool/bin/python" "$ROOT/bench/silence.py" "$@"
