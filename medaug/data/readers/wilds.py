"""WILDS' patches of CAMELYON17, labelled and unlabelled (Koh et al. 2021, Sagawa et al. 2022).

Hospitals are ``center_<0-4>`` in the numbering of the challenge and of WILDS' tables: patient // 20. In it,
WILDS validates out of distribution on `OOD_VAL` (34,904 patches) and tests on `OOD_TEST` (85,054). Table A1
of the paper calls the same two hospitals 2 and 1, as its numbers of patches tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medaug.data.readers.camelyon17 import CLASS, hospital_of, need_tumour
from medaug.data.readers.tables import chosen, distinct, need_choice
from medaug.data.table import UNITS, SplitUnit
from medaug.errors import DataError
from medaug.progress import Progress
from medaug.tabular.messages import first_row, refuse
from medaug.tabular.table_files import need_columns, read_text_table
from medaug.tabular.values import numbers
from medaug.task import Task, label_column

TRAIN = ("center_0", "center_3", "center_4")
OOD_VAL = "center_1"
OOD_TEST = "center_2"
HOSPITALS = ("center_0", "center_1", "center_2", "center_3", "center_4")
LABELLED = "camelyon17_v1.0"
UNLABELLED = "camelyon17_unlabeled_v1.0"

LEVEL = 2
"""Level of the slides from which WILDS cut; a quarter of level 0 in width and height."""
CENTRE = 32
"""Side in pixels of the centre of a patch, of which WILDS' tables give the upper left corner."""

_SPLITS = {0: "train", 1: "val"}
_PLACE = ("patient", "node", "x_coord", "y_coord", "center")
_ROWS_AT_ONCE = 200_000
_LOOKED_FOR = 100


def read_wilds(
    folder: Path,
    task: Task,
    *,
    id_validation: SplitUnit = "patch",
    unlabelled_domains: Sequence[str] = TRAIN,
) -> pd.DataFrame:
    """Read WILDS' patches: `LABELLED`, `UNLABELLED`, or both.

    Only ``metadata.csv`` is read; of the millions of patches a hundred are looked for.

    Parameters
    ----------
    folder : Path
        Holds one folder of WILDS or both, or is one of them.
    task : Task
        Its class is ``tumour``.
    id_validation : {"patch", "slide", "patient"}
        ``patch`` keeps WILDS' own validation in distribution: a tenth of the patches, whose slides are
        trained on too, so that its figures are too good. The other two drop it, and whole slides or patients
        are to be drawn.
    unlabelled_domains : sequence of str
        Hospitals whose unlabelled patches are read; the paper trains on those of the three in distribution.

    Returns
    -------
    DataFrame
        One row a patch, as described in `medaug.data.readers`: labelled ones first. Further columns:
        ``slide``, and ``x``, ``y`` (int64, upper left corner in pixels of level 0) and ``level`` (int64).
        ``official_split`` is ``train`` or ``val`` for labelled patches of `TRAIN` where `id_validation` is
        ``patch``, else missing. WILDS calls a patch normal where its centre holds no tumour, even if its rim
        does.

    Raises
    ------
    DataError
        There is no such folder, its table lacks a column or is damaged, a label, split or hospital is not
        understood (names the row), or the patches are not there.
    SettingsError
        `id_validation` or a hospital is not known, or the task has other classes.
    """
    need_tumour(task)
    need_choice("id_validation", id_validation, list(UNITS))
    unlabelled_domains = chosen("unlabelled_domains", unlabelled_domains, HOSPITALS)
    trees = _trees(folder)
    parts: list[pd.DataFrame] = []
    if LABELLED in trees:
        parts += [_labelled(folder, trees[LABELLED], keep_validation=id_validation == "patch")]
    if UNLABELLED in trees:
        parts += [_unlabelled(folder, trees[UNLABELLED], unlabelled_domains)]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        raise DataError(f"{folder} has no patch of {', '.join(unlabelled_domains)}; name other hospitals")
    for tree in trees.values():
        _need_patches(table, tree)
    return table


def _trees(folder: Path) -> dict[str, Path]:
    """Return the folders of WILDS that are here, by name."""
    names = (LABELLED, UNLABELLED)
    places = {folder.name: folder} if folder.name in names else {name: folder / name for name in names}
    trees = {name: tree for name, tree in places.items() if (tree / "metadata.csv").is_file()}
    if not trees:
        raise DataError(
            f"{folder} holds neither {LABELLED} nor {UNLABELLED} with its metadata.csv; set dataset_dir to "
            "the folder in which WILDS was unpacked"
        )
    return trees


