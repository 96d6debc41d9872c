"""WILDS' patches of CAMELYON17, labelled and unlabelled (Koh et al. 2021, Sagawa et al. 2022).

Hospitals are ``center_<0-4>`` in the numbering of the challenge and of WILDS' tables: patient // 20. In it,
WILDS validates out of distribution on `OOD_VAL` (34,904 patches) and tests on `OOD_TEST` (85,054). Table A1
of the paper calls the same two hospitals 2 and 1, as its numbers of patches tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.data.readers.camelyon17 import CLASS, hospital_of, need_tumour
from medaug.data.readers.tables import need_choice, need_columns
from medaug.data.table import UNITS, SplitUnit
from medaug.errors import DataError
from medaug.progress import Progress
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
    for name in unlabelled_domains:
        need_choice("unlabelled_domains", name, HOSPITALS)
    trees = _trees(folder)
    parts: list[pd.DataFrame] = []
    if LABELLED in trees:
        parts += _labelled(folder, trees[LABELLED], keep_validation=id_validation == "patch")
    if UNLABELLED in trees:
        parts += _unlabelled(folder, trees[UNLABELLED], unlabelled_domains)
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


def _labelled(folder: Path, tree: Path, *, keep_validation: bool) -> Iterator[pd.DataFrame]:
    path = tree / "metadata.csv"
    for source in _portions(path, (*_PLACE, "tumor", "split")):
        _need_values(source, "tumor", (0, 1), path)
        _need_values(source, "split", tuple(_SPLITS), path)
        patches = _patches(source, folder, tree)
        patches[label_column(CLASS)] = source["tumor"].astype(np.float64)
        kept = patches["domain"].isin(TRAIN) & keep_validation
        patches["official_split"] = source["split"].map(_SPLITS).astype(object).where(kept, None)
        yield patches


def _unlabelled(folder: Path, tree: Path, domains: Sequence[str]) -> Iterator[pd.DataFrame]:
    wanted = [HOSPITALS.index(name) for name in domains]
    for source in _portions(tree / "metadata.csv", _PLACE):
        patches = _patches(source[source["center"].isin(wanted)], folder, tree)
        patches[label_column(CLASS)] = np.nan
        patches["official_split"] = pd.Series(None, index=patches.index, dtype=object)
        yield patches


def _portions(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield a table of WILDS in portions, whole numbers but for the text ``patient``; rows count from 0."""
    need_columns(_header(path), columns, path)
    with Progress(f"Reading {path.parent.name}", _lines(path) - 1, unit="row") as shown:
        for portion in _read(path, columns):
            _need_hospitals(portion, path)
            yield portion
            shown.update(len(portion))


def _header(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, nrows=0)
    except ValueError as error:
        raise _no_table(path, error) from None


def _read(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    kinds: dict[Any, Any] = {name: str if name == "patient" else np.int64 for name in columns}
    try:
        with pd.read_csv(path, usecols=list(columns), dtype=kinds, chunksize=_ROWS_AT_ONCE) as portions:
            yield from portions
    except ValueError as error:
        raise _no_table(path, error) from None


def _no_table(path: Path, error: ValueError) -> DataError:
    return DataError(f"{path} is not a whole table of WILDS: {str(error).strip()}; download it again")


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))


def _need_hospitals(source: pd.DataFrame, path: Path) -> None:
    """Check that hospitals are numbered as this module says."""
    patients = pd.to_numeric(source["patient"], errors="coerce").fillna(-1).astype(np.int64)
    expected = patients.map(hospital_of)
    found = source["center"].map(dict(enumerate(HOSPITALS)))
    wrong = (found.isna() | (found != expected)).to_numpy()
    if wrong.any():
        row = source.iloc[int(wrong.argmax())]
        raise DataError(
            f"{path}, row {int(wrong.argmax()) + 1 + source.index[0]}: patient {row['patient']!r} is not of "
            f"center {row['center']}; 000 to 019 are of center 0, the next twenty of center 1, and so on"
        )


def _need_values(source: pd.DataFrame, column: str, values: Sequence[int], path: Path) -> None:
    wrong = ~source[column].isin(values).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, row {row + 1 + source.index[0]}, column {column!r}: {source[column].iloc[row]} is not "
            f"understood; it is one of: {', '.join(map(str, values))}"
        )


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
    if not any(Path(path).is_file() for path in some):
        raise DataError(
            f"the patches that {tree / 'metadata.csv'} lists are not there, {some.iloc[0]} for one; "
            "unpack the whole archive of WILDS"
        )
