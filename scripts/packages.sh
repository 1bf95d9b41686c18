#!/usr/bin/env bash
# Installs what a command needs and this machine lacks: `packages.sh up [test] [check] [fmt] [bench] [picture]`. It looks at the thing
# itself (a program, a header), not at the package, so what was put there in another way counts; where nothing is missing it runs no
# package manager.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# need for | how to see that it is there | Debian's name for it
NEEDS='
up    | has_program gcc                             | build-essential
up    | has_program cmake                           | cmake
up    | has_program ninja                           | ninja-build
up    | has_program pkg-config                      | pkg-config
up    | has_library rdkafka                         | librdkafka-dev
up    | has_file /usr/include/civetweb.h            | libcivetweb-dev
up    | has_library jansson                         | libjansson-dev
up    | has_library libpq                           | libpq-dev
up    | has_library libcurl                         | libcurl4-openssl-dev
up    | has_library libcrypto                       | libssl-dev
up    | has_library sqlite3                         | libsqlite3-dev
up    | has_library zlib                            | zlib1g-dev
up    | has_file /usr/lib/postgresql/*/bin/postgres | postgresql
up    | has_program psql                            | postgresql-client
up    | has_program kcat                            | kcat
up    | has_program curl                            | curl
up    | has_java                                    | java
up    | has_program mvn                             | maven
up    | has_program node                            | nodejs
up    | has_program npm                             | npm
test  | has_library cmocka                          | libcmocka-dev
test  | has_venv                                    | python3-venv
test  | has_program valgrind                        | valgrind
test  | has_program chromium                        | chromium
test  | has_file /usr/sbin/nginx                    | nginx-light
test  | has_file /usr/sbin/pgbouncer                | pgbouncer
check | has_program clang                           | clang
check | has_file /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a | libclang-rt-dev
check | has_program clang-format                    | clang-format
check | has_program clang-tidy                      | clang-tidy
check | has_program shellcheck                      | shellcheck
check | has_program git                             | git
check | has_program spin                            | spin
fmt   | has_program clang-format                    | clang-format
bench | has_program wrk                             | wrk
bench | has_program go                              | golang-go
bench | has_program javac                           | jdk
bench | has_venv                                    | python3-venv
picture | has_program npm                           | npm
picture | has_venv                                  | python3-venv
picture | has_program chromium                      | chromium
picture | has_font ko                               | fonts-nanum
'

has_program() { command -v "$1" >/dev/null; }
has_library() { has_program pkg-config && pkg-config --exists "$1"; }
has_font() { has_program fc-list && [[ -n $(fc-list ":lang=$1") ]]; }
has_venv() { python3 -c 'import venv, ensurepip' 2>/dev/null; }

has_file() {
    local found
    # shellcheck disable=SC2206 # a star is meant; without a match nothing is left (nullglob)
    found=($1)
    ((${#found[@]})) && [[ -e ${found[0]} ]]
}

# Kafka 4 needs Java 17.
has_java() {
    local java=${JAVA_HOME:+$JAVA_HOME/bin/}java version
    has_program "$java" || return 1
    version=$("$java" -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p')
    ((${version:-0} >= 17))
}

# Distributions differ in which Java is theirs.
java_package() { # jre|jdk
    local version
    for version in 17 21 25; do
        if apt-cache show "openjdk-$version-$1-headless" >/dev/null 2>&1; then break; fi
    done
    echo "openjdk-$version-$1-headless"
}

# missing_for NEED…: the packages to install, one a line.
missing_for() {
    local need test package
    while IFS='|' read -r need test package; do
        [[ -n $need && " $* " == *" ${need// /} "* ]] || continue
        read -ra test <<<"$test"
        "${test[@]}" || echo "${package// /}"
    done <<<"$NEEDS"
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

install() { # PACKAGE…
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300)
    has_program apt-get || die packages "not installed: $*" "These are Debian's names; install them as your system calls them, then try again."
    if ((EUID)); then
        has_program sudo || die packages "not installed: $*" "As root: apt-get install $*"
        # Asked here, once: what follows runs with its output in a file.
        sudo -v || die packages "not installed, and sudo does not let you: $*" "As root: apt-get install $*"
    fi
    with_progress packages 'apt-get update' "$RUN/log/apt-update.log" as_root "${apt[@]}" update ||
        say packages "apt-get update failed; going on with the lists there are" >&2
    local packages=("${@/#java/$(java_package jre)}")
    packages=("${packages[@]/#jdk/$(java_package jdk)}")
    say packages "missing here: ${packages[*]}"
    with_progress packages 'installing them' "$RUN/log/apt-install.log" \
        as_root "${apt[@]}" install --no-install-recommends "${packages[@]}" ||
        die packages "apt-get could not install: ${packages[*]}" "The full log is $RUN/log/apt-install.log"
}

mapfile -t missing < <(missing_for "$@")
((${#missing[@]} == 0)) || install "${missing[@]}"
