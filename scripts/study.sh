#!/usr/bin/env bash
# Trains all arms of a study with several seeds and writes <output>/index.html; run it again to go on.
#   bash scripts/study.sh BUNDLE [SETTING=VALUE...] [OPTIONS OF SNAKEMAKE...]
#   bash scripts/study.sh bundles/chexpert arms='[baseline, label]' seeds='[0, 1, 2]' output=study --cores 2
# The settings are those of medaug.grid.design.Study; without any it is a small study of phantom images.
set -euo pipefail
settings=("bundle=${1:?name a bundle, for example bundles/chexpert}" "output=study")
shift
while [[ "${1:-}" =~ ^[a-z_]+= ]]; do
    case "$1" in
        output=*) settings[1]=$1 ;;
        *) settings+=("$1") ;;
    esac
    shift
done
output=${settings[1]#output=}

. "$(dirname "$0")/environment.sh"
pushd "$(dirname "$0")/.." >/dev/null
prepare_environment study
popd >/dev/null

mkdir -p "$output"
exec 9>"$output/.lock"  # held by the trainings too, so that none is begun twice when this script was killed
flock --nonblock 9 || { echo "waiting for trainings that are at work in $output"; flock 9; }
export PYTHONPATH="$(cd "$(dirname "$0")" && pwd)/snakemake_plugins${PYTHONPATH:+:$PYTHONPATH}"
[[ "$*" == *--profile* ]] || set -- --cores all "$@"  # of this machine; a profile says how many jobs a cluster gets
exec python -m snakemake --snakefile "$(dirname "$0")/study.smk" --rerun-incomplete --keep-going --nolock \
    --show-failed-logs "$@" --config "${settings[@]}"
