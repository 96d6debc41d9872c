"""One whole slide: its resolution, its thumbnail, and many patches of it at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np
import openslide
from PIL import Image

from medaug.arrays import FloatArray, IntArray, UInt8Array
from medaug.data.slides.resolution import resolution_of
from medaug.data.slides.tiles import (
    CACHE_BYTES,
    PLAIN_VENDORS,
    Size,
    Tiles,
    find_page,
    open_pages,
    reading_order,
)
from medaug.errors import DataError, SettingsError

Fill = Callable[[float, float, UInt8Array], None]
"""Fills an array (height, width, 3) with the region of a level whose upper left corner is at x, y."""

TOLERANCE = 0.1
"""A level whose resolution is this close to the one asked for is used as it is."""

PATCHES_AT_ONCE, BYTES_AT_ONCE = 32, 32 * 2**20
"""Few, so that they stay in the cache of the processor until they are used."""

PROBES = 3
"""Regions that are read in both ways before tiles are decoded directly."""

_BLOCK, _PROBE, _USUAL_TILE = 1024, 64, 256
_DAMAGED = "the slide is truncated or damaged; copy or download it again"
"""OpenSlide's own words name the path, and a reason must not."""
_TOO_DAMAGED = f"{_DAMAGED} (a larger share than max_lost, {{:g}}, cannot be read)"

UNREADABLE = (255, 0, 255)
"""Colour of a thumbnail where the file is damaged; no stain has it."""


@dataclass(frozen=True)
class Grid:
    """The pixels in which patches are cut.

    Parameters
    ----------
    level : int
        Level of the slide that is read.
    downsample : float
        Level-0 pixels per pixel of a patch.
    reduction : float
        Pixels of the level per pixel of a patch; 1.0 where the level is used as it is.
    """

    level: int
    downsample: float
    reduction: float = 1.0


