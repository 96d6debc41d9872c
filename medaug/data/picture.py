"""A picture that was read, and what had to be decided to show it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from medaug.arrays import UInt8Array
from medaug.errors import DataError

SEVERAL_PAGES = "there are several pages, and the first was taken"
"""Remark on a file of which more could be shown."""


@dataclass(frozen=True)
class Picture:
    """What a file shows.

    Parameters
    ----------
    pixels : ndarray of uint8, (H, W, 1 or 3)
        Grey or RGB.
    remarks : tuple of str
        What was left out or taken for granted, one sentence each, the same for every file that it holds for,
        so that they can be counted. Nothing in them comes from the file.
    """

    pixels: UInt8Array
    remarks: tuple[str, ...] = ()


def check_pixel_count(pixels: int) -> None:
    """Raise a DataError for more pixels than Pillow reads without a warning: a few bytes may claim many."""
    largest = Image.MAX_IMAGE_PIXELS
    if largest is not None and pixels > largest:
        raise DataError(f"the picture is too large: {pixels:,} pixels, at most {largest:,} are read")
