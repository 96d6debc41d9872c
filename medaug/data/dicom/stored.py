"""The values that a DICOM file stores, before any transform: decoded, aligned, and which are padding."""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np

from medaug.arrays import Array, BoolArray
from medaug.data.dicom.header import Header, integer_of, needed, photometric
from medaug.data.picture import check_pixel_count
from medaug.errors import DataError

_END_OF_JPEG = b"\xff\xd9"
_PADDING = {
    "PixelData": ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    "FloatPixelData": ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    "DoubleFloatPixelData": ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
}
KEYWORDS = tuple(_PADDING)
"""Attributes that hold pixels."""


def pixel_keyword(header: Header) -> str | None:
    """Return the name of the attribute that holds the pixels, if there is one."""
    return next((name for name in KEYWORDS if header[name] is not None), None)


def stored_values(header: Header, keyword: str) -> Array:
    """Decode the first frame: (H, W), or (H, W, 3) with YBR converted to RGB.

    Raises
    ------
    DataError
        The pixels are too many or too few for what the header says, or their transfer syntax cannot be read.
    """
    check_pixel_count(needed(header, "Rows") * needed(header, "Columns"))
    syntax = header.dataset.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax:
        raise DataError("the transfer syntax of the DICOM file is not known")
    if syntax.is_encapsulated:
        return _decoded(header, syntax)
    _check_length(header, keyword)
    if photometric(header) in ("YBR_ICT", "YBR_RCT"):
        raise DataError("PhotometricInterpretation is one of compressed colours, but they are not compressed")
    return _decoded(header, syntax)


def frames_too_many(header: Header, keyword: str) -> bool:
    """Whether pixels that are not compressed are enough for more than one frame."""
    syntax = header.dataset.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax or syntax.is_encapsulated:
        return False
    return len(header[keyword] or b"") >= 2 * _frame_length(header)


def padding_in(stored: Array, header: Header, keyword: str) -> BoolArray | None:
    """Return where pixels are padding; None where nothing is said about padding."""
    value, limit = (_padding(header, name, stored) for name in _PADDING[keyword])
    if value is None:
        return None
    low, high = sorted((value, value if limit is None else limit))
    return np.asarray((stored >= low) & (stored <= high))


def _decoded(header: Header, syntax: Any) -> Array:
    shift, bits = _left_shift(header, syntax), header["BitsStored"]
    if not shift:
        return _by_pydicom(header, syntax)
    header.dataset.BitsStored = bits + shift  # pydicom cuts off, or extends the sign, above it
    aligned = _by_pydicom(header, syntax) >> shift
    header.dataset.BitsStored = bits
    return np.asarray(aligned)


def _by_pydicom(header: Header, syntax: Any) -> Array:
    from pydicom.pixels.utils import pixel_array

    try:
        return np.asarray(pixel_array(header.dataset, index=0))
    except NotImplementedError:
        raise DataError(f"the transfer syntax of the DICOM file cannot be read ({syntax.name})") from None
    except MemoryError:
        raise
    except Exception:
        if (deep := _deep_jpeg(header, syntax)) is not None:
            return deep
        raise DataError(
            f"a truncated or damaged DICOM file: its pixels ({syntax.name}) cannot be decoded"
        ) from None


def _deep_jpeg(header: Header, syntax: Any) -> Array | None:
    """Decode grey JPEG of 12 bits, which no decoder of pydicom does; None where it is none, or damaged."""
    from pydicom.encaps import generate_frames
    from pydicom.uid import JPEGExtended12Bit

    if syntax != JPEGExtended12Bit:
        return None
    try:
        frame = next(generate_frames(header["PixelData"], number_of_frames=1))
        decoded = imagecodecs.jpeg8_decode(frame)
    except (imagecodecs.Jpeg8Error, ValueError, StopIteration):
        return None
    whole = _END_OF_JPEG in frame[-4:]  # else the decoder has filled up the rest; padding may follow
    sides = needed(header, "Rows"), needed(header, "Columns")
    return decoded if whole and decoded.shape == sides and decoded.dtype == np.uint16 else None


def _left_shift(header: Header, syntax: Any) -> int:
    """Return how many bits lie unused below the lowest: none, unless values are aligned to the left."""
    from pydicom.uid import RLELossless

    high, stored = integer_of(header, "HighBit"), integer_of(header, "BitsStored")
    if high is None or stored is None or (syntax.is_encapsulated and syntax != RLELossless):
        return 0
    return max(0, high + 1 - stored) if high < needed(header, "BitsAllocated") else 0


def _check_length(header: Header, keyword: str) -> None:
    there, expected = len(header[keyword] or b""), _frame_length(header)
    if there < expected:
        raise DataError(
            f"a truncated or damaged DICOM file: {keyword} holds {there:,} bytes, its Rows and Columns need "
            f"{expected:,}"
        )


def _frame_length(header: Header) -> int:
    """Return the bytes of one frame that is not compressed."""
    samples = needed(header, "Rows") * needed(header, "Columns") * needed(header, "SamplesPerPixel")
    length = -(-samples * needed(header, "BitsAllocated") // 8)
    return length * 2 // 3 if photometric(header) == "YBR_FULL_422" else length


def _padding(header: Header, name: str, stored: Array) -> float | None:
    """Return a padding value as stored pixels hold it, whatever type it is written in."""
    value = header[name]
    if isinstance(value, bytes):
        value = int.from_bytes(value[:8], "little" if header.little_endian else "big")
    elif value is not None:
        value = value[0] if hasattr(value, "__iter__") and not isinstance(value, str) else value
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError):
        raise DataError(f"the DICOM attribute {name} holds no number") from None
    return number if number is None or stored.dtype.kind == "f" else _as_cell(int(number), header)


def _as_cell(value: int, header: Header) -> int:
    """Read the bits of a number as a pixel is read: 63536 in 16 bits with a sign is -2000."""
    from pydicom.uid import ExplicitVRLittleEndian

    bits, shift = needed(header, "BitsStored"), _left_shift(header, ExplicitVRLittleEndian)
    cell = (value >> shift) & ((1 << bits) - 1)
    return cell - (1 << bits) if needed(header, "PixelRepresentation") and cell >> (bits - 1) else cell
