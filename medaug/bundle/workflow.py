"""Running a bundle's configs: from the command line, and one config from another."""

from __future__ import annotations

import difflib
import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from monai.bundle.workflows import ConfigWorkflow

from medaug.engine import distributed
from medaug.errors import MedaugError, SettingsError

MONAI_OPTIONS = {
    "args_file",
    "config_file",
    "final_id",
    "init_id",
    "logging_file",
    "meta_file",
    "run_id",
    "tracking",
    "workflow_name",
    "workflow_type",
}


def start(bundle_root: Path | str, stage: str, device_name: str = "auto") -> None:
    """Begin a run: join the other processes of ``torchrun``, report errors in one sentence, check options.

    Parameters
    ----------
    bundle_root : Path
        Folder of the bundle.
    stage : str
        Name of the config without ``.json``.
    device_name : str
        See `medaug.engine.distributed.device`.

    Raises
    ------
    SettingsError
        If the command line names a setting that the config does not have.
    """
    sys.excepthook = explain
    logging.captureWarnings(True)
    distributed.start(device_name)
    config = json.loads((Path(bundle_root) / f"{stage}.json").read_text(encoding="utf-8"))
    if _is_bundle_command(sys.argv, stage):
        check_options(sys.argv[1:], set(config))


def finish() -> None:
    """End a run: leave the other processes."""
    distributed.end()


def pull(bundle_root: Path | str, stage: str, settings: Mapping[str, Any]) -> None:
    """Make what another config of the bundle makes, unless it is there already.

    Parameters
    ----------
    bundle_root : Path
        Folder of the bundle.
    stage : str
        Name of the config without ``.json``, for example ``"prepare"``.
    settings : mapping
        Settings that override those in the config, as on the command line.
    """
    config = Path(bundle_root) / f"{stage}.json"
    workflow = ConfigWorkflow(
        config_file=str(config),
        logging_file=False,
        workflow_type="train",
        **{"bundle_root": bundle_root, **settings},
    )
    workflow.initialize()
    workflow.run()


def check_options(arguments: list[str], known: set[str]) -> None:
    """Raise a SettingsError for an option that no setting answers to, and suggest the nearest one.

    Examples
    --------
    >>> check_options(["run", "--learning_rat", "1e-4"], {"learning_rate"})
    Traceback (most recent call last):
    ...
    medaug.errors.SettingsError: there is no setting 'learning_rat'; did you mean 'learning_rate'?
    """
    for argument in arguments:
        name = argument[2:].split("=")[0].split("::")[0]
        if argument.startswith("--") and name not in known | MONAI_OPTIONS:
            nearest = difflib.get_close_matches(name, known | MONAI_OPTIONS, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are: {', '.join(sorted(known))}"
            raise SettingsError(f"there is no setting {name!r}; {hint}")


def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one sentence for an error that medaug foresaw, the whole traceback for any other."""
    for cause in _chain(error):
        if isinstance(cause, MedaugError):
            print(f"medaug: {cause}", file=sys.stderr)
            return
    traceback.print_exception(kind, error, trace)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_bundle_command(argv: list[str], stage: str) -> bool:
    """Other programs (tests, notebooks) run configs too; only this command line is the user's."""
    return any(argument.endswith(f"{stage}.json") for argument in argv) and "run" in argv
