"""DICOM files that cannot be shown, with the reason that is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import (
    ExplicitVRLittleEndian,
    RLELossless,
)

from spoiling.dicom_files import header_of, of_floats, radiograph, saved
from spoiling.images import Case, Kind, random_values

Generator = np.random.Generator


def no_slope_at_all(rng: Generator, folder: Path) -> Case:
    """Write a slope of 0, which would leave one grey."""
    values, bits = radiograph(rng)
    header = header_of(values, bits, RescaleSlope=0, RescaleIntercept=5)
    return Case(saved(folder, header), says="RescaleSlope is 0")


def not_finite(rng: Generator, folder: Path) -> Case:
    """Write float pixels with NaN or infinity."""
    values = random_values(rng, 0, 100).astype(np.float32)
    values.flat[3] = (np.nan, np.inf)[int(rng.integers(2))]
    return Case(saved(folder, of_floats(values, "FloatPixelData")), says="not finite")


def attribute_missing(rng: Generator, folder: Path) -> Case:
    """Write an attribute that pixels need is absent or empty: named."""
    header = header_of(radiograph(rng)[0])
    needed = (
        *("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns"),
        *("BitsAllocated", "BitsStored", "PixelRepresentation"),
    )
    name = needed[int(rng.integers(len(needed)))]
    if rng.random() < 0.5:
        delattr(header, name)
    else:
        setattr(header, name, None)
    return Case(saved(folder, header), says=f"attribute {name} is missing")


def attribute_wrong(rng: Generator, folder: Path) -> Case:
    """Write an attribute that cannot be, or contradicts another: named."""
    choices: list[tuple[str, Any]] = [
        ("SamplesPerPixel", 2),
        ("SamplesPerPixel", 3),
        ("PhotometricInterpretation", "HSV"),
        ("BitsStored", 40),
        ("BitsAllocated", 12),
        ("PixelRepresentation", 7),
        ("Rows", 0),
    ]
    name, value = choices[int(rng.integers(len(choices)))]
    return Case(saved(folder, header_of(radiograph(rng)[0], **{name: value})), says=name)


def number_unreadable(rng: Generator, folder: Path) -> Case:
    """Write a number with a comma, or in words: the attribute is named, not the number."""
    name = ("WindowCenter", "RescaleSlope")[int(rng.integers(2))]
    values, bits = radiograph(rng)
    more = {"WindowCenter": 1234, "WindowWidth": 100, "RescaleSlope": 1234, "RescaleIntercept": 0}
    path = saved(folder, header_of(values, bits, **more))
    content = path.read_bytes()
    place = content.index(b"1234", content.index(b"\x50\x10DS" if name == "WindowCenter" else b"\x53\x10DS"))
    path.write_bytes(content[:place] + (b"1,23", b"wide")[int(rng.integers(2))] + content[place + 4 :])
    return Case(path, says=name)


def several_frames(rng: Generator, folder: Path) -> Case:
    """Write more frames than one."""
    values, frames = radiograph(rng)[0], int(rng.integers(2, 9))
    header = header_of(np.tile(values, (frames, 1)), NumberOfFrames=frames, Rows=len(values))
    return Case(saved(folder, header), says=f"{frames} frames")


def cut_off(rng: Generator, folder: Path) -> Case:
    """Write the file ends within its header or its pixels, compressed or not."""
    header = header_of(radiograph(rng)[0])
    if rng.random() < 0.5:
        header.compress(RLELossless)
    path = saved(folder, header)
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(400, len(content) - 9))])
    return Case(path, says="truncated or damaged|missing|without pixels")


def no_pixels(rng: Generator, folder: Path) -> Case:
    """Write a report or a plan: DICOM, but no picture."""
    header = header_of(radiograph(rng)[0])
    del header.PixelData
    return Case(saved(folder, header), says="a DICOM file without pixels")


def web_page(rng: Generator, folder: Path) -> Case:
    """Write the page that says that the download failed."""
    page = (b"<!DOCTYPE html><html>Doe</html>", b"\r\n<HTML><body>4711", b"\xef\xbb\xbf<html>")
    (folder / "x.dcm").write_bytes(page[int(rng.integers(len(page)))])
    return Case(folder / "x.dcm", says="an HTML page")


def unknown_syntax(rng: Generator, folder: Path) -> Case:
    """Write a transfer syntax that nobody knows, or that is no picture of one frame."""
    header = header_of(radiograph(rng)[0])
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = saved(folder, header)
    plain = str(ExplicitVRLittleEndian).encode()
    path.write_bytes(path.read_bytes().replace(plain + b"\0", b"1.2.840.99999.999.77"[: len(plain) + 1]))
    return Case(path, says="transfer syntax")


def too_many_pixels(rng: Generator, folder: Path) -> Case:
    """Write rows and Columns that would fill the memory."""
    header = header_of(radiograph(rng)[0], Rows=65535, Columns=int(rng.integers(30000, 65535)))
    return Case(saved(folder, header), says="too large")


KINDS: tuple[Kind, ...] = (
    no_slope_at_all,
    not_finite,
    attribute_missing,
    attribute_wrong,
    number_unreadable,
    several_frames,
    cut_off,
    no_pixels,
    web_page,
    unknown_syntax,
    too_many_pixels,
)
