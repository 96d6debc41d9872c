"""Attributes of a DICOM file by name: read with care, because what is written there may be anything."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from medaug.errors import DataError

_MACROS = {
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
}
"""What a functional group says of a frame, and the attributes of the whole file in whose place it stands."""

_ALWAYS = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated")
_OF_INTEGERS = ("BitsStored", "PixelRepresentation")
_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


class Header(dict[str, Any]):
    """Attributes by name, each read once when it is first asked for; None where one is absent or empty.

    Reading an attribute of a pydicom data set costs as much as decoding a small picture.

    Parameters
    ----------
    dataset : pydicom.Dataset
        A file, or an item of a sequence.
    """

    def __init__(self, dataset: Any) -> None:
        super().__init__()
        self.dataset = dataset

    def __missing__(self, name: str) -> Any:
        self[name] = value = self._read(name)
        return value

    @property
    def little_endian(self) -> bool:
        """Order of the bytes of the file."""
        return bool(self.dataset.original_encoding[1])

    def _read(self, name: str) -> Any:
        tag = tag_of(name)
        if tag not in self.dataset.keys():  # noqa: SIM118 - "in" of a data set is far slower
            return None
        try:
            value = self.dataset[tag].value
        except Exception:
            raise DataError(f"the DICOM attribute {name} cannot be read") from None
        return None if value is None or (hasattr(value, "__len__") and len(value) == 0) else value


@cache
def tag_of(name: str) -> Any:
    """Return the tag of an attribute."""
    from pydicom.tag import Tag

    return Tag(name)


def numbers_of(header: Header, name: str) -> list[float | None]:
    """Return the numbers of an attribute, None for each that is empty; no number must be infinite or NaN."""
    value = header[name]
    if value is None:
        return []
    values = [value] if isinstance(value, str | bytes) or not hasattr(value, "__iter__") else list(value)
    try:
        numbers = [None if number in (None, "") else float(number) for number in values]
    except (TypeError, ValueError):
        raise DataError(f"the DICOM attribute {name} holds no number") from None
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise DataError(f"the DICOM attribute {name} holds no finite number")
    return numbers


def number_of(header: Header, name: str) -> float | None:
    """Return the first number of an attribute, None where there is none."""
    return next(iter(numbers_of(header, name)), None)


def integer_of(header: Header, name: str) -> int | None:
    """Return the integer of an attribute, None where there is none; a DataError if it is another number."""
    value = header[name]
    if value is None or type(value) is int:
        return value
    numbers = numbers_of(header, name)
    if len(numbers) > 1 or any(number is not None and number % 1 for number in numbers):
        raise DataError(f"the DICOM attribute {name} is not one whole number")
    return int(numbers[0]) if numbers and numbers[0] is not None else None


def needed(header: Header, name: str) -> int:
    """Return the integer of an attribute that must be there."""
    value = integer_of(header, name)
    if value is None:
        raise DataError(f"the DICOM attribute {name} is missing")
    return value


def items_of(header: Header, name: str) -> list[Header]:
    """Return the items of a sequence; none where it is absent or empty."""
    items = header[name]
    return [] if items is None or isinstance(items, str | bytes) else [Header(item) for item in items]


def photometric(header: Header) -> str:
    """Return how samples stand for grey or colour, in capitals."""
    return str(header["PhotometricInterpretation"] or "").strip().upper()


def is_colour(header: Header) -> bool:
    """Whether the picture has colours, its own or those of a palette."""
    return integer_of(header, "SamplesPerPixel") == 3 or photometric(header) == "PALETTE COLOR"


def settle_first_frame(header: Header) -> None:
    """Bring what functional groups say of the first frame to the top level.

    What is said of the frame goes before what is said of all frames, and that before the file itself.
    """
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in items_of(header, groups)[:1]:
            for macro, names in _MACROS.items():
                for item in items_of(group, macro)[:1]:
                    _replace(header, item, names)


def _replace(header: Header, item: Header, names: tuple[str, ...]) -> None:
    """Take attributes from an item that has any of them."""
    if any(item[name] is not None for name in names):
        header.update({name: item[name] for name in names})


def check_description(header: Header, pixels: str) -> None:
    """Raise a DataError that names the attribute which keeps pixels from being understood.

    Parameters
    ----------
    header : Header
        The file.
    pixels : str
        Name of the attribute that holds the pixels.
    """
    for name in _ALWAYS + (_OF_INTEGERS if pixels == "PixelData" else ()):
        if header[name] is None:
            raise DataError(f"the DICOM attribute {name} is missing")
    _check_sides(header)
    _check_samples(header)
    if pixels == "PixelData":
        _check_bits(header)


def _check_sides(header: Header) -> None:
    for name in ("Rows", "Columns"):
        if needed(header, name) < 1:
            raise DataError(f"the DICOM attribute {name} is 0: there are no pixels")


def _check_samples(header: Header) -> None:
    samples, interpretation = needed(header, "SamplesPerPixel"), photometric(header)
    if samples not in (1, 3):
        raise DataError(f"the DICOM attribute SamplesPerPixel is {samples}; 1 and 3 can be read")
    if interpretation not in _GREY + _COLOUR:
        known = ", ".join(_GREY + _COLOUR)
        raise DataError(f"the DICOM attribute PhotometricInterpretation is none that can be read ({known})")
    if (samples == 3) != (interpretation in _COLOUR):
        raise DataError(
            f"the DICOM attributes SamplesPerPixel ({samples}) and PhotometricInterpretation "
            f"({interpretation}) contradict each other"
        )
    if samples == 3 and needed(header, "PlanarConfiguration") not in (0, 1):
        raise DataError("the DICOM attribute PlanarConfiguration is neither 0 nor 1")


def _check_bits(header: Header) -> None:
    allocated, stored = needed(header, "BitsAllocated"), needed(header, "BitsStored")
    if allocated not in (1, 8, 16, 32, 64):
        raise DataError(f"the DICOM attribute BitsAllocated is {allocated}; 1, 8, 16, 32 and 64 can be read")
    if not 1 <= stored <= allocated:
        raise DataError(f"the DICOM attribute BitsStored is {stored}, but BitsAllocated {allocated}")
    if needed(header, "PixelRepresentation") not in (0, 1):
        raise DataError("the DICOM attribute PixelRepresentation is neither 0 nor 1")
    if needed(header, "SamplesPerPixel") == 3 and photometric(header) != "RGB" and allocated > 8:
        raise DataError(
            f"colours as {photometric(header)} can be read of 8 bits, but BitsAllocated is {allocated}"
        )