def _labelled(folder: Path, tree: Path, *, keep_validation: bool) -> pd.DataFrame:
    path = tree / "metadata.csv"
    parts = []
    for source in _portions(path, (*_PLACE, "tumor", "split")):
        _need_values(source, "tumor", (0, 1), path)
        _need_values(source, "split", tuple(_SPLITS), path)
        patches = _patches(source, folder, tree)
        patches[label_column(CLASS)] = source["tumor"].astype(np.float64)
        kept = patches["domain"].isin(TRAIN) & keep_validation
        patches["official_split"] = source["split"].map(_SPLITS).astype(object).where(kept, None)
        parts.append(patches)
    return _together(parts, path)


def _unlabelled(folder: Path, tree: Path, domains: Sequence[str]) -> pd.DataFrame:
    path = tree / "metadata.csv"
    wanted = [HOSPITALS.index(name) for name in domains]
    parts = []
    for source in _portions(path, _PLACE):
        patches = _patches(source[source["center"].isin(wanted)], folder, tree)
        patches[label_column(CLASS)] = np.nan
        patches["official_split"] = pd.Series(None, index=patches.index, dtype=object)
        parts.append(patches)
    return _together(parts, path)


def _together(parts: list[pd.DataFrame], path: Path) -> pd.DataFrame:
    if not parts:
        raise DataError(f"{path} has no rows; download it again")
    table = pd.concat(parts)
    distinct(table["image_id"], "patch", path)
    return table


def _portions(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield a table of WILDS in portions, whole numbers but for the text ``patient``."""
    table = _read(path, columns)
    with Progress(f"Reading {path.parent.name}", len(table), unit="row") as progress:
        for start in range(0, len(table), _ROWS_AT_ONCE):
            source = table.iloc[start : start + _ROWS_AT_ONCE]
            portion = source.assign(**{n: _whole(source[n], path) for n in columns if n != "patient"})
            _need_hospitals(portion, path)
            yield portion
            progress.update(len(portion))


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        table = read_text_table(path)
    except DataError as error:
        raise DataError(f"{error}; it is not a whole table of WILDS, so download it again") from None
    need_columns(table, columns, path)
    return table[list(columns)]


def _whole(cells: pd.Series[str], path: Path) -> pd.Series[int]:
    values = numbers(cells).values
    wrong = values.isna() | (values % 1 != 0)
    refuse(cells, wrong, path, "is no whole number: not a whole table of WILDS; download it again")
    return values.astype(np.int64)


def _need_hospitals(source: pd.DataFrame, path: Path) -> None:
    """Check that hospitals are numbered as this module says."""
    patients = pd.to_numeric(source["patient"], errors="coerce").fillna(-1).astype(np.int64)
    expected = patients.map(hospital_of)
    found = source["center"].map(dict(enumerate(HOSPITALS)))
    wrong = found.isna() | (found != expected)
    if wrong.any():
        row = first_row(wrong)
        raise DataError(
            f"{path}, row {row}: the patient is not of center {source['center'].loc[row]}; 000 to 019 are of "
            "center 0, the next twenty of center 1, and so on"
        )


def _need_values(source: pd.DataFrame, column: str, values: Sequence[int], path: Path) -> None:
    wrong = ~source[column].isin(values)
    refuse(source[column], wrong, path, f"is not understood; it is one of: {', '.join(map(str, values))}")


def _patches(source: pd.DataFrame, folder: Path, tree: Path) -> pd.DataFrame:
    """Return what labelled and unlabelled patches have in common."""
    patient = "patient_" + source["patient"].str.zfill(3)
    slide = patient + "_node_" + source["node"].astype(str)
    corner = "x_" + source["x_coord"].astype(str) + "_y_" + source["y_coord"].astype(str)
    file = "patches/" + slide + "/patch_" + slide + "_" + corner + ".png"
    x, y = ((source[name] - CENTRE) * 2**LEVEL for name in ("x_coord", "y_coord"))
    return pd.DataFrame(
        {
            "image_id": slide + "_x" + x.astype(str) + "_y" + y.astype(str),
            "path": f"{tree}/" + file,
            "file": file if tree == folder else f"{tree.name}/" + file,
            "patient_id": patient,
            "domain": source["center"].map(dict(enumerate(HOSPITALS))),
            "slide": slide,
            "x": x,
            "y": y,
            "level": np.int64(LEVEL),
        }
    )


def _need_patches(table: pd.DataFrame, tree: Path) -> None:
    """Look for a hundred patches of a folder: if none of them is there, it was not unpacked."""
    paths = table.loc[table["path"].str.startswith(f"{tree}/"), "path"]
    if paths.empty:
        return
    some = paths.iloc[np.unique(np.linspace(0, len(paths) - 1, _LOOKED_FOR).astype(int))]
    if not any(os.path.isfile(path) for path in some):
        raise DataError(
            f"the patches that {tree / 'metadata.csv'} lists are not there; unpack the whole archive of WILDS"
        )
