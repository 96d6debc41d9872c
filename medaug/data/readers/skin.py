"""What the readers of skin images share: attributes in one form, and images found below a folder."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import FloatArray
from medaug.data.conditions import Weights, class_labels, read_conditions
from medaug.data.readers.tables import largest_files
from medaug.errors import DataError, SettingsError
from medaug.files import printable
from medaug.tabular.messages import common_form, first_row, tell
from medaug.tabular.people import canonical_age, canonical_sex
from medaug.tabular.values import is_unknown
from medaug.task import Task, attribute_column

ENDINGS = (".jpg", ".jpeg", ".png")
TONES = ("I", "II", "III", "IV", "V", "VI")
"""Fitzpatrick's skin types, from pale to dark."""

logger = logging.getLogger(__name__)


def label_columns(
    weights: list[Weights], task: Task, folder: Path, conditions: str | None
) -> dict[str, FloatArray]:
    """Return the labels of images, see `medaug.data.conditions.class_labels`.

    Parameters
    ----------
    weights : list of mapping of str to float
        Weights over conditions, one mapping an image.
    task : Task
        What is predicted.
    folder : Path
        A relative `conditions` starts here.
    conditions : str, optional
        Table of conditions and classes; default the built-in one.
    """
    table = read_conditions(None if conditions is None else folder / conditions)
    labels = class_labels(weights, task, table)
    unknown = np.isnan(np.stack(list(labels.values()))).all(axis=0)
    if outside := int((unknown & np.array([bool(one) for one in weights], np.bool_)).sum()):
        what = "are mostly of conditions outside the classes, and have no label"
        logger.info("%s of %s rows in %s %s", f"{outside:,}", f"{len(weights):,}", folder, what)
    return labels


def as_jpg(names: pd.Series[str]) -> pd.Series[str]:
    """Return names of images with their ending, which is ``.jpg`` where they have none."""
    return names.where(names.str.lower().str.endswith(ENDINGS), names + ".jpg")


def diagnoses(cells: pd.Series[str], where: str) -> pd.Series[str]:
    """Return the diagnoses in a column, blank where there is none or a word such as ``NA``; log both."""
    words = is_unknown(cells)
    tell(where, len(cells), int((cells == "").sum()), (int(words.sum()), "hold a word such as NA: unknown"))
    return cells.mask(words, "")


def certain(names: pd.Series[str]) -> list[Weights]:
    """Return full weight on the one condition of each image; a blank is unlabelled."""
    return [{name: 1.0} if name else {} for name in names]


def attribute_columns(
    task: Task, sex: pd.Series[str], age: pd.Series[str], skin_tone: pd.Series[str], where: str | None = None
) -> dict[str, pd.Series[Any]]:
    """Return the columns of sex, age and skin tone, and empty ones for other attributes of the task.

    Parameters
    ----------
    task : Task
        Its attributes.
    sex, age, skin_tone : Series of str
        As `medaug.tabular.people.canonical_sex`, `canonical_age` and `tone_groups` understand them. An age of
        0 is unknown: that is what these data sets mean by it, and they round ages to five years.
    where : str, optional
        What the log calls the table, to say how many cells are not understood; None says nothing.

    Returns
    -------
    dict of str to Series
        ``attr:<name>`` to values; missing where unknown.
    """
    places = {name: where and f"{where}, {name}" for name in ("sex", "age", "skin tone")}
    years = canonical_age(age, task.bins("age"), places["age"])
    if where is not None:
        tell(
            f"{where}, age", len(years), 0, (int((years == 0).sum()), "are 0, which stands for unknown here")
        )
    known: dict[str, pd.Series[Any]] = {
        "attr:sex": canonical_sex(sex, places["sex"]),
        "attr:age": years.where(years > 0),
        "attr:skin_tone": tone_groups(skin_tone, task),
    }
    further = [a for a in task.attributes if a.name != "domain" and attribute_column(a.name) not in known]
    return known | {attribute_column(a.name): _missing(sex.index, bool(a.bins)) for a in further}


def _missing(index: pd.Index[Any], numeric: bool) -> pd.Series[Any]:
    return pd.Series(np.nan if numeric else None, index=index, dtype=np.float64 if numeric else object)


def blank(index: pd.Index[Any]) -> pd.Series[str]:
    """Return a column without a known value, for what a data set does not tell."""
    return pd.Series("", index=index, dtype=object)


