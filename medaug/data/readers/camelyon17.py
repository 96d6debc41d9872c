"""CAMELYON17 (Bandi et al. 2018, doi:10.1109/TMI.2018.2867350): the slides of the challenge."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.data.readers.tables import distinct, files_below
from medaug.errors import DataError, SettingsError
from medaug.files import printable
from medaug.tabular.messages import first_row, refuse
from medaug.tabular.table_files import need_columns, read_text_table
from medaug.task import Task

CLASS = "tumour"
"""The only class that slides are annotated with."""
STAGES = ("negative", "itc", "micro", "macro")
STAGE_TABLES = ("stage_labels.csv", "stages.csv")

_TRAINING_PATIENTS = 100
_PATIENTS_PER_HOSPITAL = 20
_SLIDE = re.compile(r"patient_\d{3}_node_\d+")

logger = logging.getLogger(__name__)


def read_camelyon17(folder: Path, task: Task) -> pd.DataFrame:
    """Read the challenge's tree, in any of its layouts.

    Slides ``patient_<three digits>_node_<k>.tif``, annotations of the same name ``.xml`` and stage tables
    `STAGE_TABLES` may lie anywhere below the folder. What is not there is left out; a slide without
    annotation and stage can still be cut into unlabelled patches.

    Parameters
    ----------
    folder : Path
        Searched with all folders in it.
    task : Task
        Its class is `CLASS`.

    Returns
    -------
    DataFrame
        One row a slide, as described in `medaug.data.readers`. ``domain`` is ``center_<0-4>`` as
        `hospital_of` says. ``tumour_free`` is a slide of stage ``negative`` without annotation. Further
        column ``stage``: one of `STAGES` or missing. Isolated tumour cells (``itc``) are not annotated
        exhaustively, says the challenge.

    Raises
    ------
    DataError
        There is no slide, a slide or annotation is there twice, a stage table lacks a column or holds a
        stage that is not understood (names the row), or two tables contradict each other.
    SettingsError
        The task has other classes.
    """
    need_tumour(task)
    files = challenge_files(folder)
    slides = _by_name((path for path in files if path.suffix == ".tif"), folder)
    if not slides:
        raise DataError(
            f"there is no patient_000_node_0.tif or the like below {folder}; set dataset_dir to the "
            "folder of CAMELYON17 and unpack its .zip files"
        )
    annotations = _by_name((path for path in files if path.suffix == ".xml"), folder)
    stages = _stages([path for path in files if path.suffix == ".csv"])
    return _table(folder, slides, annotations, stages)


def need_tumour(task: Task) -> None:
    """Raise a SettingsError when a task has other classes than `CLASS`."""
    if task.classes != (CLASS,):
        raise SettingsError(
            f"slides are annotated with the class {CLASS!r} only, not {', '.join(task.classes)}; "
            f"set classes to [{CLASS!r}]"
        )


def hospital_of(patient: int) -> str | None:
    """Return the hospital of a patient in the challenge's numbering; None where it is not published.

    Examples
    --------
    >>> hospital_of(42), hospital_of(142)
    ('center_2', None)
    """
    return f"center_{patient // _PATIENTS_PER_HOSPITAL}" if patient < _TRAINING_PATIENTS else None


def challenge_files(folder: Path) -> list[Path]:
    """Return slides, annotations and stage tables, sorted."""
    found = (Path(entry.path) for entry in files_below(folder, (".tif", ".xml", ".csv")))
    return sorted(path for path in found if path.name in STAGE_TABLES or _SLIDE.fullmatch(path.stem))


def _by_name(paths: Iterable[Path], folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        if found.setdefault(path.stem, path) != path:
            raise DataError(
                f"{path.name} is there twice below {folder}; remove one, or set dataset_dir to the folder of "
                "one of the two"
            )
    return found


def _stages(paths: list[Path]) -> dict[str, str]:
    """Return the stage of each slide that the tables name."""
    if not paths:
        logger.info("no %s here: slides without annotation stay unlabelled", " or ".join(STAGE_TABLES))
    stages: dict[str, str] = {}
    for path in paths:
        for slide, stage in _read_stages(path).items():
            if stages.setdefault(slide, stage) != stage:
                raise DataError(
                    f"{path} calls {slide} {stage!r}, another table {stages[slide]!r}; remove one"
                )
    return stages


def _read_stages(path: Path) -> dict[str, str]:
    """Read one table; its rows of whole patients (``patient_000.zip``) have a stage of another kind."""
    table = read_text_table(path)
    need_columns(table, ("patient", "stage"), path)
    is_slide = ~table["patient"].str.endswith(".zip")
    unnamed = is_slide & ~table["patient"].str.fullmatch(_SLIDE.pattern + r"(\.tif)?").astype(bool)
    if unnamed.any():
        raise DataError(f"{path}, row {first_row(unnamed)}, column 'patient': there is no name of a slide")
    wrong = is_slide & ~table["stage"].isin(STAGES)
    known = ", ".join(STAGES)
    refuse(table["stage"], wrong, path, f"is not understood; the stage of a slide is one of: {known}")
    slides = table[is_slide]
    named = distinct(slides["patient"].str.removesuffix(".tif"), "slide", path)
    return dict(zip(named, slides["stage"], strict=True))


def _table(
    folder: Path, slides: dict[str, Path], annotations: dict[str, Path], stages: dict[str, str]
) -> pd.DataFrame:
    names = sorted(slides)
    patients = [name.split("_")[1] for name in names]
    columns: dict[str, list[Any]] = {
        "slide": names,
        "path": [str(slides[name]) for name in names],
        "file": [printable(Path(os.path.relpath(slides[name], folder)).as_posix()) for name in names],
        "patient_id": [f"patient_{patient}" for patient in patients],
        "domain": [hospital_of(int(patient)) for patient in patients],
        "annotation": [str(annotations[name]) if name in annotations else None for name in names],
        "stage": [stages.get(name) for name in names],
    }
    table = pd.DataFrame(columns, dtype=object)
    table["tumour_free"] = table["stage"].eq("negative") & table["annotation"].isna()
    return table
