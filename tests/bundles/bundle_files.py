"""Reading the files of the bundles and running them as typed, for the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BUNDLES = ("chexpert", "camelyon17", "dermatology")
PARTS = {
    "prepare": "prepare",
    "diffusion": "train_diffusion",
    "upsampler": "train_upsampler",
    "generate": "generate",
}
"""Which config gets the settings that `train.json` hands over under a name."""

SHARED_STAGES = ("train_diffusion", "train", "evaluate")
"""Configs that build the same in every bundle; the others differ where the modalities do."""

_ORDER = ("prepare", "train_diffusion", "train_upsampler", "generate", "train", "evaluate", "inference")


def folder(bundle: str) -> Path:
    return Path(__file__).parents[2] / "bundles" / bundle


def stages(bundle: str) -> list[str]:
    return [stage for stage in _ORDER if (folder(bundle) / f"{stage}.json").is_file()]


def config(bundle: str, stage: str) -> dict[str, Any]:
    return json.loads((folder(bundle) / f"{stage}.json").read_text())


def settings(bundle: str, stage: str) -> dict[str, Any]:
    """What a user may set: in every config it comes first, and then what is built from it."""
    content = list(config(bundle, stage).items())
    names = [name for name, _ in content]
    end = min(names.index(name) for name in ("device", "task", "evaluation") if name in names)
    hidden = ("imports", "common", "p", "sampling")
    return {name: value for name, value in content[:end] if name not in hidden}


def times(folder: Path) -> dict[str, int]:
    """When each file below a folder was written."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in sorted(folder.rglob("*"))}


def fails(root: Path, *arguments: str) -> str:
    """Run a command as typed; return the sentence that it ends with, without its end of line."""
    done = subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", "--config_file", *arguments],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("medaug: ")]
    assert done.stderr.endswith(f"{sentence}\n")
    return sentence
