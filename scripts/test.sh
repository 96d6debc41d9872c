#!/usr/bin/env bash
# Installs medaug with its test tools and runs lint, types and tests. Options go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
prepare_environment test,bench,study
ruff format --check .
ruff check .
mypy
export OMP_NUM_THREADS=1  # each worker has a core; results do not depend on it
# In the order of the folders the files that take longest come early; xdist would begin with many quick tests.
python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder "$@"
