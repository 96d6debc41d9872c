"""Pyramidal tiled TIFF files with JPEG tiles, in the form that OpenSlide reads as ``generic-tiff``.

The tiles are encoded by Pillow and packed by tifffile. tifffile asks for a further package before it writes
the JPEG tag, even for tiles that are encoded already, so the tag is set after the tiles are in the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from medaug.arrays import UInt8Array
from medaug.files import write_aside

TILE = 256
"""Side of a tile in pixels."""

JPEG, YCBCR, YCBCR_SUBSAMPLING = 7, 6, 530
MICRONS_PER_CENTIMETRE = 10_000
CLASSIC_LIMIT = 2**31
"""Bytes above which the file is a BigTIFF; a classic one ends at 4 GiB."""


@dataclass(frozen=True)
class Level:
    """One level of a pyramid: its size in pixels and its encoded tiles, row by row.

    Parameters
    ----------
    width, height : int
        Pixels.
    tiles : iterable of bytes
        ``ceil(height / TILE) * ceil(width / TILE)`` JPEG files of `TILE` by `TILE` pixels.
    """

    width: int
    height: int
    tiles: Iterable[bytes]


def encode_tile(pixels: UInt8Array, quality: int = 75) -> bytes:
    """Return a JPEG file (YCbCr, colour at half the resolution) of one tile, (`TILE`, `TILE`, 3)."""
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=quality, subsampling="4:2:0")
    return encoded.getvalue()


def write_levels(path: Path, levels: Sequence[Level], mpp: float, expected_bytes: int = 0) -> None:
    """Write a pyramid from encoded tiles; the file appears as a whole or not at all.

    Parameters
    ----------
    path : Path
        File to write, ending ``.tif``.
    levels : sequence of Level
        From the finest on, each half as wide and high as the one before.
    mpp : float
        Microns per pixel of the finest level, written as the resolution tags.
    expected_bytes : int
        Above `CLASSIC_LIMIT` the file is written as BigTIFF.
    """
    with write_aside(path) as temporary:
        with tifffile.TiffWriter(temporary, bigtiff=expected_bytes > CLASSIC_LIMIT) as file:
            for number, level in enumerate(levels):
                _write_level(file, level, number, mpp * 2**number)
        with tifffile.TiffFile(temporary, mode="r+") as written:
            for page in written.pages:
                page.aspage().tags["Compression"].overwrite(JPEG)
                page.aspage().tags["PhotometricInterpretation"].overwrite(YCBCR)


def _write_level(file: tifffile.TiffWriter, level: Level, number: int, mpp: float) -> None:
    file.write(
        iter(level.tiles),
        shape=(level.height, level.width, 3),
        dtype=np.uint8,
        tile=(TILE, TILE),
        compression="zlib",
        photometric="rgb",
        subfiletype=int(number > 0),
        resolution=(MICRONS_PER_CENTIMETRE / mpp,) * 2,
        resolutionunit="CENTIMETER",
        metadata=None,
        software="medaug phantom",
        extratags=[(YCBCR_SUBSAMPLING, "H", 2, (2, 2), True)],
    )


def write_pyramid(path: Path, pixels: UInt8Array, mpp: float, levels: int = 4, quality: int = 75) -> None:
    """Write an image as a pyramid; every level is the mean over 2x2 pixels of the one before.

    Parameters
    ----------
    path : Path
        File to write, ending ``.tif``; appears as a whole or not at all.
    pixels : array of uint8, (height, width, 3)
        The finest level.
    mpp : float
        Microns per pixel of the finest level.
    levels : int
        Number of levels.
    quality : int
        JPEG quality of the tiles, 1 to 95.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "slide.tif"
    >>> write_pyramid(path, np.full((512, 512, 3), 240, np.uint8), mpp=0.5, levels=2)
    >>> tifffile.TiffFile(path).pages[1].shape
    (256, 256, 3)
    """
    images = [Image.fromarray(pixels)]
    while len(images) < levels:
        images.append(images[-1].reduce(2))
    write_levels(
        path, [Level(*image.size, _tiles(np.asarray(image), quality)) for image in images], mpp, pixels.nbytes
    )


def _tiles(pixels: UInt8Array, quality: int) -> Iterator[bytes]:
    """Encode tiles row by row; those at the right and lower border are filled up with its pixels."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % TILE), (0, -width % TILE), (0, 0)), mode="edge")
    for y in range(0, height, TILE):
        for x in range(0, width, TILE):
            yield encode_tile(np.ascontiguousarray(padded[y : y + TILE, x : x + TILE]), quality)
