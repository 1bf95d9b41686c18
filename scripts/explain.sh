#!/usr/bin/env bash
# ./dev explain [ARG…] <BODY: dochak-processor explain, with the provider files of this checkout. Needs nothing that runs.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$(dirname "${BASH_SOURCE[0]}")/services.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"

program=$(service_binary processor)
if asks_for_help explain "$@"; then
    [[ -x $program ]] || { say explain "is not built yet; after a first ./dev explain, --help lists its arguments" && exit; }
    exec "$program" explain --help
fi
# The provider files are read from the checkout, so a change of one needs no build.
if [[ ! -x $program || -n $(find "$ROOT"/{common,processor} "$ROOT"/schemas/*.schema.json -type f -newer "$program" -print -quit) ]]; then
    ("$ROOT/scripts/packages.sh" up && build release) >&2 </dev/null
fi
forget_callers_names
by_default DOCHAK_PROVIDERS_DIR "$ROOT/schemas/providers"
by_default DOCHAK_ENDPOINTS_FILE "$ROOT/deploy/dev/endpoints.json"
exec "$program" explain "$@"
