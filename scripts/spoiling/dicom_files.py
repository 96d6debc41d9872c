"""DICOM files in memory and on the disk, and what their windows show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from spoiling.images import eight_bits, random_values

Generator = np.random.Generator


def header_of(pixels: Any, bits: int | None = None, photometric: str = "MONOCHROME2", **more: Any) -> Dataset:
    """Return a radiograph in memory: pixels (H, W) or (H, W, 3) of any integers, and further attributes."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = DigitalXRayImageStorageForPresentation
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = generate_uid()
    header.PatientName, header.PatientID, header.PatientSex, header.PatientAge = (
        "Doe^Jane",
        "4711",
        "F",
        "045Y",
    )
    header.Rows, header.Columns = pixels.shape[:2]
    header.SamplesPerPixel, header.PhotometricInterpretation = (3 if pixels.ndim == 3 else 1), photometric
    if pixels.ndim == 3:
        header.PlanarConfiguration = 0
    header.BitsAllocated = 8 * pixels.itemsize
    header.BitsStored = bits or header.BitsAllocated
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    content = pixels.tobytes()
    header.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", content + b"\0" * (len(content) % 2))
    for name, value in more.items():
        setattr(header, name, value)
    return header


def lut_item(entries: Any, first: int, bits: int, as_bytes: bool) -> Dataset:
    """Return a lookup table as an item of a sequence, its data as bytes (OW) or numbers (US)."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    words = np.asarray(entries, "<u2")
    item.add_new("LUTData", "OW" if as_bytes else "US", words.tobytes() if as_bytes else words.tolist())
    return item


def linear(values: Any, center: float, width: float) -> Any:
    """Return the window of DICOM PS3.3 C.11.2.1.2.1."""
    return eight_bits((np.asarray(values, float) - (center - 0.5)) / (width - 1) + 0.5)


def saved(folder: Path, header: Dataset) -> Path:
    """Write a file into a folder."""
    header.save_as(folder / "x.dcm", enforce_file_format=True)
    return folder / "x.dcm"


def radiograph(rng: Generator) -> tuple[Any, int]:
    """Return values of a random depth above 8 bits, and the depth."""
    bits = int(rng.integers(9, 17))
    return random_values(rng, 0, 2**bits - 1).astype(np.uint16), bits


def window(rng: Generator) -> tuple[float, float]:
    """Return centre and width of a random window."""
    return float(rng.integers(100, 2000)), float(rng.integers(2, 3000))


def of_floats(values: Any, name: str) -> Dataset:
    """Return a radiograph whose pixels are real numbers, in the attribute of this name."""
    header = header_of(values.astype(np.uint8))
    for unwanted in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(header, unwanted)
    header.BitsAllocated = 8 * values.itemsize
    setattr(header, name, values.tobytes())
    return header
