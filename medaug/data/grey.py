"""From values of any depth to 8 bits, and from colour to luminance."""

from __future__ import annotations

import numpy as np

from medaug.arrays import Array, UInt8Array
from medaug.errors import DataError

# ITU-R 601-2 in 1/65536, which sum to one, so that grey stays the grey it is (as in Pillow).
_LUMA = np.array([19595, 38470, 7471], np.uint32)


def to_uint8(values: Array, counted: Array | None = None) -> UInt8Array:
    """Spread values linearly over 0..255, from the least to the largest; uint8 stays as it is.

    Parameters
    ----------
    values : ndarray of integers or floats
        Any shape.
    counted : ndarray of bool, optional
        Where values count for the range; the rest is cut off at its ends.

    Raises
    ------
    DataError
        A value is not finite.
    """
    if values.dtype == np.uint8:
        return values
    real = values.astype(np.float64)
    if not np.isfinite(real).all():
        raise DataError("the picture holds values that are not finite")
    chosen = real if counted is None or not counted.any() else real[counted]
    low, high = (float(chosen.min()), float(chosen.max())) if chosen.size else (0.0, 0.0)
    return unit_to_uint8((real - low) / (high - low if high > low else 1.0))


def full_range(values: Array, bits: int) -> UInt8Array:
    """Spread unsigned values of up to 8 bits over 0..255, all bits set is white; 8 bits stay as they are."""
    largest = 2**bits - 1
    return unit_to_uint8(values / largest) if bits != 8 else np.minimum(values, largest).astype(np.uint8)


def unit_to_uint8(values: Array) -> UInt8Array:
    """Round 0..1 to 0..255; what lies outside is cut off."""
    return np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)


def grey_of(image: UInt8Array) -> UInt8Array:
    """Return the luminance of a colour picture: uint8 (H, W, 3) to (H, W, 1)."""
    luminance = (image.astype(np.uint32) @ _LUMA + 0x8000) >> 16
    return luminance.astype(np.uint8)[..., np.newaxis]
