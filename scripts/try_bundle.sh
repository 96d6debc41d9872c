#!/usr/bin/env bash
# Takes a bundle that was given away and tries everything that MONAI's tools and medaug's configs do with it, from an
# empty folder; prints a table, command and outcome. Ends with 1 if anything failed.
# usage: bash scripts/try_bundle.sh BUNDLE.zip SCHEMA.json IMAGES [OPTION OF inference.json ...]
# SCHEMA.json is that of metadata.json's "schema"; IMAGES a folder of images, or of slides with --reader slides.
set -uo pipefail
[ $# -ge 3 ] || { sed -n 2,5p "$0"; exit 2; }
zip="$(realpath "$1")" schema="$(realpath "$2")" images="$(realpath "$3")"
shift 3
place="$(mktemp -d)/an empty folder"
mkdir -p "$place" && cd "$place" || exit 2
failed=0 name="$(basename "$zip" .zip)"

try() { # what it is called, then the command
    local what="$1"
    shift
    if "$@" >"$what.log" 2>&1; then
        echo "| $what | works |"
    else
        failed=1
        echo "| $what | FAILED: $(grep -v '^ *$' "$what.log" | tail -1 | cut -c1-160) |"
    fi
}

bundle() { python -W ignore -m monai.bundle "$@"; }
net=(--config_file "$name/configs/inference.json" --meta_file "$name/configs/metadata.json" --bundle_root "$name")

load_it() {
    python -W ignore - "$1" <<'PYTHON'
import sys, monai.bundle, pathlib
before = {p for p in pathlib.Path().rglob("*")}
network = monai.bundle.load(sys.argv[1], bundle_dir=".", device="cpu")
assert {p for p in pathlib.Path().rglob("*")} == before, "something was made"
print(type(network).__name__)
PYTHON
}

torch_export() {
    python -W ignore - "$1" <<'PYTHON'
import json, sys, torch, monai.bundle
meta = json.load(open(f"{sys.argv[1]}/configs/metadata.json"))["network_data_format"]["inputs"]["image"]
network = monai.bundle.load(sys.argv[1], bundle_dir=".", device="cpu").eval()
images = torch.rand(1, meta["num_channels"], *meta["spatial_shape"])
torch.export.save(torch.export.export(network, (images,)), "model.pt2")
torch.testing.assert_close(torch.export.load("model.pt2").module()(images), network(images))
PYTHON
}

properties() {
    python -W ignore - "$1" <<'PYTHON'
import sys, monai.bundle
for config, kind in (("train", "train"), ("train_diffusion", "train"), ("inference", "inference")):
    workflow = monai.bundle.create_workflow(config_file=f"{sys.argv[1]}/configs/{config}.json", workflow_type=kind)
    assert workflow.check_properties() == [], config
PYTHON
}

push() {
    python -W ignore - "$1" <<'PYTHON'
import shutil, sys
from unittest import mock
import monai.bundle
shutil.copytree(sys.argv[1], "copy/" + sys.argv[1])
with mock.patch("monai.bundle.scripts.huggingface_hub") as hub:
    monai.bundle.push_to_hf_hub("me/it", sys.argv[1], "copy", version="1")
assert hub.HfApi.return_value.upload_folder.called
PYTHON
}

own_table() {
    python - "$1" <<'PYTHON'
import json, sys, numpy as np, pandas as pd
task, random = json.load(open(f"{sys.argv[1]}/models/model.json"))["task"], np.random.default_rng(0)
table = pd.DataFrame({"patient_id": range(400)})
truth = random.integers(0, len(task["classes"]), 400)
for place, label in enumerate(task["classes"]):
    alone = task["kind"] == "multiclass"
    table[f"label:{label}"] = (truth == place).astype(int) if alone else random.integers(0, 2, 400)
    table[f"score:{label}"] = random.random(400)
if task["kind"] == "multiclass":
    scores = [column for column in table if column.startswith("score:")]
    table[scores] = table[scores].div(table[scores].sum(axis=1), axis=0)
table["attr:sex"] = random.choice(["F", "M"], 400)
table.to_csv("mine.csv", index=False)
PYTHON
}

echo "| $name: command | outcome |"
echo "|---|---|"
try "inspect" python -m medaug.sharing inspect "$zip"
try "unpack" python -m zipfile -e "$zip" .
try "verify_metadata" bundle verify_metadata --meta_file "$name/configs/metadata.json" --filepath "$schema"
try "verify_net_in_out" bundle verify_net_in_out network_def "${net[@]}" --device cpu
try "ckpt_export" bundle ckpt_export network_def --filepath model.ts --ckpt_file "$name/models/model.pt" "${net[@]}"
try "onnx_export" bundle onnx_export network_def --filepath model.onnx --ckpt_file "$name/models/model.pt" "${net[@]}"
try "torch.export" torch_export "$name"
try "monai.bundle.load" load_it "$name"
try "create_workflow, check_properties" properties "$name"
try "inference.json" bundle run --config_file "$name/configs/inference.json" --dataset_dir "$images" --output_dir out "$@"
own_table "$name"
try "evaluate.json, own table" bundle run --config_file "$name/configs/evaluate.json" --predictions mine.csv --output_dir audit
try "evaluate.json --tracking mlflow" bundle run --config_file "$name/configs/evaluate.json" --predictions mine.csv \
    --output_dir tracked --replicates 0 --tracking mlflow
try "generate.json" bundle run --config_file "$name/configs/generate.json" --images 4 --output_dir drawn
try "push_to_hf_hub up to the network" push "$name"
echo "(in $place)" >&2
exit $failed