def skin_tones(values: pd.Series[str], where: str | None = None) -> pd.Series[str]:
    """Return skin types as Roman numerals; blank where the value is none of 1 to 6, which `where` is told of.

    Examples
    --------
    >>> skin_tones(pd.Series(["3", "6.0", "FST2", "-1", "NONE_IDENTIFIED"])).tolist()
    ['III', 'VI', 'II', '', '']
    """
    number = values.str.extract(r"^(?:FST)?([1-6])(?:\.0*)?$", expand=False)
    found = number.map(dict(zip("123456", TONES, strict=True))).fillna("").astype(object)
    if where is not None and (lost := (found == "") & (values != "")).any():
        what = f"are no skin type, for example of the form {common_form(values[lost])!r}: unknown"
        tell(f"{where}, skin tone", len(values), 0, (int(lost.sum()), what))
    return found


def tone_groups(values: pd.Series[str], task: Task) -> pd.Series[Any]:
    """Return the group of the task to which each skin type belongs.

    Groups and values are single types or ranges of them. A range belongs to a group that holds it whole:
    DDI, which tells ranges only, needs a task with ``I-II``, ``III-IV`` and ``V-VI`` (or wider groups).

    Parameters
    ----------
    values : Series of str
        ``"I"`` to ``"VI"``, ranges such as ``"I-II"``, or blank.
    task : Task
        Groups of its attribute ``skin_tone``; without it the six types.

    Returns
    -------
    Series of str
        Names of groups, missing where the type is unknown or belongs to none.

    Raises
    ------
    SettingsError
        A group of the task is neither a type nor a range of types.
    """
    groups = next((a.groups for a in task.attributes if a.name == "skin_tone"), TONES)
    spans = {group: _span(group) for group in groups}
    if unknown := [group for group, span in spans.items() if not span]:
        raise SettingsError(
            f"groups of skin_tone are types I to VI or ranges such as I-II, not {', '.join(unknown)}"
        )
    found = {value: _holding(_span(value), spans) for value in values.unique()}
    return pd.Series([found[value] for value in values], index=values.index, dtype=object)


def _span(text: str) -> range:
    """Return the numbers of a type or range of types; an empty range for anything else."""
    ends = re.split(r"\s*[-–]\s*", text.strip())
    if len(ends) > 2 or not set(ends) <= set(TONES):
        return range(0)
    return range(TONES.index(ends[0]), TONES.index(ends[-1]) + 1)


def _holding(span: range, groups: dict[str, range]) -> str | None:
    return next((name for name, group in groups.items() if span and set(span) <= set(group)), None)


def with_images(table: pd.DataFrame, folder: Path, source: Path) -> pd.DataFrame:
    """Add where the images are.

    Parameters
    ----------
    table : DataFrame
        Column ``image``: the name or path that the data set's table gives, with or without its ending. The
        file may lie anywhere below the folder.
    folder : Path
        The data set.
    source : Path
        The table, for the message.

    Returns
    -------
    DataFrame
        Without ``image``, with ``path`` and ``file`` and a plain index. Where some files are not there, their
        rows keep the path at which they should be: `medaug.data.prepare` lists them as rejected.

    Raises
    ------
    DataError
        None of the images is there, or images of several patients would be one file.
    """
    stems = table["image"].map(_stem)
    _need_own_files(table, stems, source)
    found = largest_files(folder, set(stems), ENDINGS)
    if not found:
        raise DataError(
            f"none of the {len(table):,} images that {source} lists is below {folder}; unpack them there"
        )
    paths = [found.get(stem, str(folder / name)) for stem, name in zip(stems, table["image"], strict=True)]
    files = [printable(Path(os.path.relpath(path, folder)).as_posix()) for path in paths]
    places = pd.Series([os.path.abspath(path) for path in paths], index=table.index, dtype=object)
    return table.drop(columns="image").assign(path=places, file=files).reset_index(drop=True)


def _need_own_files(table: pd.DataFrame, stems: pd.Series[str], source: Path) -> None:
    """Check that no file stands for two patients, or under two paths for two images."""
    owner = table["patient_id"].groupby(stems).transform("nunique")
    named = table["image"].groupby(stems).transform("nunique")
    shared = (owner > 1) | (named > 1)
    if shared.any():
        raise DataError(
            f"{source}, row {first_row(shared)}: another row names the same file, for another patient or in "
            "another folder; every image needs a file of its own name"
        )


def _stem(name: str) -> str:
    """Return the name without folder and ending; only the ending of an image is one."""
    stem, ending = os.path.splitext(Path(name).name)
    return stem if ending.lower() in ENDINGS else Path(name).name
