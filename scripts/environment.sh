# Sourced by the other scripts: an activated environment is used, otherwise .venv is made and activated.
# usage: prepare_environment [EXTRA[,EXTRA...]]

prepare_environment() {
    local target="." stamp wanted
    [ -z "${1:-}" ] || target=".[$1]"
    if [ -z "${VIRTUAL_ENV:-}" ]; then
        [ -d .venv ] || "${PYTHON:-python3}" -m venv .venv
        . .venv/bin/activate
    fi
    wanted="$target $(cat pyproject.toml scripts/constraints.txt | cksum)"
    stamp="$VIRTUAL_ENV/.medaug-installed-${1:-core}"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        python -m pip install --quiet --constraint scripts/constraints.txt torch==2.13.0
        python -m pip install --quiet --constraint scripts/constraints.txt --editable "$target"
        printf '%s' "$wanted" >"$stamp"
    fi
}

# Threads that wait for each other spin, unless all cores are busy with other programs (see medaug.threads).
share_busy_cores() {
    if python -c "import sys; from medaug.threads import spinning_hurts; sys.exit(not spinning_hurts())"; then
        export OMP_WAIT_POLICY=PASSIVE
    fi
}
