"""Lookup tables of DICOM files: of values, and of the three colours of a palette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from medaug.arrays import Array, IntArray, UInt8Array
from medaug.data.dicom.header import Header
from medaug.errors import DataError

_WORDS = 2**16


@dataclass(frozen=True)
class Lut:
    """A table from values to entries.

    Parameters
    ----------
    entries : ndarray of int64
        One for each value from `first` on.
    first : int
        Value of the first entry; smaller ones get it too, and those beyond the last entry the last.
    bits : int
        Bits of an entry, 1 to 16.
    """

    entries: IntArray
    first: int
    bits: int

    def __call__(self, values: Array) -> IntArray:
        """Look values up, to the nearest entry."""
        places = np.rint(values).astype(np.int64) if values.dtype.kind == "f" else values.astype(np.int64)
        return self.entries[np.clip(places - self.first, 0, len(self.entries) - 1)]


def read_lut(item: Header, little_endian: bool, signed: bool, descriptor: str, data: str) -> Lut | None:
    """Read a table; None where it is empty.

    Parameters
    ----------
    item : Header
        What holds the two attributes.
    little_endian : bool
        Order of the bytes of the file.
    signed : bool
        Whether the values to look up may be negative, so that a first value written without sign has one.
    descriptor, data : str
        Names of the attributes.

    Raises
    ------
    DataError
        The table is cut off, or not described by three numbers.
    """
    described, content = item[descriptor], item[data]
    if described is None or content is None:
        return None
    count, first, bits = _three_numbers(described, descriptor, little_endian)
    count %= _WORDS
    entries = _entries(content, count or _WORDS, data, little_endian)
    first -= _WORDS if signed and first >= _WORDS // 2 else 0
    needs = int(entries.max()).bit_length()
    return Lut(entries, first, bits if max(1, needs) <= bits <= 16 else max(8, needs))


def read_palette(header: Header) -> list[Lut]:
    """Read the palette of a file, plain or segmented: tables for red, green and blue."""
    little_endian, signed = header.little_endian, header["PixelRepresentation"] == 1
    return [_colour(header, name, little_endian, signed) for name in ("Red", "Green", "Blue")]


def apply_palette(stored: Array, palette: list[Lut]) -> UInt8Array:
    """Return the colours of indices, uint8 (H, W, 3); of deeper entries the upper 8 bits.

    Entries that all fit into 8 bits are taken as such, even where the file says 16.
    """
    fits = max(int(lut.entries.max()) for lut in palette) < 256
    shift = 0 if fits else max(lut.bits for lut in palette) - 8
    return np.stack([lut(stored) >> shift for lut in palette], axis=-1).astype(np.uint8)


def _colour(header: Header, colour: str, little_endian: bool, signed: bool) -> Lut:
    table = f"{colour}PaletteColorLookupTable"
    lut = read_lut(header, little_endian, signed, f"{table}Descriptor", f"{table}Data")
    if lut is not None:
        return lut
    if header[f"{table}Descriptor"] is None:
        raise DataError(f"the DICOM attribute {table}Descriptor is missing")
    if header[f"Segmented{table}Data"] is None:
        raise DataError(f"the DICOM attribute {table}Data is missing")
    return _segmented(header, colour, little_endian, signed)


def _segmented(header: Header, colour: str, little_endian: bool, signed: bool) -> Lut:
    """Let pydicom expand a table of segments."""
    from pydicom.pixels.processing import apply_color_lut

    name = f"{colour}PaletteColorLookupTableDescriptor"
    count, first, bits = _three_numbers(header[name], name, little_endian)
    count = count % _WORDS or _WORDS
    if bits == 8 and count > 256:
        raise DataError("a segmented palette of 8 bits a colour and more than 256 colours")
    first -= _WORDS if signed and first >= _WORDS // 2 else 0
    colours = apply_color_lut(np.arange(first, first + count), header.dataset)
    return Lut(colours[:, ("Red", "Green", "Blue").index(colour)].astype(np.int64), first, bits)


def _three_numbers(described: Any, name: str, little_endian: bool) -> tuple[int, int, int]:
    try:
        if isinstance(described, bytes):
            described = np.frombuffer(described, "<u2" if little_endian else ">u2")
        count, first, bits = (int(number) for number in described)
    except (TypeError, ValueError):
        raise DataError(f"the DICOM attribute {name} is not three numbers") from None
    return count, first, bits


def _entries(content: Any, count: int, name: str, little_endian: bool) -> IntArray:
    """Return the entries of a table: words, or bytes where it is too short for words."""
    if not isinstance(content, bytes):
        numbers = np.atleast_1d(np.asarray(content)).astype(np.int64) % _WORDS
        content, little_endian = numbers.astype("<u2").tobytes(), True
    if len(content) >= 2 * count:
        return np.frombuffer(content, "<u2" if little_endian else ">u2", count).astype(np.int64)
    if len(content) >= count:
        return np.frombuffer(content, np.uint8, count).astype(np.int64)
    raise DataError(f"the DICOM attribute {name} has fewer entries than its descriptor says")
