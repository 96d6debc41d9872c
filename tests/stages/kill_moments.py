"""Do work a second time in child processes that are killed at many moments; nothing may be lost.

Run with a folder and, for ``evaluate``, ``train`` or ``pack``, how many moments (``pack=4``). A moment is
just before a file is opened, moved or deleted. Half of them are spread over the work, half lead to the last
move, in which the new product takes the place of the older one. Forking here, in a process of its own, spares
every child the imports.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from monai.bundle import ConfigWorkflow

from medaug.evaluation.settings import EvaluationSettings
from medaug.sharing.packing import pack
from medaug.sharing.source import Source
from medaug.stages.evaluation import Evaluation
from medaug.stages.run import Run

sys.path.append(str(Path(__file__).parents[1] / "sharing"))
from finished_run import finished_run

EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree")
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


@dataclass(frozen=True)
class Work:
    """What is done in a folder, with other settings for another number.

    Of what it `makes` the older one stays in the folder, set aside, unless it `replaces` it.
    """

    do: Callable[[Path, int], None]
    makes: str
    replaces: bool = False


def evaluate(folder: Path, number: int) -> None:
    table = pd.DataFrame({"image_id": [f"i{n}" for n in range(60)], "label:edema": np.arange(60) % 2})
    table.assign(**{"score:edema": np.random.default_rng(0).random(60)}).to_csv(folder / "mine.csv")
    where = {"output_dir": str(folder), "data_dir": str(folder / "data")}
    run = Run.of(bundle_root=str(BUNDLE), modality="radiology", **where, fresh=True)
    few = {"replicates": 0, "permutations": 0, "metrics": ["accuracy"]}
    settings = EvaluationSettings(**few, threshold=0.5 + 0.1 * number)
    Evaluation(run=run, settings=settings, predictions=str(folder / "mine.csv")).make()


def train(folder: Path, number: int) -> None:
    settings = {**TINY, "output_dir": str(folder), "fresh": True, "learning_rate": 1e-3 * (1 + number)}
    config = str(BUNDLE / "train.json")
    workflow = ConfigWorkflow(config, workflow_type="train", logging_file=False, **settings)
    workflow.initialize()
    workflow.run()
    workflow.finalize()


def pack_run(folder: Path, number: int) -> None:
    """Pack all models of a run, or, the second time, the classifier alone."""
    run, temporary = folder / "run", folder / ".temporary"
    temporary.mkdir(exist_ok=True)
    tempfile.tempdir = str(temporary)  # below the folder, so that kills come there too
    if not run.exists():
        finished_run(run)
    pack(Source.of(BUNDLE, run, generator=run if number == 0 else temporary), folder / "chexpert.zip")


WORKS = {
    "evaluate": Work(evaluate, "evaluation/report.html"),
    "train": Work(train, "evaluation/report.html"),
    "pack": Work(pack_run, "chexpert.zip", replaces=True),
}


def contents(folder: Path) -> dict[str, str]:
    """Return a name of each content; what is still being made, in hidden folders, does not count."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    shown = (path for path in files if not any(p[0] == "." for p in path.relative_to(folder).parts))
    return {digest(path): str(path.relative_to(folder)) for path in shown}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def in_child(work: Work, folder: Path, kill_at: int | None) -> list[int]:
    """Do the work once more; return the moments of its moves, or none where it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        moves = watch(str(folder), kill_at)
        work.do(folder, 1)
        os.write(writer, " ".join(map(str, moves)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return []
    assert status == 0
    return [int(moment) for moment in told.split()]


def watch(root: str, kill_at: int | None) -> list[int]:
    """Count the moments of this process below a folder; return those of its moves, in a list that grows."""
    count, moves = 0, []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event not in EVENTS or not str(arguments[0]).startswith(root):
            return
        count += 1
        if event == "os.rename":
            moves.append(count)
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return moves


def check(work: Work, killed: Path, before: dict[str, str], whole: Path) -> None:
    """Nothing of what was there is lost; what is replaced is the older one or the new one, whole."""
    there = contents(killed)
    if work.replaces:
        old = next(content for content, name in before.items() if name == work.makes)
        assert digest(killed / work.makes) in (old, digest(whole / work.makes)), "half made"
        assert [p.name for p in killed.glob(f"*{Path(work.makes).suffix}")] == [work.makes]
        there = there | {old: work.makes}
    lost = [name for content, name in before.items() if content not in there]
    assert not lost, f"lost {lost}"


def main(folder: Path, work: Work, moments: int) -> None:
    first = folder / "first"
    first.mkdir(parents=True)
    work.do(first, 0)
    before = contents(first)
    whole = shutil.copytree(first, folder / "whole")
    last = in_child(work, whole, None)[-1]
    assert digest(whole / work.makes) not in before, "the second time made nothing else"
    check(work, whole, before, whole)
    early = np.linspace(1, last, moments - moments // 2, endpoint=False).astype(int).tolist()
    chosen = sorted({*early, *range(last - moments // 2 + 1, last + 1)})
    for moment in chosen:
        killed = shutil.copytree(first, folder / str(moment))
        assert in_child(work, killed, moment) == []
        print(f"killed at {moment} of {last}", flush=True)
        check(work, killed, before, whole)
    assert in_child(work, killed, None)
    assert (killed / work.makes).is_file()
    print(f"{work.do.__name__}, {len(chosen)} kills: nothing of {len(before)} files is lost")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    for name, moments in (argument.split("=") for argument in sys.argv[2:]):
        main(Path(sys.argv[1]).resolve() / name, WORKS[name], int(moments))
