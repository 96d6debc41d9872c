"""Opening DICOM files: with or without preamble, and nothing read of them but what is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medaug.data.dicom.display import shown
from medaug.data.dicom.header import (
    Header,
    check_description,
    integer_of,
    photometric,
    settle_first_frame,
    tag_of,
)
from medaug.data.dicom.remarks import remarks_on
from medaug.data.dicom.stored import KEYWORDS, pixel_keyword, stored_values
from medaug.data.picture import Picture
from medaug.errors import DataError

# Only what the pixels need. What could name a person is not among it.
_TAGS = [
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows"),
    *("Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    *("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
    *("ModalityLUTSequence", "RescaleIntercept", "RescaleSlope"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
    *("GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData"),
    *("BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData"),
    *("SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData"),
    *("SegmentedBluePaletteColorLookupTableData", "BurnedInAnnotation", "RecognizableVisualFeatures"),
    *KEYWORDS,
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
]
_FIRST_GROUPS = (b"\x02\0", b"\x08\0")
"""Groups that a file without preamble begins with."""
_HEAD = 1024


def has_preamble(head: bytes) -> bool:
    """Whether a file that begins like this is DICOM with its preamble, which may be of another format."""
    return head[128:132] == b"DICM"


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins like this is DICOM, with its preamble or (as old files are) without."""
    if has_preamble(head):
        return True
    little, big = head[:2] in _FIRST_GROUPS, head[1::-1] in _FIRST_GROUPS
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    return (little and (explicit or head[6:8] == b"\0\0")) or (big and explicit)


def read_dicom(path: Path) -> Picture:
    """Read a DICOM file of one frame as a viewer shows it; see `medaug.data.pixels.read_picture`."""
    from pydicom.config import disable_value_validation

    _silence_gdcm()
    with disable_value_validation():
        header = Header(_read(path, _TAGS))
        keyword = pixel_keyword(header)
        if keyword is None:
            raise DataError(_why_no_pixels(path))
        if (frames := integer_of(header, "NumberOfFrames") or 1) > 1:
            raise DataError(f"a DICOM file of {frames} frames, not one picture")
        header.dataset.pop("NumberOfFrames", None)
        check_description(header, keyword)
        header.dataset.PhotometricInterpretation = photometric(header)  # some write spaces, or small letters
        _settle_syntax(header, keyword)
        settle_first_frame(header)
        remarks = remarks_on(header, keyword)
        return Picture(shown(stored_values(header, keyword), header, keyword), remarks)


def read_attributes(path: Path, names: Sequence[str]) -> list[str]:
    """Read attributes of a DICOM file as text; blank where one is absent, all where it is no DICOM file.

    Nothing else of the file is read.
    """
    from pydicom.config import disable_value_validation

    try:
        with path.open("rb") as file:
            if not is_dicom(file.read(_HEAD)):
                return [""] * len(names)
        # Ages without a unit are common; the warning about them would repeat what the header says.
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            header = _read(path, names, stop_before_pixels=True)
            return [str(header.get(name) or "") for name in names]
    except Exception:
        return [""] * len(names)


def _read(path: Path, names: Sequence[str], stop_before_pixels: bool = False) -> Any:
    import pydicom

    return pydicom.dcmread(
        path,
        stop_before_pixels=stop_before_pixels,
        force=True,
        specific_tags=[tag_of(name) for name in names],
    )


def _settle_syntax(header: Header, keyword: str) -> None:
    """Find out how a file without transfer syntax is written; pydicom has guessed it to get here."""
    from pydicom import uid

    if "TransferSyntaxUID" in header.dataset.file_meta:
        return
    if header.dataset[keyword].is_undefined_length:
        raise DataError("the DICOM attribute TransferSyntaxUID is missing, and the pixels are compressed")
    implicit, little_endian = header.dataset.original_encoding
    explicit = uid.ExplicitVRLittleEndian if little_endian else uid.ExplicitVRBigEndian
    header.dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else explicit


def _why_no_pixels(path: Path) -> str:
    """Tell a file that was cut off from one that never held pixels."""
    from pydicom.config import strict_reading

    try:
        with strict_reading():
            _read(path, _TAGS)
    except EOFError:
        return "a truncated or damaged DICOM file: it ends before its pixels"
    except Exception:
        return "a truncated or damaged DICOM file: no pixels are found in it"
    return "a DICOM file without pixels"


def _silence_gdcm() -> None:
    """Keep the decoder's C++ part from printing to the terminal."""
    try:
        import gdcm
    except ImportError:
        return
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    gdcm.Trace.DebugOff()
