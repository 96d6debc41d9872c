"""SCIN (Ward et al. 2024, arXiv:2402.18545): photographs that people took of their own skin."""

from __future__ import annotations

import ast
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from statistics import median_low
from typing import Any, Literal

import numpy as np
import pandas as pd

from medaug.data.conditions import Weights
from medaug.data.raters import soft_labels
from medaug.data.readers.scin_raters import MOST, split_raters
from medaug.data.readers.skin import attribute_columns, label_columns, skin_tones, with_images
from medaug.data.readers.tables import known_names, need_choice
from medaug.errors import DataError
from medaug.tabular.messages import common_form, first_row, refuse, shown, tell
from medaug.tabular.table_files import need_columns, need_distinct, read_text_table
from medaug.tabular.values import is_unknown
from medaug.task import Task

CASES, LABELS = "scin_cases.csv", "scin_labels.csv"
LABEL_SOURCES = ("weighted", "raters")
TONE_SOURCES = ("dermatologist", "self_report")
UNGRADABLE = ("left_out", "unlabelled")

NO_IMAGE = "the case has no image"
NOT_GRADABLE = "no dermatologist found the images good enough for a diagnosis"
NOTHING_SEEN = "the images look normal to every dermatologist who could judge them"
UNNAMED = "gradable, but no condition was named, for example because there are several"
OUTSIDE = "most of the weight is on conditions outside the classes of the task"

_NUMBERS = (1, 2, 3)
_NAMES, _CONFIDENCES = "dermatologist_skin_condition_on_label_name", "dermatologist_skin_condition_confidence"
_DOCUMENTED_NAMES = "dermatologist_skin_condition_label_name"
_WEIGHTS = "weighted_skin_condition_label"
_GRADABLE = [f"dermatologist_gradable_for_skin_condition_{number}" for number in _NUMBERS]
_TONES = [f"dermatologist_fitzpatrick_skin_type_label_{number}" for number in _NUMBERS]
_IMAGES = [f"image_{number}_path" for number in _NUMBERS]
_ANSWER = r"(?:DEFAULT_)?(?:YES|NO)(?:_[A-Z_]+)?"
_FORM = {_NAMES: "['Eczema', 'Tinea']", _CONFIDENCES: "[4, 3]", _WEIGHTS: "{'Eczema': 0.67, 'Tinea': 0.33}"}
_CASE_COLUMNS = ("case_id", "source", "age_group", "sex_at_birth", "fitzpatrick_skin_type", *_IMAGES)
_LABEL_COLUMNS = ("case_id", *_GRADABLE, _NAMES, _CONFIDENCES, _WEIGHTS, *_TONES)

logger = logging.getLogger(__name__)


def read_scin(
    folder: Path,
    task: Task,
    *,
    labels: Literal["weighted", "raters"] = "weighted",
    skin_tone: Literal["dermatologist", "self_report"] = "dermatologist",
    ungradable: Literal["left_out", "unlabelled"] = "left_out",
    domain: str | None = None,
    conditions: str | None = None,
) -> pd.DataFrame:
    """Read SCIN, one row an image (a case has up to three).

    Parameters
    ----------
    folder : Path
        Holds ``scin_cases.csv`` and ``scin_labels.csv``, itself or in ``dataset``; images are anywhere below.
    task : Task
        Classes are conditions of SCIN or classes of the table of conditions, see
        `medaug.data.conditions.class_labels`.
    labels : {"weighted", "raters"}
        Take the soft labels that SCIN publishes (two decimals), or compute them from what the raters said.
    skin_tone : {"dermatologist", "self_report"}
        Median type by up to three dermatologists (the lower one of two), or what the person said.
    ungradable : {"left_out", "unlabelled"}
        What becomes of cases without a diagnosis: not read (their number is logged; `scin_cases` lists
        them), or read without labels, so that they can train the generator.
    domain : str, optional
        Name of the domain; default what the column ``source`` says.
    conditions : str, optional
        Table of conditions and classes, relative to the folder; default the built-in one.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`. ``attr:age`` is the middle of the age group: 23.5 for 18 to 29,
        34.5 for 30 to 39, ..., and 85 for 80 or above; further column ``age_group``. Cases that share an
        image file (15 files are shared) are one patient.

    Raises
    ------
    DataError
        A table, a column or all images are missing, or a cell is not understood (names row and column).
    SettingsError
        An option is not understood, or no condition belongs to a class of the task.

    Examples
    --------
    >>> task = Task("multiclass", ("eczema", "urticaria", "other"))
    >>> read_scin(Path("scin"), task, labels="raters")  # doctest: +SKIP
    """
    need_choice("ungradable", ungradable, UNGRADABLE)
    cases = scin_cases(folder, task, labels=labels, skin_tone=skin_tone, domain=domain, conditions=conditions)
    unusable = [NO_IMAGE] if ungradable == "unlabelled" else [NO_IMAGE, NOT_GRADABLE, NOTHING_SEEN, UNNAMED]
    kept = cases[~cases["reason"].isin(unusable)]
    if len(kept) < len(cases):
        logger.info("%s: %d of %d cases are left out", CASES, len(cases) - len(kept), len(cases))
    if kept.empty:
        raise DataError(f"no case of {folder} can be used; the first one: {cases['reason'].iloc[0]}")
    rows = kept.explode("images").rename(columns={"images": "image"})
    number = rows.groupby("case_id").cumcount() + 1
    rows.insert(0, "image_id", rows["case_id"] + "_" + number.astype(str))
    rows["official_split"] = pd.Series(None, index=rows.index, dtype=object)
    table = rows.drop(columns=["case_id", "raters", "graders", "reason"])
    return with_images(table, folder, _find_tables(folder) / CASES)


