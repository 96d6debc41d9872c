"""Read a spoiled table and judge: the right values, a sentence, a crash, or a silent change."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from medaug.errors import MedaugError
from spoiling.spoilings import ANY, OWN, SAME, SPOILINGS, UNKNOWN, Spoilt, text_of
from spoiling.world import PEOPLE, World
from spoiling.worlds import WORLDS

OUTCOMES = ("right", "sentence", "crash", "silent")


@dataclass(frozen=True)
class Verdict:
    """What came out, and what there is to say about it."""

    outcome: str
    detail: str = ""


def spoil_and_read(world: str, spoiling: str, seed: int) -> Verdict | None:
    """Spoil the table of a world in one way and read it; None where the way does not apply.

    Parameters
    ----------
    world, spoiling : str
        Of `WORLDS` and `SPOILINGS`.
    seed : int
        Decides which row and cell.
    """
    one = WORLDS[world]
    spoilt = SPOILINGS[spoiling](one, np.random.default_rng(seed))
    if spoilt is None:
        return None
    good, _ = _read(one, text_of(one.header, one.rows).encode("utf-8"))
    try:
        found, said = _read(one, spoilt.data)
    except MedaugError as error:
        return _sentence(str(error))
    except Exception as error:
        return Verdict("crash", f"{type(error).__name__}: {error}")
    if leaked := _leaked(said):
        return Verdict("silent", f"the log names a person: {leaked}")
    return _compared(one, spoilt, good, found, said)


def _read(world: World, data: bytes) -> tuple[pd.DataFrame, str]:
    with TemporaryDirectory() as name, _log() as said:
        folder = Path(name)
        world.write(folder, data)
        table = world.read(folder)
        return table.map(
            lambda value: str(value).replace(name, "") if name in str(value) else value
        ), "\n".join(said)


@contextmanager
def _log() -> Iterator[list[str]]:
    """Collect what is logged."""
    said: list[str] = []
    handler, logger = logging.Handler(), logging.getLogger("medaug")
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def _sentence(message: str) -> Verdict:
    if leaked := _leaked(message):
        return Verdict("silent", f"the sentence names a person: {leaked}")
    return Verdict("sentence", message)


def _leaked(text: str) -> str:
    return text if any(person in text for person in PEOPLE) else ""


def _compared(world: World, spoilt: Spoilt, good: pd.DataFrame, found: pd.DataFrame, said: str) -> Verdict:
    if spoilt.must_fail:
        return Verdict("silent", "it was read")
    if any(ANY in meant for meant in spoilt.may_be.values()):
        return Verdict("right")
    if len(good) != len(found):
        return Verdict("silent", f"{len(found)} rows instead of {len(good)}")
    touched = _touched(world, spoilt)
    own = {"patient_id", *(("image_id", "file", "slide") if world.numbered else ())}
    for column in [name for name in good if name not in own]:
        for row, (old, new) in enumerate(zip(good[column], found[column], strict=True)):
            if not _allowed(touched.get((row, column), (SAME,)), old, new, said):
                return Verdict("silent", f"{column}, row {row}: {old!r} became {new!r}")
    return _patients_compared(good, found, touched)


def _touched(world: World, spoilt: Spoilt) -> dict[Any, tuple[Any, ...]]:
    """Return what cells of the result may be, by row and column; what follows from a cell may be anything."""
    touched: dict[Any, tuple[Any, ...]] = {}
    for (row, column), meant in spoilt.may_be.items():
        touched[row, world.columns[column].result] = meant
        touched |= {(row, name): (ANY,) for name, source in world.derived.items() if source == column}
    return touched


def _patients_compared(good: pd.DataFrame, found: pd.DataFrame, touched: dict[Any, Any]) -> Verdict:
    """Compare who shares a patient with whom; patients may be called by numbers."""
    names = [list(table["patient_id"]) for table in (good, found)]
    for row, other in ((a, b) for a in range(len(good)) for b in range(a)):
        same = [name[row] == name[other] for name in names]
        alone = any(OWN in touched.get((r, "patient_id"), ()) for r in (row, other))
        if same[1] != (same[0] and not alone):
            return Verdict("silent", f"patients of rows {row} and {other}")
    return Verdict("right")


def _allowed(meant: tuple[Any, ...], old: Any, new: Any, said: str) -> bool:
    if ANY in meant or (SAME in meant and _same(old, new)):
        return True
    if pd.isna(new):
        return UNKNOWN in meant and bool(said)
    return any(_same(value, new) for value in meant if value not in (UNKNOWN, SAME))


def _same(old: Any, new: Any) -> bool:
    if pd.isna(old) or pd.isna(new):
        return bool(pd.isna(old) and pd.isna(new))
    if isinstance(old, float) and isinstance(new, float):
        return bool(np.isclose(old, new, rtol=0, atol=1e-12))
    if isinstance(old, str) and isinstance(new, float) and new.is_integer():
        return old == str(int(new))  # a name in digits, which is the name of its group
    return bool(old == new)
