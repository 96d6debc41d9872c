"""Read the test files of pydicom, as far as they are installed, and compare with pydicom's own pipeline.

Each file is read as a viewer shows it, or refused with a reason. Run as

    pip install pydicom-data   # further files, optional
    python scripts/read_test_files.py

OpenSlide ships no slides in its packages.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

from medaug.data.dicom import is_dicom
from medaug.data.pixels import read_picture
from medaug.errors import DataError

CLOSE = 1
"""Grey levels of 255 by which rounding may differ."""


@dataclass(frozen=True)
class Reading:
    """What became of a file: its name, ``same``, ``alone``, ``differs`` or ``refused``, and in words."""

    name: str
    outcome: str
    words: str


def main() -> int:
    """Print a table of all files and the number of each outcome; fail where a file differs."""
    readings = [read(path) for path in test_files()]
    width = max(len(reading.name) for reading in readings)
    for reading in readings:
        print(f"{reading.name:{width}s}  {reading.outcome:8s}  {reading.words}")
    counts = Counter(reading.outcome for reading in readings)
    print(", ".join(f"{outcome}: {count}" for outcome, count in sorted(counts.items())))
    return int(counts["differs"] > 0)


def test_files() -> Iterator[Path]:
    """Give the files that pydicom's wheel and the package pydicom-data bring, sorted."""
    folders = [Path(pydicom.__file__).parent / "data"]
    extra = importlib.util.find_spec("data_store")
    if extra is not None and extra.origin is not None:
        folders.append(Path(extra.origin).parent / "data")
    paths = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    yield from (path for path in paths if is_dicom(path.read_bytes()[:1024]))


def read(path: Path) -> Reading:
    """Read one file in both ways."""
    try:
        picture = read_picture(path, 3)
    except DataError as error:
        return Reading(path.name, "refused", str(error))
    remarks = "; ".join(picture.remarks)
    try:
        expected = by_pydicom(path)
    except Exception as error:
        return Reading(path.name, "alone", f"pydicom: {type(error).__name__}: {str(error)[:60]} {remarks}")
    farthest = np.abs(picture.pixels.astype(int) - expected.astype(int)).max()
    outcome = "same" if farthest <= CLOSE else "differs"
    return Reading(path.name, outcome, f"{farthest} of 255 apart at most; {remarks}".rstrip("; "))


def by_pydicom(path: Path) -> np.ndarray[Any, Any]:
    """Return what pydicom's own functions make of a file, in the range that they document, (H, W, 3)."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = pydicom.dcmread(path, force=True)
        stored = header.pixel_array
        if header.PhotometricInterpretation == "PALETTE COLOR":
            put_in_order(header)
            colours = apply_color_lut(stored, header)[..., :3]
            return colours >> (8 * (colours.itemsize - 1))
        if header.SamplesPerPixel == 3:
            return in_range(stored) if stored.itemsize > 1 else stored
        values = apply_modality_lut(stored, header)
        grey = in_range(apply_voi_lut(values, header), *bounds(header, values))
        if stored.dtype == np.uint8 and "WindowCenter" not in header and "VOILUTSequence" not in header:
            grey = stored * (255 // (2**header.BitsStored - 1))
    inverted = header.PhotometricInterpretation == "MONOCHROME1"
    return np.repeat((255 - grey if inverted else grey)[..., np.newaxis], 3, axis=2)


def put_in_order(header: Any) -> None:
    """Swap the bytes of a palette of words in a big-endian file, which pydicom takes as little-endian."""
    if header.original_encoding[1] or "RedPaletteColorLookupTableData" not in header:
        return
    for colour in ("Red", "Green", "Blue"):
        element = header[f"{colour}PaletteColorLookupTableData"]
        element.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()


def bounds(header: Any, values: Any) -> tuple[float, float] | tuple[()]:
    """Return least and largest value that pydicom's window or lookup table gives; nothing without either."""
    if header.get("VOILUTSequence"):
        entries = np.asarray(header.VOILUTSequence[0].LUTData)
        return float(entries.min()), float(entries.max())
    if header.get("WindowCenter") is None:
        return ()
    everywhere = np.array([-1e9, 1e9])
    low, high = apply_voi_lut(everywhere, header)
    return float(low), float(high)


def in_range(values: Any, low: float | None = None, high: float | None = None) -> np.ndarray[Any, Any]:
    """Spread values over 0..255, from their own least to their own largest unless said otherwise."""
    low, high = values.min() if low is None else low, values.max() if high is None else high
    return np.rint((values.astype(float) - low) / max(high - low, 1e-9) * 255).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
