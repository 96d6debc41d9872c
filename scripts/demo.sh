#!/usr/bin/env bash
# Installs medaug and runs the whole method on built-in phantom radiographs, in minutes on two CPU cores.
# Options go to the run, for example: bash scripts/demo.sh --output_dir /tmp/demo --seed 1
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
prepare_environment
share_busy_cores
exec python -m monai.bundle run --config_file bundles/chexpert/train.json "$@"