def scin_cases(
    folder: Path,
    task: Task,
    *,
    labels: Literal["weighted", "raters"] = "weighted",
    skin_tone: Literal["dermatologist", "self_report"] = "dermatologist",
    domain: str | None = None,
    conditions: str | None = None,
) -> pd.DataFrame:
    """Read the tables of SCIN, one row a case; the images need not be there.

    Parameters
    ----------
    folder, task, labels, skin_tone, domain, conditions
        See `read_scin`.

    Returns
    -------
    DataFrame
        ``case_id``, ``patient_id``, ``domain``, ``images`` (tuple of paths), ``raters`` (dermatologists who
        saw the case), ``graders`` (those of them who could judge it), ``reason`` (why the case has no labels;
        missing where it has), ``age_group``, ``attr:<name>`` and ``label:<class>``.

    Raises
    ------
    DataError, SettingsError
        As in `read_scin`.
    """
    need_choice("labels", labels, LABEL_SOURCES)
    need_choice("skin_tone", skin_tone, TONE_SOURCES)
    tables = _find_tables(folder)
    source = _read_tables(tables)
    weights = list(_published(source, tables) if labels == "weighted" else _computed(source, tables))
    tones = source["fitzpatrick_skin_type"] if skin_tone == "self_report" else _median_tone(source)
    paths = source[_IMAGES].apply(lambda cells: cells.mask(is_unknown(cells), ""))
    images = [tuple(filter(None, row)) for row in paths.itertuples(index=False)]
    found = label_columns(weights, task, folder, conditions)
    table = pd.DataFrame(
        {
            "case_id": source["case_id"],
            "patient_id": _patients(source["case_id"], images),
            "domain": domain or known_names(source["source"], f"{tables / CASES}, column 'source'"),
            "images": images,
            "raters": (source[_GRADABLE] != "").sum(axis=1),
            "graders": _judged(source).sum(axis=1),
            "age_group": source["age_group"].where(source["age_group"] != "", None),
            **attribute_columns(
                task,
                source["sex_at_birth"],
                _middle_age(source["age_group"], tables / CASES),
                skin_tones(tones, str(tables)),
                str(tables / CASES),
            ),
            **found,
        }
    )
    table.insert(6, "reason", _reasons(source, images, weights, table[list(found)].isna().all(axis=1)))
    return table


def _find_tables(folder: Path) -> Path:
    for place in (folder, folder / "dataset"):
        if (place / CASES).is_file():
            return place
    raise DataError(
        f"{folder} holds no {CASES}, nor does a folder dataset in it; set dataset_dir to the folder of SCIN"
    )


def _read_tables(tables: Path) -> pd.DataFrame:
    """Return cases with their labels, all cells as text; a case that nobody has seen has blank labels.

    The index is that of the table of cases: its row numbers.
    """
    cases, labels = (_read_table(tables / name) for name in (CASES, LABELS))
    need_columns(cases, _CASE_COLUMNS, tables / CASES)
    need_columns(labels, _LABEL_COLUMNS, tables / LABELS)
    for column in _GRADABLE:
        _need_answers(labels[column], tables / LABELS)
    alone = int((~labels["case_id"].isin(cases["case_id"])).sum())
    tell(f"{tables / LABELS}", len(labels), 0, (alone, f"are of cases that {CASES} does not have"))
    both = cases[list(_CASE_COLUMNS)].merge(labels[list(_LABEL_COLUMNS)], on="case_id", how="left").fillna("")
    return both.set_axis(cases.index)


def _read_table(path: Path) -> pd.DataFrame:
    # The documentation of SCIN gives the column of conditions another name than the table has.
    table = read_text_table(path).rename(columns={_DOCUMENTED_NAMES: _NAMES})
    need_distinct(list(map(str, table)), path)
    need_columns(table, ["case_id"], path)
    number = table["case_id"].str.fullmatch("-?[0-9]+").astype(bool)
    wrong = table["case_id"].duplicated() | ~number
    if wrong.any():
        raise DataError(
            f"{path}, row {first_row(wrong)}: the case_id is blank, rounded, no number or there twice; do "
            "not save the table with a spreadsheet program, which rounds long numbers"
        )
    return table


