"""What has to be said of a DICOM picture: what was passed over, taken for granted, or may be on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from medaug.data.dicom.display import first_window, voi_function
from medaug.data.dicom.header import Header, integer_of, items_of, numbers_of
from medaug.data.dicom.stored import frames_too_many

_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def remarks_on(header: Header, keyword: str) -> tuple[str, ...]:
    """Return the sentences that hold for a file.

    Parameters
    ----------
    header : Header
        The file, its functional groups settled.
    keyword : str
        Name of the attribute that holds the pixels.
    """
    found = [sentence for sentence, holds in _REMARKS.items() if holds(header)]
    if frames_too_many(header, keyword):
        found.append("there are pixels for several frames, and the first was taken")
    return tuple(found)


def _says_yes(name: str) -> Callable[[Header], bool]:
    return lambda header: str(header[name] or "").strip().upper() == "YES"


def _passes_over_lut(header: Header) -> bool:
    items = [item for name in ("VOILUTSequence", "ModalityLUTSequence") for item in items_of(header, name)]
    return any(item[name] is None for item in items for name in ("LUTDescriptor", "LUTData"))


def _passes_over_window(header: Header) -> bool:
    said = [numbers_of(header, name)[:1] for name in ("WindowCenter", "WindowWidth")]
    return said != [[], []] and said != [[number] for number in first_window(header) or ()]


def _takes_linear(header: Header) -> bool:
    return voi_function(header) not in _FUNCTIONS


def _takes_half_a_rescale(header: Header) -> bool:
    return (header["RescaleSlope"] is None) != (header["RescaleIntercept"] is None)


def _takes_right_aligned(header: Header) -> bool:
    high, stored = integer_of(header, "HighBit"), integer_of(header, "BitsStored")
    if high is None or stored is None:
        return False
    return not stored - 1 <= high < (integer_of(header, "BitsAllocated") or 0)


_REMARKS: Mapping[str, Callable[[Header], bool]] = MappingProxyType(
    {
        "BurnedInAnnotation is YES: text in the picture may name a person": _says_yes("BurnedInAnnotation"),
        "RecognizableVisualFeatures is YES: a person may be recognised": _says_yes(
            "RecognizableVisualFeatures"
        ),
        "an empty lookup table was passed over": _passes_over_lut,
        "a window without centre, or without a width above 0, was passed over": _passes_over_window,
        "VOILUTFunction is unknown, and LINEAR was taken": _takes_linear,
        "RescaleSlope or RescaleIntercept is missing, and 1 or 0 was taken": _takes_half_a_rescale,
        "HighBit contradicts BitsStored, and values were taken as aligned to the right": _takes_right_aligned,
    }
)
