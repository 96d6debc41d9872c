"""Reading the files of the bundles and running them as typed, for the tests."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from medaug.stages.command_line import explain

BUNDLES = ("chexpert", "camelyon17", "dermatology")
OWN = ("prepare",)
"""Configs that say something else in each bundle; all others are the same file."""

_ORDER = (
    "prepare",
    "train_diffusion",
    "train_upsampler",
    "generate",
    "quality",
    "train",
    "evaluate",
    "inference",
)


def folder(bundle: str) -> Path:
    return Path(__file__).parents[2] / "bundles" / bundle


def stages(bundle: str) -> list[str]:
    return [stage for stage in _ORDER if (folder(bundle) / f"{stage}.json").is_file()]


def config(bundle: str, stage: str) -> dict[str, Any]:
    return json.loads((folder(bundle) / f"{stage}.json").read_text())


def settings(bundle: str, stage: str) -> dict[str, Any]:
    """What a user may set: in every config it comes first, and then what is built from it."""
    content = config(bundle, stage)
    names = list(content)
    end = min(names.index(name) for name in ("stage", "task") if name in names)
    return {name: content[name] for name in names[:end] if name not in ("imports", "shared")}


def times(folder: Path) -> dict[str, int]:
    """When each file below a folder was written."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in sorted(folder.rglob("*"))}


def told(error: BaseException) -> str:
    """Return the sentence with which a command tells an error."""
    said = io.StringIO()
    with redirect_stderr(said):
        explain(type(error), error, None)
    (sentence,) = said.getvalue().splitlines()
    assert sentence.startswith("medaug: ")
    return sentence


def fails(root: Path, *arguments: str) -> str:
    """Run a command as typed; return the sentence that it ends with, without its end of line.

    Importing MONAI takes it seconds: `told` is for what is not about the command itself.
    """
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
