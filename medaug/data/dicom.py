"""The picture in a DICOM file as a viewer would show it; nothing else of the file is even read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from medaug.arrays import Array, UInt8Array
from medaug.data.grey import to_uint8, unit_to_uint8
from medaug.errors import DataError

# Only what the pixels need. What could name a person is not among it.
_TAGS = [
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows"),
    *("Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue"),
    *("ModalityLUTSequence", "RescaleIntercept", "RescaleSlope"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
    *("GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData"),
    *("BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData"),
    *("SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData"),
    *("SegmentedBluePaletteColorLookupTableData", "PaletteColorLookupTableUID"),
    *("FloatPixelData", "DoubleFloatPixelData", "PixelData", "ExtendedOffsetTable"),
    "ExtendedOffsetTableLengths",
]
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins like this is DICOM, with its preamble or (as old files are) without."""
    identifying = head[:2] == b"\x08\x00" and (head[4:6].isalpha() or head[6:8] == b"\0\0")
    return head[128:132] == b"DICM" or identifying or head[:6] == b"\x02\0\0\0UL"


def read_dicom(path: Path) -> UInt8Array:
    """Read a DICOM file of one frame as uint8 (H, W, 1 or 3); see `medaug.data.pixels.read_pixels`."""
    import pydicom
    from pydicom.config import disable_value_validation
    from pydicom.pixels.utils import pixel_array

    _silence_gdcm()
    with disable_value_validation():
        header = pydicom.dcmread(path, force=True, specific_tags=_TAGS)
        if not any(name in header for name in _PIXELS):
            raise DataError("a DICOM file without pixels")
        if (frames := int(header.get("NumberOfFrames") or 1)) > 1:
            raise DataError(f"a DICOM file of {frames} frames, not one picture")
        if "TransferSyntaxUID" not in header.file_meta:
            header.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        stored = pixel_array(header)
        return _colour(stored, header) if _is_colour(header) else _grey(stored, header)[..., np.newaxis]


def _is_colour(header: Any) -> bool:
    return bool(header.get("SamplesPerPixel", 1) == 3 or header.PhotometricInterpretation == "PALETTE COLOR")


def _colour(stored: Array, header: Any) -> UInt8Array:
    """Return RGB; of more than 8 bits a sample, the upper 8 are kept."""
    from pydicom.pixels.processing import apply_color_lut

    bits = int(header.BitsStored)
    if header.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)[..., :3]
        bits = 8 * stored.dtype.itemsize
    return (stored >> max(bits - 8, 0)).astype(np.uint8)


def _grey(stored: Array, header: Any) -> UInt8Array:
    from pydicom.pixels.processing import apply_modality_lut

    if not header.get("ModalityLUTSequence"):
        header.pop("ModalityLUTSequence", None)
    image = _displayed(stored, apply_modality_lut(stored, header), header)
    return 255 - image if header.PhotometricInterpretation == "MONOCHROME1" else image


def _displayed(stored: Array, values: Array, header: Any) -> UInt8Array:
    """Apply the first VOI LUT, else the first window, else show the full range."""
    if header.get("VOILUTSequence"):
        return _through_lut(values, header)
    center, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
    if center is not None and width is not None and width > 0:
        function = str(header.get("VOILUTFunction") or "LINEAR").upper()
        return unit_to_uint8(window(values.astype(np.float64), center, width, function))
    padding = header.get("PixelPaddingValue")
    return to_uint8(values, None if padding is None else stored != padding)


def window(values: Array, center: float, width: float, function: str) -> Array:
    """Map values to 0..1 as DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3 do; below and above may lie outside."""
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / width, -700.0, 700.0))))
    if function == "LINEAR_EXACT" or width < 1.0:
        return np.asarray((values - center) / width + 0.5)
    if width == 1.0:
        return np.asarray(values > center - 0.5, np.float64)
    return np.asarray((values - (center - 0.5)) / (width - 1.0) + 0.5)


def _through_lut(values: Array, header: Any) -> UInt8Array:
    """Apply the VOI LUT and show all of its range; files that claim too many bits stay readable so."""
    from pydicom.pixels.processing import apply_voi

    shown = apply_voi(values, header, index=0)
    entries = np.asarray(apply_voi(_lut_inputs(header), header, index=0), np.float64)
    low, high = float(entries.min()), float(entries.max())
    return unit_to_uint8((shown.astype(np.float64) - low) / (high - low if high > low else 1.0))


def _lut_inputs(header: Any) -> Array:
    """Return every value that the LUT has an entry for."""
    count, first, _ = (int(value) for value in header.VOILUTSequence[0].LUTDescriptor)
    return first + np.arange(count or 2**16)


def _first(value: Any) -> float | None:
    """Return the first of one or several numbers; None where there is none."""
    if value is None or value == "":
        return None
    values = [value] if np.isscalar(value) or not hasattr(value, "__iter__") else list(value)
    return float(values[0]) if values else None


def _silence_gdcm() -> None:
    """Keep the decoder's C++ part from printing to the terminal."""
    try:
        import gdcm
    except ImportError:
        return
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    gdcm.Trace.DebugOff()
