"""Evaluate or train a second time in child processes that are killed at many moments; nothing may be lost.

Run with a folder, ``evaluate`` or ``train``, and how many moments. A moment is just before a file is opened,
moved or deleted. Half of them are spread over the work, half are the last ones, in which new products take
the places of older ones. Forking here, in a process of its own, spares every child the imports.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from monai.bundle import ConfigWorkflow

from medaug.evaluation.settings import EvaluationSettings
from medaug.stages.evaluation import Evaluation
from medaug.stages.run import Run

EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
TINY = {
    "prepare": {"phantom_images": [60, 40], "image_size": 16, "workers": 0},
    "image_size": 16,
    "iterations": 2,
    "iterations_per_epoch": 1,
    "batch_size": 8,
    "real_fraction": 1.0,
    "evaluate": {"replicates": 0, "permutations": 0},
}

Work = Callable[[Path, int], None]
"""Does the work in a folder, with other settings for another number."""


def evaluate(folder: Path, number: int) -> None:
    table = pd.DataFrame({"image_id": [f"i{n}" for n in range(60)], "label:edema": np.arange(60) % 2})
    table.assign(**{"score:edema": np.random.default_rng(0).random(60)}).to_csv(folder / "mine.csv")
    where = {"output_dir": str(folder), "data_dir": str(folder / "data")}
    run = Run.of(bundle_root=str(BUNDLE), modality="radiology", **where, fresh=True)
    settings = EvaluationSettings(replicates=0, permutations=0, seed=number)
    Evaluation(run=run, settings=settings, predictions=str(folder / "mine.csv")).make()


def train(folder: Path, number: int) -> None:
    settings = {**TINY, "output_dir": str(folder), "fresh": True, "learning_rate": 1e-3 * (1 + number)}
    config = str(BUNDLE / "train.json")
    workflow = ConfigWorkflow(config, workflow_type="train", logging_file=False, **settings)
    workflow.initialize()
    workflow.run()
    workflow.finalize()


def contents(folder: Path) -> dict[str, str]:
    """Return a name of each content; what is still being made, in hidden folders, does not count."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    shown = (path for path in files if not any(p[0] == "." for p in path.relative_to(folder).parts))
    return {hashlib.sha256(path.read_bytes()).hexdigest(): str(path.relative_to(folder)) for path in shown}


def in_child(work: Work, folder: Path, kill_at: int | None) -> int:
    """Do the work once more; return how many moments it had, or -1 where it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        passed = watch(str(folder), kill_at)
        work(folder, 1)
        os.write(writer, str(passed()).encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    told = os.read(reader, 20)
    os.close(reader)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return -1
    assert status == 0
    return int(told)


def watch(root: str, kill_at: int | None) -> Callable[[], int]:
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event not in EVENTS or not str(arguments[0]).startswith(root):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return lambda: count


def main(folder: Path, work: Work, moments: int) -> None:
    first = folder / "first"
    first.mkdir(parents=True)
    work(first, 0)
    before = contents(first)
    whole = shutil.copytree(first, folder / "whole")
    total = in_child(work, whole, None)
    assert before.keys() <= contents(whole).keys(), "the second run lost something"
    early = np.linspace(1, total, moments - moments // 2, endpoint=False).astype(int).tolist()
    chosen = sorted({*early, *range(total - moments // 2 + 1, total + 1)})
    for moment in chosen:
        killed = shutil.copytree(first, folder / str(moment))
        assert in_child(work, killed, moment) == -1
        lost = [name for content, name in before.items() if content not in contents(killed)]
        assert not lost, f"killed at {moment} of {total}: lost {lost}"
    assert in_child(work, killed, None) >= 0
    assert (killed / "evaluation" / "report.html").is_file()
    print(f"{len(chosen)} kills at moments {chosen} of {total}: nothing of {len(before)} files is lost")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    main(Path(sys.argv[1]).resolve(), {"evaluate": evaluate, "train": train}[sys.argv[2]], int(sys.argv[3]))
