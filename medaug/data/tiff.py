"""The first page of a TIFF whose samples are not plain bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from medaug.arrays import Array, FloatArray, UInt8Array
from medaug.data.deep import show_deep
from medaug.data.picture import SEVERAL_PAGES, Picture, check_pixel_count
from medaug.errors import DataError

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = 0, 1, 2, 3
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1}
_UNSIGNED, _SEPARATE = 1, 2
_ASSOCIATED, _UNASSOCIATED = 1, 2
_ORIENTATION = 274
_PASSED_OVER = "a sample beside the colours, not said to be opacity, was passed over"


def read_deep_tiff(path: Path) -> Picture | None:
    """Read a TIFF of samples that are deeper than 8 bits, signed or real; None for any other one.

    Parameters
    ----------
    path : Path
        A file that begins like a TIFF, of any order of bytes, in strips, tiles or planes.

    Raises
    ------
    DataError
        The file is cut off, or its samples are no grey and no RGB.
    """
    try:
        file = tifffile.TiffFile(path)
    except Exception:
        return None  # Pillow decides what is wrong with it
    with file:
        page: Any = file.pages[0]
        if page.bitspersample <= 8 and page.sampleformat == _UNSIGNED:
            _check_channels(page)
            return None
        check_pixel_count(page.imagewidth * page.imagelength)
        _check_kind(page)
        _check_whole(page, path.stat().st_size)
        return Picture(_shown(page), _remarks(file, page))


def _check_channels(page: Any) -> None:
    """Refuse what Pillow would call damaged: more channels than colours and an opacity."""
    if page.photometric in _COLOURS and page.samplesperpixel > _COLOURS[page.photometric] + 1:
        raise DataError(f"a TIFF of {page.samplesperpixel} channels, not a picture")


def _check_kind(page: Any) -> None:
    if page.photometric not in _COLOURS:
        name = getattr(page.photometric, "name", "unknown")
        raise DataError(
            f"a TIFF of {page.bitspersample} bits a sample in {name} colours; of more than 8 bits, "
            "grey, RGB and palettes can be read"
        )
    if page.dtype is None or page.dtype.kind not in "uif":
        raise DataError("a TIFF of samples that are no single numbers")
    if page.imagedepth > 1:
        raise DataError("a TIFF volume, not a picture")
    _check_channels(page)


def _check_whole(page: Any, length: int) -> None:
    """Refuse a file that ends too early: tifffile would fill up with zeros."""
    segments = zip(page.dataoffsets, page.databytecounts, strict=True)
    if any(start + count > length for start, count in segments):
        raise DataError("a truncated or damaged image file: it ends too early")


def _shown(page: Any) -> UInt8Array:
    samples = page.asarray()
    if page.samplesperpixel > 1 and page.planarconfig == _SEPARATE:
        samples = np.moveaxis(samples, 0, -1)
    samples = samples.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    colours = samples[..., : _COLOURS[page.photometric]]
    opacity, orientation = _opacity(page, samples), int(page.tags.valueof(_ORIENTATION, 1))
    if page.photometric == _PALETTE:
        colours = np.moveaxis(page.colormap[:, colours[..., 0]], 0, -1)
    if page.photometric == _WHITE_IS_ZERO:
        colours = -1.0 * colours
    return show_deep(colours, opacity, orientation)


def _opacity(page: Any, samples: Array) -> FloatArray | None:
    """Return the opacity of each pixel; colours that are multiplied by it already stay as they are."""
    kind = next(iter(page.extrasamples), None)
    if kind not in (_ASSOCIATED, _UNASSOCIATED) or samples.dtype.kind == "i":
        return None
    largest = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    share: FloatArray = np.clip(samples[..., -1] / largest, 0.0, 1.0)
    return share if kind == _UNASSOCIATED else (share > 0).astype(np.float64)


def _remarks(file: tifffile.TiffFile, page: Any) -> tuple[str, ...]:
    kinds = page.extrasamples
    passed_over = bool(kinds) and kinds[0] not in (_ASSOCIATED, _UNASSOCIATED)
    found = {_PASSED_OVER: passed_over, SEVERAL_PAGES: len(file.pages) > 1}
    return tuple(remark for remark, holds in found.items() if holds)
