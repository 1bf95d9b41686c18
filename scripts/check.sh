#!/usr/bin/env bash
# ./dev check: all that can be said about the code without running the product. Every step runs, whatever the ones before said.
# `check.sh fmt [FILE…]` formats the C code instead, or only FILE… (./dev fmt).
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

cd "$ROOT"

# our_files PATTERN…: what is in git or could be added to it, each name ended by a zero byte.
our_files() { git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@"; }

format() { our_files '*.c' '*.h' | xargs -0r clang-format --dry-run -Werror; }

scripts_are_sound() { our_files dev '*.sh' .ci/run | xargs -0r shellcheck; }

# Names that are nowhere, and imports and variables that nobody uses: also in tests that run by hand only.
python_is_sound() {
    local ruff
    ruff=$(venv)/bin/ruff && our_files '*.py' | xargs -0r "$ruff" check --no-cache --quiet --select E9,F
}

# Warnings are errors in every preset; two compilers see more than one.
compiles() { (build "$1"); }

# The flags are those of the clang build.
tidy_every_file() {
    our_files 'common/*.c' 'ingress/*.c' 'processor/*.c' | xargs -0r -n 1 -P "$(nproc)" clang-tidy --quiet -p build/clang
}

tidy() {
    with_progress check 'clang-tidy reads every file' "$RUN/log/tidy.log" tidy_every_file && return
    say check 'all it found:' >&2
    grep -hE ' (error|warning): ' "$RUN/log/tidy.log" | sort -u >&2
    return 1
}

# ThreadSanitizer of gcc 12 cannot live with all of the kernel's address randomising, so that test runs without it where that is allowed.
unit_tests() {
    local as_is=()
    if [[ $1 == tsan ]] && setarch -R true 2>/dev/null; then as_is=(setarch -R); fi
    (build "$1") && "${as_is[@]}" ctest --preset "$1"
}

# The packages are there since the first build.
dashboard_types() { npm --prefix "$ROOT/dashboard" run --silent types; }

settings_are_documented() {
    diff -u --label docs/operations.md --label 'dochak-ingress --help-markdown' \
        <(sed -n '/<!-- settings -->/,/<!-- \/settings -->/{ /<!-- \/\{0,1\}settings -->/d; p }' docs/operations.md) \
        <("$ROOT/build/dev/bin/dochak-ingress" --help-markdown) ||
        { echo "docs/operations.md: put the output of dochak-ingress --help-markdown between the two settings marks"; return 1; }
}

passed=0 failed=()
step() { # NAME COMMAND…
    local name=$1 began=$SECONDS
    shift
    say check "$name …"
    if "$@"; then
        passed=$((passed + 1))
        say check "$name: good ($((SECONDS - began)) s)"
    else
        failed+=("$name")
        say check "$name: FAILED ($((SECONDS - began)) s)"
    fi
}

if [[ ${1-} == fmt ]]; then
    "$ROOT/scripts/packages.sh" fmt
    shift
    if (($#)); then clang-format -i -- "$@"; else our_files '*.c' '*.h' | xargs -0r clang-format -i; fi
    exit
fi
takes_nothing check "$@"
"$ROOT/scripts/packages.sh" up test check
step 'format (clang-format)' format
step 'scripts (shellcheck)' scripts_are_sound
step 'Python (ruff)' python_is_sound
step 'warnings (gcc)' compiles dev
step 'warnings (gcc, optimised)' compiles release # sees more than the others: what `./dev up` builds
step 'warnings (clang)' compiles clang
step 'dashboard (tsc)' dashboard_types
step 'clang-tidy' tidy
step 'unit tests under asan and ubsan' unit_tests asan
step 'unit tests under tsan' unit_tests tsan
step 'model (spin)' docs/model/check.sh
step 'settings table of docs/operations.md' settings_are_documented
printf '\n'
for name in "${failed[@]}"; do say check "FAILED: $name"; done
echo "check: $passed passed, ${#failed[@]} failed"
((${#failed[@]} == 0))
