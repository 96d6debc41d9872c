"""The workflow of a study, dry: which jobs there are, and how they are submitted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("snakemake", reason="needs the extra 'study'")

ROOT = Path(__file__).parents[2]


def dry(folder: Path, settings: list[str], *options: str) -> str:
    """Return what a dry run says."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "scripts" / "snakemake_plugins")])
    config = ["bundle=bundles/chexpert", f"output={folder}", *settings]
    command = [sys.executable, "-m", "snakemake", "--snakefile", "scripts/study.smk", "--nolock", *options]
    done = subprocess.run(
        [*command, "--config", *config],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def jobs(said: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}


def test_one_generator_serves_many_arms(tmp_path):
    arms = "arms=[heuristic, label, label_heuristic, label_and_property, synthetic_only, placebo_noise]"
    said = dry(tmp_path, [arms, "seeds=[0, 1, 2]"], "--dry-run", "--cores", "2")
    assert jobs(said) == {
        "all": 1,
        "compare": 1,
        "design": 1,
        "generate": 2 * 3,
        "look": 3,
        "page": 1,
        "prepare": 1,
        "train": 7 * 3,
        "total": 35,
    }


def test_what_is_labelled_has_generators_of_its_own_on_the_same_images(tmp_path):
    labelled = "labelled={few: {label_budget: 10}, many: {label_budget: 100}}"
    said = dry(tmp_path, ["arms=[label]", "seeds=[0, 1]", labelled], "--dry-run", "--cores", "2")
    found = jobs(said)
    assert [found[rule] for rule in ("prepare", "generate", "train", "look", "compare")] == [1, 4, 8, 4, 2]


def test_a_dry_run_on_slurm_prints_the_line_of_every_job(tmp_path):
    pytest.importorskip("snakemake_executor_plugin_slurm")
    options = ("--profile", "scripts/profiles/slurm", "--executor", "sbatch-lines")
    lines = [
        s
        for s in dry(tmp_path, ["arms=[label]", "seeds=[0, 1]"], *options).splitlines()
        if s.startswith("sbatch ")
    ]
    assert len(lines) == 1 + 2 + 4 + 2 + 1 + 1
    of_gpus = [line for line in lines if "--gpus=1" in line]
    assert len(of_gpus) == 2 + 4 + 2
    assert all("--mem 64000" in line for line in of_gpus)
    assert not list(tmp_path.iterdir())
