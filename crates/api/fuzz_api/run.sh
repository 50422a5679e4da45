#!/bin/sh
# Runs run.py with the schemathesis of requirements.txt, from a virtual environment that is made where FUZZ_VENV says, or in a
# temporary folder and taken away again. `--fetch` only makes the environment.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${FUZZ_VENV:-}
if [ -z "$venv" ]; then
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT
    venv=$made/venv
fi
if [ ! -x "$venv/bin/schemathesis" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
fi
[ "${1:-}" = --fetch ] || "$venv/bin/python" "$here/run.py"
