"""From stored values to what a viewer shows: Modality LUT, VOI LUT or window, 8 bits."""

from __future__ import annotations

import numpy as np

from medaug.arrays import Array, BoolArray, UInt8Array
from medaug.data.dicom.header import (
    Header,
    integer_of,
    is_colour,
    items_of,
    number_of,
    numbers_of,
    photometric,
)
from medaug.data.dicom.lut import Lut, apply_palette, read_lut, read_palette
from medaug.data.dicom.stored import padding_in
from medaug.data.grey import full_range, to_uint8, unit_to_uint8
from medaug.errors import DataError


def shown(stored: Array, header: Header, keyword: str) -> UInt8Array:
    """Return the picture as uint8 (H, W, 1 or 3).

    Parameters
    ----------
    stored : ndarray, (H, W) or (H, W, 3)
        From `medaug.data.dicom.stored.stored_values`.
    header : Header
        The file, its functional groups settled.
    keyword : str
        Name of the attribute that holds the pixels.
    """
    if photometric(header) == "PALETTE COLOR":
        return apply_palette(stored, read_palette(header))
    if is_colour(header):
        return _by_depth(stored, header)
    grey = _grey(stored, header, padding_in(stored, header, keyword))
    return grey[..., np.newaxis]


def window(values: Array, center: float, width: float, function: str) -> Array:
    """Map values to 0..1 as DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3 do; below and above may lie outside."""
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / width, -700.0, 700.0))))
    if function == "LINEAR_EXACT" or width < 1.0:
        return np.asarray((values - center) / width + 0.5)
    if width == 1.0:
        return np.asarray(values > center - 0.5, np.float64)
    return np.asarray((values - (center - 0.5)) / (width - 1.0) + 0.5)


def first_window(header: Header) -> tuple[float, float] | None:
    """Return centre and width of the first window that has both."""
    pairs = zip(numbers_of(header, "WindowCenter"), numbers_of(header, "WindowWidth"), strict=False)
    usable = ((center, width) for center, width in pairs if center is not None and width is not None)
    return next(((center, width) for center, width in usable if width > 0), None)


def voi_function(header: Header) -> str:
    """Return the name of the function of windows, in capitals."""
    return str(header["VOILUTFunction"] or "LINEAR").strip().upper()


def _grey(stored: Array, header: Header, padding: BoolArray | None) -> UInt8Array:
    """Apply the first VOI LUT, else the first window, else show the full range with padding in black."""
    lut = _first_lut(header, "ModalityLUTSequence", bool(header["PixelRepresentation"]))
    slope, intercept = _rescale(header)
    rescaled = stored if (slope, intercept) == (1, 0) else stored * slope + intercept
    values = rescaled if lut is None else lut(stored)
    voi = _first_lut(header, "VOILUTSequence", bool(items_of(header, "VOILUTSequence") and values.min() < 0))
    inverted = photometric(header) == "MONOCHROME1"
    image = _through_voi(values, header, voi)
    if image is None:
        image = _without_voi(stored, values, header, lut, padding, slope)
        image = 255 - image if inverted else image
        return image if padding is None else np.where(padding, np.uint8(0), image)
    return 255 - image if inverted else image


def _rescale(header: Header) -> tuple[float, float]:
    slope, intercept = (number_of(header, name) for name in ("RescaleSlope", "RescaleIntercept"))
    if slope == 0:
        raise DataError("the DICOM attribute RescaleSlope is 0, which leaves nothing of the picture")
    return 1.0 if slope is None else slope, intercept or 0.0


def _first_lut(header: Header, name: str, signed: bool) -> Lut | None:
    """Return the first table of a sequence that is not empty."""
    little_endian = header.little_endian
    found = (read_lut(i, little_endian, signed, "LUTDescriptor", "LUTData") for i in items_of(header, name))
    return next((lut for lut in found if lut is not None), None)


def _through_voi(values: Array, header: Header, lut: Lut | None) -> UInt8Array | None:
    """Show values through a table with all of its range (some claim too many bits), or a window."""
    if lut is not None:
        low, high = int(lut.entries.min()), int(lut.entries.max())
        return unit_to_uint8((lut(values) - low) / max(high - low, 1))
    chosen = first_window(header)
    if chosen is None:
        return None
    real = values.astype(np.float64)
    if not np.isfinite(real).all():
        raise DataError("the picture holds values that are not finite")
    return unit_to_uint8(window(real, *chosen, voi_function(header)))


def _without_voi(
    stored: Array, values: Array, header: Header, lut: Lut | None, padding: BoolArray | None, slope: float
) -> UInt8Array:
    """Show up to 8 bits as they are, whatever linear rescaling says, and deeper values over their range."""
    if lut is not None and lut.bits <= 8:
        return full_range(values, lut.bits)
    if lut is None and _is_shallow(stored, header):
        image = _by_depth(stored, header)
        return image if slope > 0 else 255 - image
    return to_uint8(values, None if padding is None else ~padding)


def _is_shallow(stored: Array, header: Header) -> bool:
    bits = integer_of(header, "BitsStored")
    return stored.dtype.kind == "u" and bits is not None and bits <= 8


def _by_depth(stored: Array, header: Header) -> UInt8Array:
    """Show samples of up to 8 bits as they are, deeper ones from the least to the largest of all colours."""
    if _is_shallow(stored, header):
        return full_range(stored, integer_of(header, "BitsStored") or 8)
    return to_uint8(stored)
