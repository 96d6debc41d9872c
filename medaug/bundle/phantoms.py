"""Built-in data of each modality, drawn where a user has given none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from medaug.data.phantoms import write_radiograph_phantoms, write_skin_phantoms, write_slide_phantoms
from medaug.engine.distributed import barrier, is_first

Source = dict[str, Any]


def draw_phantoms(run_folder: Path, settings: Mapping[str, Any]) -> list[Source]:
    """Draw phantoms in the public sets' own formats, so that the real readers read them.

    Parameters
    ----------
    run_folder : Path
        The phantoms come into a folder of their own in it.
    settings : mapping
        ``modality``, ``amounts`` (how much of each kind) and ``seed``.

    Returns
    -------
    list of dict
        What to read: ``reader``, ``folder``, ``options``.
    """
    amounts, seed = list(settings["amounts"]), int(settings["seed"])
    folder = run_folder / f"phantoms-{'-'.join(map(str, amounts))}-seed-{seed}"
    write, sources = _PHANTOMS[settings["modality"]]
    if is_first():
        write(folder, seed, amounts)
    barrier()
    return [
        {"reader": reader, "folder": str(folder / name), "options": options}
        for reader, name, options in sources
    ]


def _radiographs(folder: Path, seed: int, amounts: Sequence[int]) -> None:
    write_radiograph_phantoms(folder, seed, *amounts)


def _slides(folder: Path, seed: int, amounts: Sequence[int]) -> None:
    write_slide_phantoms(folder, seed, *amounts)


def _photographs(folder: Path, seed: int, amounts: Sequence[int]) -> None:
    first, second, third = amounts
    write_skin_phantoms(folder, seed, (first, second, third))


_PHANTOMS: Mapping[
    str, tuple[Callable[[Path, int, Sequence[int]], None], list[tuple[str, str, dict[str, Any]]]]
] = {
    "dermatology": (
        _photographs,
        [
            ("scin", "teledermatology_us", {}),
            ("scin", "clinics_australia", {}),
            ("scin", "teledermatology_colombia", {}),
        ],
    ),
    "histopathology": (_slides, [("camelyon17", "CAMELYON17", {})]),
    "radiology": (
        _radiographs,
        [("chexpert", "CheXpert-v1.0-small", {}), ("chestxray14", "ChestX-ray14", {})],
    ),
}