def _need_answers(cells: pd.Series[str], path: Path) -> None:
    wrong = (cells != "") & ~cells.str.fullmatch(_ANSWER).astype(bool)
    refuse(
        cells,
        wrong,
        path,
        "does not say whether images are good enough; it is blank, or begins with DEFAULT_YES, YES or NO",
    )


def _judged(source: pd.DataFrame) -> pd.DataFrame:
    """Return which raters could judge each case."""
    judged: pd.DataFrame = source[_GRADABLE].apply(lambda cells: cells.str.contains("YES"))
    return judged


def _published(source: pd.DataFrame, tables: Path) -> Iterator[Weights]:
    """Yield the published weights of each case, which sum to 0.99 to 1.03."""
    for row in range(len(source)):
        weights = _cell(source, row, _WEIGHTS, dict, tables)
        yield {name: weight for name, weight in weights.items() if weight > 0}


def _computed(source: pd.DataFrame, tables: Path) -> Iterator[Weights]:
    """Yield the soft labels of each case, from its raters' lists."""
    graders = _judged(source).sum(axis=1).tolist()
    for row in range(len(source)):
        names = _cell(source, row, _NAMES, list, tables)
        confidences = _cell(source, row, _CONFIDENCES, list, tables)
        if len(names) != len(confidences) or len(names) > MOST * graders[row]:
            raise DataError(
                f"{tables / LABELS}, case {row + 1} in the order of {CASES}: {len(names)} conditions and "
                f"{len(confidences)} confidences by {graders[row]} raters, who name up to three each"
            )
        published = _cell(source, row, _WEIGHTS, dict, tables)
        yield soft_labels(split_raters(names, confidences, graders[row], published))


def _cell(source: pd.DataFrame, row: int, column: str, kind: type, tables: Path) -> Any:
    """Return what a cell holds as Python text; an empty one for a blank."""
    text = source[column].iloc[row]
    try:
        content = ast.literal_eval(text) if text else kind()
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        content = None
    if not isinstance(content, kind) or not _is_whole(content, column):
        raise DataError(
            f"{tables / LABELS}, case {row + 1} in the order of {CASES}, column {column!r}: {shown(text)} is "
            f"not a {kind.__name__} as SCIN writes it, {_FORM[column]} for example"
        )
    return content


def _is_whole(content: Any, column: str) -> bool:
    """Whether conditions are text, and weights and confidences finite numbers that are not negative."""
    numbers = content.values() if isinstance(content, dict) else content if column == _CONFIDENCES else ()
    texts = content if column != _CONFIDENCES else ()
    return all(isinstance(n, int | float) and 0 <= n < math.inf for n in numbers) and all(
        isinstance(text, str) for text in texts
    )


def _median_tone(source: pd.DataFrame) -> pd.Series[str]:
    tones = [[tone for tone in row if tone] for row in source[_TONES].itertuples(index=False)]
    return pd.Series(
        [median_low(known) if known else "" for known in tones], index=source.index, dtype=object
    )


def _middle_age(groups: pd.Series[str], path: Path) -> pd.Series[str]:
    """Return the middle of an age group in years, as text; blank where it is unknown."""
    ends = groups.str.extract(r"^AGE_(\d+)_(?:TO_(\d+)|OR_ABOVE)$").astype(np.float64)
    middle = (ends[0] + ends[1].fillna(ends[0] + 10)) / 2
    lost = middle.isna() & ~groups.isin(["", "AGE_UNKNOWN"])
    if lost.any():
        what = f"are no age group, for example of the form {common_form(groups[lost])!r}: unknown"
        tell(f"{path}, column 'age_group'", len(groups), 0, (int(lost.sum()), what))
    return middle.map(lambda years: "" if np.isnan(years) else f"{years:g}")


def _patients(cases: pd.Series[str], images: list[tuple[str, ...]]) -> list[str]:
    """Return the patient of each case: cases that share an image, also by way of others, are one."""
    leader: dict[str, str] = {}

    def leading(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for case, paths in zip(cases, images, strict=True):
        for image in paths:
            leader[leading(image)] = leading(case)
    return [leading(case) for case in cases]


def _reasons(
    source: pd.DataFrame, images: list[tuple[str, ...]], weights: list[Weights], unlabelled: pd.Series[bool]
) -> pd.Series[Any]:
    """Return why a case has no labels, missing where it has; the first reason that holds."""
    judged = _judged(source)
    normal = source[_GRADABLE].apply(lambda cells: cells.str.contains("NO_DISCERNIBLE_PATHOLOGY"))
    unnamed = pd.Series([not one for one in weights], index=source.index)
    reasons = pd.Series(None, index=source.index, dtype=object)
    for reason, holds in (
        (OUTSIDE, unlabelled),
        (UNNAMED, unnamed),
        (NOTHING_SEEN, unnamed & (judged == normal).all(axis=1)),
        (NOT_GRADABLE, unnamed & ~judged.any(axis=1)),
        (NO_IMAGE, pd.Series([not paths for paths in images], index=source.index)),
    ):
        reasons[holds] = reason
    return reasons
