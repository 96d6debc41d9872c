"""Attributes of a DICOM file by name: read with care, because what is written there may be anything."""

from __future__ import annotations

import math
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


def value_of(header: Any, name: str) -> Any:
    """Return an attribute, None where it is absent or empty; a DataError names one that cannot be read."""
    try:
        value = header.get(name)
    except Exception:
        raise DataError(f"the DICOM attribute {name} cannot be read") from None
    return None if value is None or (hasattr(value, "__len__") and len(value) == 0) else value


def numbers_of(header: Any, name: str) -> list[float | None]:
    """Return the numbers of an attribute, None for each that is empty; no number must be infinite or NaN."""
    value = value_of(header, name)
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


def number_of(header: Any, name: str) -> float | None:
    """Return the first number of an attribute, None where there is none."""
    return next(iter(numbers_of(header, name)), None)


def integer_of(header: Any, name: str) -> int | None:
    """Return the integer of an attribute, None where there is none; a DataError if it is another number."""
    numbers = numbers_of(header, name)
    if len(numbers) > 1 or any(number is not None and number % 1 for number in numbers):
        raise DataError(f"the DICOM attribute {name} is not one whole number")
    return int(numbers[0]) if numbers and numbers[0] is not None else None


def needed(header: Any, name: str) -> int:
    """Return the integer of an attribute that must be there."""
    value = integer_of(header, name)
    if value is None:
        raise DataError(f"the DICOM attribute {name} is missing")
    return value


def items_of(header: Any, name: str) -> list[Any]:
    """Return the items of a sequence; none where it is absent or empty."""
    items = value_of(header, name)
    return [] if items is None or isinstance(items, str | bytes) else list(items)


def photometric(header: Any) -> str:
    """Return how samples stand for grey or colour, in capitals."""
    return str(value_of(header, "PhotometricInterpretation") or "").strip().upper()


def is_colour(header: Any) -> bool:
    """Whether the picture has colours, its own or those of a palette."""
    return integer_of(header, "SamplesPerPixel") == 3 or photometric(header) == "PALETTE COLOR"


def settle_first_frame(header: Any) -> None:
    """Bring what functional groups say of the first frame to the top level.

    What is said of the frame goes before what is said of all frames, and that before the file itself.
    """
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in items_of(header, groups)[:1]:
            for macro, names in _MACROS.items():
                for item in items_of(group, macro)[:1]:
                    _replace(header, item, names)


def _replace(header: Any, item: Any, names: tuple[str, ...]) -> None:
    """Take attributes from an item that has any of them."""
    if all(value_of(item, name) is None for name in names):
        return
    for name in names:
        header.pop(name, None)
        if name in item:
            header.add(item[name])


def check_description(header: Any, pixels: str) -> None:
    """Raise a DataError that names the attribute which keeps pixels from being understood.

    Parameters
    ----------
    header : pydicom.Dataset
        The file.
    pixels : str
        Name of the attribute that holds the pixels.
    """
    for name in _ALWAYS + (_OF_INTEGERS if pixels == "PixelData" else ()):
        if value_of(header, name) is None:
            raise DataError(f"the DICOM attribute {name} is missing")
    _check_sides(header)
    _check_samples(header)
    if pixels == "PixelData":
        _check_bits(header)


def _check_sides(header: Any) -> None:
    for name in ("Rows", "Columns"):
        if needed(header, name) < 1:
            raise DataError(f"the DICOM attribute {name} is 0: there are no pixels")


def _check_samples(header: Any) -> None:
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


def _check_bits(header: Any) -> None:
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
