"""The JPEG tiles of one level of a TIFF, decoded straight from the file.

OpenSlide composes every region with operations that cost several times the decoding of its tiles. Where a
level is nothing but a plain grid of JPEG tiles that lie side by side, the tiles alone give the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile

from medaug.arrays import FloatArray, IntArray, UInt8Array
from medaug.data.quiet import quiet
from medaug.errors import DataError

Size = tuple[int, int]
"""Width and height."""

CACHE_BYTES = 48 * 2**20
"""Decoded tiles that are kept: what bounds the memory, whatever the size of the slide."""

PLAIN_VENDORS = ("generic-tiff", "aperio")
"""Formats (as OpenSlide names them) whose tiles lie side by side."""

_JPEG = 7
_COLOURS = {2: "RGB", 6: "YCBCR"}
"""How a JPEG holds its colours, by the TIFF tag PhotometricInterpretation."""


class Tiles:
    """The pixels of one level, by its own pixel coordinates.

    Parameters
    ----------
    page : tifffile.TiffPage
        From `find_page`; its file must stay open.
    background : tuple of int
        RGB of what lies outside the level.
    otherwise : callable
        Fills an array with the region at x, y in another way; asked for tiles that are empty or cannot be
        decoded here.
    """

    def __init__(
        self,
        page: Any,
        background: tuple[int, int, int],
        otherwise: Callable[[float, float, UInt8Array], None],
    ) -> None:
        self._page, self._background, self._otherwise = page, background, otherwise
        self.width, self.height = page.tilewidth, page.tilelength
        self._columns = -(-page.imagewidth // self.width)
        self._rows = -(-page.imagelength // self.height)
        room = _tiles_kept((self.width, self.height))
        # One piece that is used again: new memory for each tile would cost as much as decoding it.
        self._free = list(np.empty((room, self.height, self.width, 3), np.uint8))
        self._colours = _COLOURS[page.photometric]
        self._kept: dict[tuple[int, int], UInt8Array] = {}

    def read(self, x: float, y: float, out: UInt8Array) -> None:
        """Fill `out`, uint8 (height, width, 3), with the region whose upper left pixel is (x, y)."""
        x, y, (height, width) = int(x), int(y), out.shape[:2]
        for row in range(y // self.height, (y + height - 1) // self.height + 1):
            top = row * self.height - y
            lines = out[max(top, 0) : top + self.height]
            for column in range(x // self.width, (x + width - 1) // self.width + 1):
                left = column * self.width - x
                part = lines[:, max(left, 0) : left + self.width]
                tile = self._kept.get((column, row))
                if tile is None:
                    tile = self._load(column, row)
                part[:] = tile[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]

    def _load(self, column: int, row: int) -> UInt8Array:
        """Decode a tile, where no place is free into that of the one that was decoded first."""
        if not self._free:
            self._free.append(self._kept.pop(next(iter(self._kept))))
        self._decode(column, row, self._free[-1])
        tile: UInt8Array = self._free.pop()
        self._kept[column, row] = tile
        return tile

    def _decode(self, column: int, row: int, tile: UInt8Array) -> None:
        if not (0 <= column < self._columns and 0 <= row < self._rows):
            tile[:] = self._background
            return
        data = self._bytes(row * self._columns + column)
        page, x, y = self._page, column * self.width, row * self.height
        try:
            imagecodecs.jpeg8_decode(
                data, tables=page.jpegtables, colorspace=self._colours, outcolorspace="RGB", out=tile
            )
        except (imagecodecs.Jpeg8Error, ValueError):
            self._otherwise(x, y, tile)
        tile[page.imagelength - y :] = self._background
        tile[:, page.imagewidth - x :] = self._background

    def _bytes(self, number: int) -> bytes:
        file, length = self._page.parent.filehandle, self._page.databytecounts[number]
        file.seek(self._page.dataoffsets[number])
        data: bytes = file.read(length)
        if len(data) < length:
            raise DataError("the slide is truncated; copy or download it again")
        return data


@quiet()
def open_pages(path: Path) -> tifffile.TiffFile | None:
    """Open a file as TIFF; None where it is none that tifffile understands: OpenSlide reads it alone then."""
    try:
        return tifffile.TiffFile(path)
    except Exception:  # of damaged directories: struct.error, IndexError, ...
        return None


@quiet()
def find_page(file: tifffile.TiffFile, size: Size, tile: Size) -> Any | None:
    """Return the page that holds a level of this size in JPEG tiles of this size, if there is just one."""
    pages = [
        page
        for page in file.pages
        if isinstance(page, tifffile.TiffPage)
        and page.is_tiled
        and (page.imagewidth, page.imagelength) == size
        and (page.tilewidth, page.tilelength) == tile
        and (page.compression, page.samplesperpixel, page.planarconfig) == (_JPEG, 3, 1)
        and page.photometric in _COLOURS
    ]
    return pages[0] if len(pages) == 1 else None


def reading_order(corners: FloatArray, side: int, tile: Size) -> IntArray:
    """Return an order in which each tile is needed for a short time only.

    Row of tiles by row of tiles, in strips so narrow that all tiles that patches of one row need are kept.

    Parameters
    ----------
    corners : ndarray of float64, (N, 2)
        x and y of the upper left corners in pixels of the level.
    side : int
        Side of the patches in pixels of the level.
    tile : tuple of int
        Width and height of a tile.
    """
    columns, rows = corners[:, 0] // tile[0], corners[:, 1] // tile[1]
    across, down = (-(-side // length) + 1 for length in tile)
    strips = columns // max(1, _tiles_kept(tile) // down - across)
    return np.lexsort((corners[:, 0], rows, strips)).astype(np.int64)


def _tiles_kept(tile: Size) -> int:
    """Return how many tiles fit into the memory that is meant for them; OpenSlide needs 4 bytes a pixel."""
    return max(6, CACHE_BYTES // (tile[0] * tile[1] * 4))
