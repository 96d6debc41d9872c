"""Run one command twice at once in a folder, in two processes; their logs lie beside it.

The first one holds the store until the second one says that it waits: a line in its log ends a pipe, so that
nothing depends on time. Forking here, in a process of its own, spares both the imports.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from monai.bundle import ConfigWorkflow

from medaug.stages import preparation

BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
NETWORK = {"channels": [4, 8], "head_channels": 4, "residual_blocks": 1, "image_size": 16}
TINY = {
    "prepare": {"phantom_images": [30, 20], "image_size": 16, "workers": 0},
    "diffusion": {**NETWORK, "iterations": 2, "iterations_per_epoch": 1, "batch_size": 4},
    "images": 4,
    "steps": 1,
}


def run(folder: Path, log: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", filename=log)
    config = str(BUNDLE / "generate.json")
    workflow = ConfigWorkflow(
        config, workflow_type="train", logging_file=False, output_dir=str(folder), **TINY
    )
    workflow.initialize()
    workflow.run()
    workflow.finalize()


def child(work: Callable[[], None]) -> int:
    number = os.fork()
    if number == 0:
        try:
            work()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return number


class Tells(logging.Handler):
    """Writes to a pipe that there is a line in the log."""

    def __init__(self, pipe: int) -> None:
        super().__init__()
        self.pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        os.write(self.pipe, b".")


def main(folder: Path) -> None:
    begun, begin = os.pipe()
    waited, wait = os.pipe()
    draw = preparation.draw_phantoms

    def first() -> None:
        os.close(wait)

        def draw_when_waited_for(*what: object, **how: object) -> object:
            os.write(begin, b".")
            os.read(waited, 1)
            return draw(*what, **how)

        preparation.draw_phantoms = draw_when_waited_for
        run(folder, folder.parent / "first.log")

    def second() -> None:
        logging.getLogger("medaug.locks").addHandler(Tells(wait))
        run(folder, folder.parent / "second.log")

    numbers = [child(first)]
    os.close(begin)  # so that nobody waits for a process that has ended
    os.read(begun, 1)
    numbers.append(child(second))
    os.close(wait)
    ends = [os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) for number in numbers]
    assert ends == [0, 0], ends


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]).resolve())
