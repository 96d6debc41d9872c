"""Anyone's own whole slides: the files below a folder, or a CSV table with a row a slide."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pandas as pd

from medaug.data.readers.camelyon17 import need_tumour
from medaug.data.readers.tables import (
    OWN_DATA,
    column_for,
    found_files,
    known_names,
    listed_files,
    listed_patients,
    mapped_columns,
    need_choice,
    pseudonyms,
    truths,
)
from medaug.errors import DataError, SettingsError
from medaug.files import printable
from medaug.tabular.table_files import read_text_table
from medaug.task import Task

ENDINGS = (".svs", ".tif", ".tiff", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".vmu", ".svslide", ".czi")
"""Endings of slides that OpenSlide reads and that are one file each (DICOM slides are many)."""
ANNOTATION = ".xml"
"""Ending of the annotation beside a slide, where no table names another."""
NAMES = ("numbers", "files")
OPTIONAL = ("domain", "annotation", "tumour_free")

_NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


def read_slides(
    folder: Path,
    task: Task,
    *,
    domain: str | None = None,
    table: str | None = None,
    columns: Mapping[str, str] = _NO_COLUMNS,
    names: Literal["numbers", "files"] = "numbers",
    endings: Sequence[str] = ENDINGS,
) -> pd.DataFrame:
    """Read a hospital's own slides.

    The annotation of a slide is the ASAP file of the same name beside it (``a.svs``, ``a.xml``) unless the
    table has a column for it. Without a table every slide counts as a patient of its own: give a table where
    patients have several slides.

    Parameters
    ----------
    folder : Path
        Searched with all folders in it; relative paths in the table start here.
    task : Task
        Its class is ``tumour``.
    domain : str, optional
        One name for all slides, where the table has no column for the domain. Default `OWN_DATA`.
    table : str, optional
        Name of a CSV file in the folder, with a row a slide.
    columns : mapping of str to str
        Column of the table for each of medaug's names: ``path`` and ``patient_id``, optionally ``domain``
        (blank: unknown), ``annotation`` (a path, or blank: none) and ``tumour_free`` (1, true, yes: the slide
        is known to hold no tumour; 0, false, no or blank). A name that is not mapped is looked for as it is.
    names : {"numbers", "files"}
        How slides are called. ``numbers``: ``slide_0001``, in the order of the paths or of the table, since
        names of files may name a person. ``files``: by their paths below the folder, without ending.
    endings : sequence of str
        Which files are slides where there is no table, by the end of their names in lower case.

    Returns
    -------
    DataFrame
        One row a slide, as described in `medaug.data.readers`. A slide with an annotation is not
        ``tumour_free``: the annotation says more.

    Raises
    ------
    DataError
        There is no slide; the table, a column, a path or a patient is missing (names the row); two slides
        have one name.
    SettingsError
        `names` is not known, `domain` and a column for it are both given, or the task has other classes.

    Examples
    --------
    >>> from medaug.task import Task
    >>> columns = {"path": "scan", "patient_id": "case", "domain": "laboratory"}
    >>> task = Task("multilabel", ("tumour",))
    >>> read_slides(Path("slides"), task, table="cases.csv", columns=columns)  # doctest: +SKIP
    """
    need_tumour(task)
    need_choice("names", names, NAMES)
    if domain is not None and "domain" in columns:
        raise SettingsError("the domain has both a name and a column; give only one of them")
    if columns and table is None:
        raise SettingsError("columns are of a table, and none is named; set table to its name in the folder")
    source = _found(folder, endings) if table is None else _listed(folder, table, columns)
    if domain is not None or "domain" not in source:
        source["domain"] = domain or OWN_DATA
    _name_slides(source, folder, names)
    return source[["slide", "path", "file", "patient_id", "domain", "annotation", "tumour_free"]]


def _found(folder: Path, endings: Sequence[str]) -> pd.DataFrame:
    """List the slides below a folder."""
    paths = found_files(folder, "slide", endings)
    annotations = [_beside(Path(path)) for path in paths]
    source = pd.DataFrame({"path": paths, "annotation": annotations}, dtype=object)
    return source.assign(patient_id=pseudonyms(source["path"]), tumour_free=False)


def _listed(folder: Path, name: str, columns: Mapping[str, str]) -> pd.DataFrame:
    """Read the table of slides."""
    path = folder / str(name)
    table = mapped_columns(read_text_table(path), columns, ("path", "patient_id"), OPTIONAL, path)
    slides = listed_files(table, folder, "slide", path)
    annotations = _annotations(folder, table, slides)
    source = pd.DataFrame({"path": slides, "annotation": annotations}, dtype=object)
    source["patient_id"] = listed_patients(table, "slide", path)
    source["tumour_free"] = _tumour_free(table, path) & source["annotation"].isna()
    if "domain" in table:
        source["domain"] = known_names(table["domain"], column_for("domain", path))
    return source.reset_index(drop=True)


def _annotations(folder: Path, table: pd.DataFrame, slides: pd.Series[str]) -> list[str | None]:
    """Return the annotation of each slide; cutting rejects a slide that needs one that is not there."""
    if "annotation" not in table:
        return [_beside(Path(slide)) for slide in slides]
    return [os.path.join(folder.absolute(), name) if name else None for name in table["annotation"]]


def _beside(slide: Path) -> str | None:
    annotation = os.path.splitext(slide)[0] + ANNOTATION
    return annotation if os.path.isfile(annotation) else None


def _tumour_free(table: pd.DataFrame, path: Path) -> pd.Series[bool]:
    if "tumour_free" not in table:
        return pd.Series(False, index=table.index)
    return truths(table["tumour_free"], path)


def _name_slides(source: pd.DataFrame, folder: Path, names: str) -> None:
    """Add ``slide`` and ``file``."""
    if names == "numbers":
        source["slide"] = [f"slide_{number:04d}" for number in range(1, len(source) + 1)]
        source["file"] = [f"slide {number:04d}" for number in range(1, len(source) + 1)]
        return
    relative = [Path(printable(os.path.relpath(path, folder))) for path in source["path"]]
    source["file"] = [path.as_posix() for path in relative]
    source["slide"] = [_name(path) for path in relative]
    twice = source["slide"].duplicated()
    if twice.any():
        raise DataError(
            f"{int(twice.sum())} slides below {folder} are called like another one, endings left aside; "
            "rename them, or set names to 'numbers'"
        )


def _name(path: Path) -> str:
    """Return a path as one word that can name a file."""
    return "_".join(part for part in path.with_suffix("").parts if part != "..")
