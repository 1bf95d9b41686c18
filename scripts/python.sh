# shellcheck shell=bash
# The Python of the tests, with their packages. Sourced, after lib.sh.
# SPDX-License-Identifier: MIT

# The virtual environment's name carries the checksum of what is in it: other requirements or another Python, another environment.
venv() {
    local requirements=$ROOT/tests/requirements.txt key dir
    [[ -f $requirements ]] || die test "there is no $requirements"
    key=$({ python3 -V && cat "$requirements"; } | sha256sum | cut -c 1-12)
    dir=$CACHE/venv-$key
    if [[ ! -f $dir/complete ]]; then
        rm -rf "$dir"
        python3 -m venv "$dir" || die test "python3 could not make a virtual environment" "Install the package python3-venv."
        with_progress test 'fetching the Python packages of the tests' "$RUN/log/pip.log" \
            "$dir/bin/python" -m pip install --disable-pip-version-check -r "$requirements" >&2 ||
            die test "pip could not install $requirements" "It needs a Python package index; the full log is $RUN/log/pip.log"
        touch "$dir/complete"
    fi
    echo "$dir"
}
