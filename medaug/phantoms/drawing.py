"""Built-in data of each modality, drawn where a user has given none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from medaug.engine.distributed import barrier, is_first
from medaug.errors import SettingsError
from medaug.phantoms.chest.trees import write_radiograph_phantoms
from medaug.phantoms.skin.trees import write_skin_phantoms
from medaug.phantoms.slides.trees import write_slide_phantoms


class _Kind(NamedTuple):
    """What draws the phantoms of a modality, what its amounts count, and the readers of its folders."""

    write: Callable[..., None]
    amounts: tuple[str, ...]
    folders: Mapping[str, str]
    options: Mapping[str, Any] = MappingProxyType({})


def draw_phantoms(run_folder: Path, modality: str, amounts: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """Draw phantoms in the public sets' own formats, so that the real readers read them.

    Parameters
    ----------
    run_folder : Path
        The phantoms come into a folder of their own in it; what is there already is not drawn again.
    modality : {"histopathology", "radiology", "dermatology"}
        What to draw.
    amounts : sequence of int
        How much: images of the first and the second hospital (radiology), of the three places (dermatology),
        or slides of a hospital and their side in pixels (histopathology).
    seed : int
        Decides every image.

    Returns
    -------
    list of dict
        What to read: ``reader``, ``folder``, ``options``.

    Raises
    ------
    SettingsError
        Another number of amounts than the modality has.
    """
    kind = _KINDS[modality]
    if len(amounts) != len(kind.amounts):
        raise SettingsError(
            f"phantoms of {modality} need {len(kind.amounts)} amounts ({', '.join(kind.amounts)}), "
            f"not {list(amounts)}"
        )
    folder = run_folder / f"phantoms-{'-'.join(map(str, amounts))}-seed-{seed}"
    if is_first():
        kind.write(folder, seed, *amounts)
    barrier()
    return [
        {"reader": reader, "folder": str(folder / name), "options": dict(kind.options)}
        for name, reader in kind.folders.items()
    ]


def _write_photographs(folder: Path, seed: int, first: int, second: int, third: int) -> None:
    write_skin_phantoms(folder, seed, (first, second, third))


_KINDS: Mapping[str, _Kind] = {
    "dermatology": _Kind(
        _write_photographs,
        ("images from the United States", "from Australia", "from Colombia"),
        {"teledermatology_us": "scin", "clinics_australia": "scin", "teledermatology_colombia": "scin"},
        {"ungradable": "unlabelled"},
    ),
    "histopathology": _Kind(
        write_slide_phantoms, ("slides of a hospital", "their side in pixels"), {"CAMELYON17": "camelyon17"}
    ),
    "radiology": _Kind(
        write_radiograph_phantoms,
        ("images of the first hospital", "of the second"),
        {"CheXpert-v1.0-small": "chexpert", "ChestX-ray14": "chestxray14"},
    ),
}