class Slide:
    """An open whole slide.

    Only the scan itself is read: label and overview pictures of the file may show the patient's name.
    Transparent pixels (never scanned) get the slide's own background colour, white where it names none.

    Parameters
    ----------
    path : Path or str
        A file that OpenSlide reads.

    Attributes
    ----------
    dimensions : tuple of int
        Width and height in level-0 pixels.
    level_dimensions : tuple of tuple of int
        Width and height of each level.
    level_downsamples : tuple of float
        Level-0 pixels per pixel of each level.
    mpp : float or None
        Microns per pixel of level 0; None where the file does not say so credibly.

    Raises
    ------
    DataError
        The file is no slide, or is damaged; anything that is read later may raise it too.

    Examples
    --------
    >>> with Slide("slide.tif") as slide:  # doctest: +SKIP
    ...     grid = slide.grid_level(mpp=1.0)
    ...     for numbers, pixels in slide.read_patches(np.array([[0, 0], [384, 0]]), grid, 96):
    ...         print(numbers, pixels.shape)
    [0 1] (2, 96, 96, 3)
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._slide = _open(self.path)
        properties = self._slide.properties
        self.dimensions = self._slide.dimensions
        self.level_dimensions = self._slide.level_dimensions
        self.level_downsamples = self._slide.level_downsamples
        self._resolution = resolution_of(properties)
        self.mpp = self._resolution.mpp
        self._background = _background(properties)
        plain = properties.get("openslide.vendor") in PLAIN_VENDORS
        self._pages = open_pages(self.path) if plain else None
        self._tiles: dict[int, Tiles | None] = {}

    def __enter__(self) -> Slide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._slide.close()
        self._tiles.clear()
        if self._pages is not None:
            self._pages.close()

    def grid_level(
        self, *, mpp: float | None = None, level: int | None = None, level0_mpp: float | None = None
    ) -> Grid:
        """Choose the level to read, by resolution or by number.

        Parameters
        ----------
        mpp : float, optional
            Microns per pixel of a patch. A level within 10 % of it is used as it is (in CAMELYON17 level 2,
            0.97 microns, for 1.0), else the next finer one is reduced.
        level : int, optional
            Number of a level, used as it is. Give one of the two.
        level0_mpp : float, optional
            Microns per pixel of level 0, in place of what the file says.

        Raises
        ------
        DataError
            The slide has no credible resolution, pixels that are not square, is coarser than asked for, or
            has no such level.
        """
        if level is not None and mpp is None:
            return self._numbered(level)
        if mpp is None or level is not None:
            raise SettingsError("give either mpp or level: one of them sets the grid")
        own = level0_mpp or self.mpp
        if own is None:
            raise DataError(self._resolution.why_none)
        return self._grid(mpp, own)

    def thumbnail(self, side: int, max_lost: float = 0.0) -> UInt8Array:
        """Return the whole slide at low resolution.

        Parameters
        ----------
        side : int
            Most pixels of the longer side; a small slide is not enlarged.
        max_lost : float
            Share of the slide that may be unreadable; it gets the colour `UNREADABLE`.

        Returns
        -------
        ndarray of uint8, (h, w, 3)
            RGB, each pixel the mean of the pixels that it covers. It is read in blocks, so that memory does
            not grow with the slide.
        """
        scale = max(1.0, max(self.dimensions) / side)
        width, height = (max(1, round(length / scale)) for length in self.dimensions)
        level = self._slide.get_best_level_for_downsample(scale)
        full_width, full_height = self.level_dimensions[level]
        step = full_width / width, full_height / height
        fill = self._fill(level, np.outer([0.25, 0.5, 0.75], [full_width, full_height]) // 1, _PROBE)
        picture: UInt8Array = np.empty((height, width, 3), np.uint8)
        block, tile, lost = max(1, math.floor(_BLOCK / max(step))), max(self._tile_size(level)), 0
        for top in range(0, height, block):
            for left in range(0, width, block):
                part = picture[top : top + block, left : left + block]
                lost += _reduce(fill, left, top, part, step, tile)
                if lost > max_lost * width * height:
                    raise DataError(_TOO_DAMAGED.format(max_lost))
        return picture

    def read_patches(
        self, positions: IntArray, grid: Grid, size: int, max_lost: float = 0.0
    ) -> Iterator[tuple[IntArray, UInt8Array]]:
        """Read many patches; each tile of the slide is decoded about once, and memory stays bounded.

        Parameters
        ----------
        positions : ndarray of int64, (N, 2)
            x and y of the upper left corners in level-0 pixels.
        grid : Grid
            From `grid_level`.
        size : int
            Side of a patch in pixels.
        max_lost : float
            Share of the patches that may lie on damaged parts of the file; they are left out.

        Yields
        ------
        numbers : ndarray of int64, (B,)
            Which of the positions these are; each that can be read comes once, in an order that suits the
            file.
        pixels : ndarray of uint8, (B, size, size, 3)
            RGB. Where the level is used as it is, these are exactly the pixels of OpenSlide's
            ``read_region``; else the finer level is reduced by a bicubic filter of the right width. The
            memory is used again for the next ones: copy what you keep.

        Raises
        ------
        DataError
            More patches than `max_lost` allows cannot be read.
        """
        places = np.asarray(positions, np.float64).reshape(-1, 2) / self.level_downsamples[grid.level]
        reduced = grid.reduction != 1.0
        corners = np.floor(places) if reduced else places
        side = math.ceil(size * grid.reduction) + 1 if reduced else size
        fill = self._fill(grid.level, corners, side)
        order = reading_order(corners, side, self._tile_size(grid.level))
        at_once = max(1, min(PATCHES_AT_ONCE, BYTES_AT_ONCE // (side * side * 3)))
        room: UInt8Array = np.empty((at_once, side, side, 3), np.uint8)
        lost = 0
        for asked in (order[start : start + at_once] for start in range(0, len(order), at_once)):
            numbers = _read_all(fill, corners, asked, room)
            lost += len(asked) - len(numbers)
            if lost > max_lost * len(order):
                raise DataError(_TOO_DAMAGED.format(max_lost))
            if not len(numbers):
                continue
            pixels = room[: len(numbers)]
            if reduced:
                pixels = _reduced(pixels, (places - corners)[numbers], grid.reduction, size)
            yield numbers, pixels

    def _numbered(self, level: int) -> Grid:
        last = len(self.level_downsamples) - 1
        if not 0 <= level <= last:
            raise DataError(f"the slide has no level {level}, only 0 to {last}; give one of these, or mpp")
        return Grid(level, self.level_downsamples[level])

    def _grid(self, mpp: float, own: float) -> Grid:
        downsample = mpp / own
        ratios = downsample / np.array(self.level_downsamples)
        nearest = int(np.abs(np.log(ratios)).argmin())
        if abs(1 / ratios[nearest] - 1) <= TOLERANCE:
            return Grid(nearest, self.level_downsamples[nearest])
        if downsample < 1:
            raise DataError(
                f"the slide has {own:.3g} microns per pixel at best; give a larger mpp than {mpp:g}"
            )
        finer = int(np.flatnonzero(ratios >= 1)[-1])
        return Grid(finer, downsample, float(ratios[finer]))

    def _fill(self, level: int, corners: FloatArray, side: int) -> Fill:
        """Return the fastest way to read a level that gives what OpenSlide gives, as some regions prove.

        Between pixels OpenSlide interpolates, so only whole corners can be taken from tiles.
        """
        compose, tiles = partial(self._compose, level), self._level_tiles(level)
        if tiles is None or not np.array_equal(corners, np.rint(corners)):
            return compose
        found, expected = np.empty((2, side, side, 3), np.uint8)
        for x, y in corners[:: max(1, len(corners) // PROBES)].tolist():
            try:
                tiles.read(x, y, found)
                compose(x, y, expected)
            except DataError:
                return compose
            if not np.array_equal(found, expected):
                return compose
        return tiles.read

    def _level_tiles(self, level: int) -> Tiles | None:
        if level not in self._tiles:
            size, tile = self.level_dimensions[level], self._tile_size(level)
            page = None if self._pages is None else find_page(self._pages, size, tile)
            compose = partial(self._compose, level)
            # Levels are read one after the other: what is kept of another one goes.
            self._tiles = {level: None if page is None else Tiles(page, self._background, compose)}
        return self._tiles[level]

    def _tile_size(self, level: int) -> Size:
        names = (f"openslide.level[{level}].tile-{side}" for side in ("width", "height"))
        width, height = (int(self._slide.properties.get(name, _USUAL_TILE)) for name in names)
        return width, height

    def _compose(self, level: int, x: float, y: float, out: UInt8Array) -> None:
        """Let OpenSlide read a region, and put it on the background."""
        downsample = self.level_downsamples[level]
        corner = round(x * downsample), round(y * downsample)
        try:
            region = self._slide.read_region(corner, level, out.shape[1::-1])
        except openslide.OpenSlideError:
            # After an error OpenSlide reads nothing more of a slide, damaged or not.
            self._slide.close()
            self._slide = _open(self.path)
            raise DataError(_DAMAGED) from None
        picture = Image.new("RGB", region.size, self._background)
        picture.paste(region, mask=region)
        out[:] = np.asarray(picture)


def _open(path: Path) -> openslide.OpenSlide:
    try:
        slide = openslide.OpenSlide(path)
    except openslide.OpenSlideUnsupportedFormatError:
        raise DataError(
            "not a slide that OpenSlide can read (absent, an error page of a download, or another format)"
        ) from None
    except openslide.OpenSlideError:
        raise DataError(_DAMAGED) from None
    slide.set_cache(openslide.OpenSlideCache(CACHE_BYTES))
    return slide


def _background(properties: Mapping[str, str]) -> tuple[int, int, int]:
    colour = properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "ffffff")
    red, green, blue = bytes.fromhex(colour)
    return red, green, blue


def _read_all(fill: Fill, corners: FloatArray, asked: IntArray, room: UInt8Array) -> IntArray:
    """Read patches one after the other into `room`; return the numbers of those that can be read."""
    numbers: list[int] = []
    for number in asked.tolist():
        x, y = corners[number].tolist()
        try:
            fill(x, y, room[len(numbers)])
        except DataError:
            continue
        numbers.append(number)
    return np.array(numbers, np.int64)


def _reduce(fill: Fill, left: int, top: int, part: UInt8Array, step: tuple[float, float], tile: int) -> int:
    """Fill a part of a thumbnail, to a tile mark what cannot be read, and return how many pixels it has."""
    height, width, _ = part.shape
    try:
        part[:] = _mean_of(fill, left, top, part.shape, step)
    except DataError:
        if max(height * step[1], width * step[0]) <= tile or height == width == 1:
            part[:] = UNREADABLE
            return int(height * width)
        half = (height if height >= width else width) // 2
        if height >= width:
            parts = (left, top, part[:half]), (left, top + half, part[half:])
        else:
            parts = (left, top, part[:, :half]), (left + half, top, part[:, half:])
        return sum(_reduce(fill, x, y, piece, step, tile) for x, y, piece in parts)
    return 0


def _mean_of(
    fill: Fill, left: int, top: int, shape: tuple[int, ...], step: tuple[float, float]
) -> UInt8Array:
    """Return the part of a thumbnail whose pixels are `step` (across, down) pixels of a level."""
    x, y = left * step[0], top * step[1]
    width, height = shape[1] * step[0], shape[0] * step[1]
    offset_x, offset_y = x % 1, y % 1
    region = np.empty((math.ceil(offset_y + height), math.ceil(offset_x + width), 3), np.uint8)
    fill(x - offset_x, y - offset_y, region)
    box = (
        offset_x,
        offset_y,
        min(offset_x + width, region.shape[1]),
        min(offset_y + height, region.shape[0]),
    )
    return np.asarray(Image.fromarray(region).resize((shape[1], shape[0]), Image.Resampling.BOX, box))


def _reduced(pixels: UInt8Array, offsets: FloatArray, reduction: float, size: int) -> UInt8Array:
    extent, images = size * reduction, map(Image.fromarray, pixels)
    boxes = [(x, y, x + extent, y + extent) for x, y in offsets.tolist()]
    filtered = (
        image.resize((size, size), Image.Resampling.BICUBIC, box)
        for image, box in zip(images, boxes, strict=True)
    )
    return np.stack([np.asarray(image) for image in filtered])
