"""Packing: one zip, by the MONAI Bundle specification, of a bundle and the models of a finished run.

Only what is named here goes in; after that the folder is looked through, see `medaug.sharing.disclosure`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from medaug.classification.classifier import save_plain_weights
from medaug.errors import DataError
from medaug.files import disk_errors, write_aside
from medaug.sharing.disclosure import own_names, patient_names, refuse_disclosures
from medaug.sharing.given_configs import write_configs
from medaug.sharing.manifest import files, write_large_files, write_manifest
from medaug.sharing.model_card import model_card
from medaug.sharing.source import Source
from medaug.stages.products import settings_path

_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: the time of packing says nothing, and the same bundle gives the same bytes."""


def pack(source: Source, out: Path, large_files_url: str = "") -> Path:
    """Write a bundle as one zip with one folder in it; what was at `out` stays unless all went well.

    Parameters
    ----------
    source : Source
        Bundle and run.
    out : Path
        File to write; another bundle's zip that is there is replaced.
    large_files_url : str
        Where files of more than 25 MB will be found, for ``large_files.yml``.

    Raises
    ------
    DataError
        A product is missing, `out` is no zip, or something would leave that must not: by file and kind.

    Examples
    --------
    >>> pack(Source.of(Path("bundles/chexpert"), Path("output")), Path("chexpert.zip"))  # doctest: +SKIP
    """
    if out.exists() and not zipfile.is_zipfile(out):
        raise DataError(f"{out} is there and is no zip; name another file with --out")
    with disk_errors(out), tempfile.TemporaryDirectory() as place:
        folder = Path(place, source.bundle.resolve().name)
        write_folder(source, folder, large_files_url)
        refuse_disclosures(folder, own_names() | patient_names(source.store.table, source.keys))
        write_manifest(folder)
        with write_aside(out) as aside:
            _zip(folder, aside)
    return out


def write_folder(source: Source, folder: Path, large_files_url: str = "") -> None:
    """Write all files of the bundle but the list of their hashes."""
    write_configs(source, folder / "configs")
    _write_models(source, folder / "models")
    (folder / "docs").mkdir()
    (folder / "docs" / "README.md").write_text(model_card(source), encoding="utf-8")
    guide = source.bundle / "docs" / "README.md"
    if guide.is_file():
        shutil.copyfile(guide, folder / "docs" / "guide.md")
    shutil.copyfile(source.license, folder / "LICENSE")
    write_large_files(folder, large_files_url)


def _write_models(source: Source, folder: Path) -> None:
    network, info = source.classifier
    save_plain_weights(folder / "model.pt", network, info)
    for path in (source.run / "models" / "model.pt", *source.generator_files):
        if path.name != "model.pt":
            shutil.copyfile(path, folder / path.name)
        if record := without_places(source.record(path)):
            text = json.dumps(record, indent=2, sort_keys=True) + "\n"
            (folder / settings_path(path).name).write_text(text, encoding="utf-8")


def without_places(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings and versions of a product's record, of paths the last name only."""
    return {key: _without_places(record[key]) for key in ("settings", "versions") if key in record}


def _without_places(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_places(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_places(inner) for inner in value]
    is_place = isinstance(value, str) and ("/" in value or "\\" in value)
    return PurePath(value.replace("\\", "/")).name if is_place else value


def _zip(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, file in files(folder):
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", _DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if file.suffix == ".pt" else zipfile.ZIP_DEFLATED
            with file.open("rb") as content, archive.open(entry, "w") as target:
                shutil.copyfileobj(content, target)
