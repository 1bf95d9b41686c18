# shellcheck shell=bash
# Builds a preset into build/PRESET. Sourced, after lib.sh.
# SPDX-License-Identifier: MIT

build() { # PRESET
    local tree=$ROOT/build/$1 fresh=()
    cd "$ROOT" || exit # presets are looked for here
    # A checkout that was moved or copied brings a build tree that points to where it was.
    if [[ -f $tree/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$tree/CMakeCache.txt"; then
        fresh=(--fresh)
    fi
    # Ninja itself sees a changed CMakeLists.txt, not a changed preset.
    if [[ ${#fresh[@]} -gt 0 || CMakePresets.json -nt $tree/build.ninja ]]; then
        with_progress build "configuring $1" "$RUN/log/configure-$1.log" cmake --preset "$1" "${fresh[@]}" ||
            die build "CMake could not configure the preset $1" "The full log is $RUN/log/configure-$1.log"
        touch "$tree/build.ninja"
    fi
    with_progress build "building $1" "$RUN/log/build-$1.log" cmake --build --preset "$1" ||
        die build "the build of preset $1 failed" "The full log is $RUN/log/build-$1.log"
}
