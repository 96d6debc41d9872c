from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigWorkflow

ROOT = Path(__file__).parents[2]

Run = Callable[..., ConfigWorkflow]


@pytest.fixture(autouse=True, scope="session")
def _own_process() -> Iterator[None]:
    """A run changes what belongs to the process; tests after this one get it back."""
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def root() -> Iterator[Path]:
    """The repository, which a user runs the commands in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield ROOT


@pytest.fixture(scope="session")
def run(root: Path) -> Run:
    """Run a config in this process as ``python -m monai.bundle run`` does."""

    def run(config: str, kind: str = "train", **settings: Any) -> ConfigWorkflow:
        workflow = ConfigWorkflow(str(root / config), workflow_type=kind, logging_file=False, **settings)
        workflow.initialize()
        workflow.run()
        workflow.finalize()
        return workflow

    return run
