"""A slide on one picture: thumbnail, tissue, annotation and the patches that were cut."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

from medaug.arrays import BoolArray, UInt8Array
from medaug.data.slides.annotation import Annotation

LARGEST_FILE = 150_000
"""Bytes; a store has hundreds of overviews, and a report embeds some."""

_SIDES = (960, 800, 640, 480, 320)
_TISSUE_COLOURS, _PALETTE_STEP = 32, 4
_SMALLEST_BOX, _SMALLEST_OPEN_BOX = 4, 8
_DASH = 7.0
_FADED, _SHADED = 0.2, 0.25

Colour = tuple[int, int, int]

_BLACK, _WHITE, _GREY, _STAIN = (0, 0, 0), (255, 255, 255), (110, 110, 110), (221, 170, 205)


@dataclass(frozen=True)
class _Mark:
    """How something is drawn: a line with a casing, so that it stands out on light and dark tissue."""

    line: Colour
    casing: Colour | None = None
    dashed: bool = False


# Yellow and blue differ in lightness from one another and from stained tissue: also without colour vision.
_TISSUE = _Mark((0, 104, 76))
_TUMOUR, _UNCERTAIN = _Mark(_BLACK, _WHITE), _Mark(_BLACK, _WHITE, dashed=True)
_PATCHES = {
    "unlabelled patch": _Mark(_WHITE),
    "normal patch": _Mark((0, 60, 220), _WHITE),
    "tumour patch": _Mark((255, 225, 0), _BLACK),
}


def draw_overview(
    thumbnail: UInt8Array,
    tissue: BoolArray,
    annotation: Annotation | None,
    patches: pd.DataFrame,
    dimensions: tuple[int, int],
    extent: float,
) -> bytes:
    """Draw tissue, annotation and chosen patches on the thumbnail of a slide.

    Parameters
    ----------
    thumbnail : ndarray of uint8, shape (h, w, 3)
        The whole slide at low resolution, RGB.
    tissue : ndarray of bool, shape (h', w')
        Where tissue is; the whole slide, in any resolution.
    annotation : Annotation or None
        Tumour and uncertain areas, in level-0 pixels.
    patches : DataFrame
        One row a chosen patch: ``x``, ``y`` (upper left corner, level-0 pixels), ``label:tumour`` (1 tumour,
        0 normal, NaN unlabelled).
    dimensions : tuple of int
        Width and height of the slide in level-0 pixels.
    extent : float
        Side of a patch in level-0 pixels.

    Returns
    -------
    bytes
        A PNG of at most 960 pixels a side plus a legend, smaller than `LARGEST_FILE`.

    Examples
    --------
    >>> nothing = pd.DataFrame({"x": [], "y": [], "label:tumour": []})
    >>> white = np.full((40, 60, 3), 255, np.uint8)
    >>> png = draw_overview(white, white[..., 0] < 255, None, nothing, (600, 400), 96)
    >>> Image.open(io.BytesIO(png)).width
    960
    """
    overview = _Overview(thumbnail, tissue, annotation, patches, dimensions, extent)
    png, side = b"", 0
    for smaller in _SIDES:
        # Bytes shrink more slowly than the area: what is too large by this reckoning need not be drawn.
        if smaller == _SIDES[-1] or len(png) * smaller**2 <= LARGEST_FILE * side**2:
            side = smaller
            png = _png(overview.draw(side))
            if len(png) <= LARGEST_FILE:
                break
    return png


@dataclass(frozen=True)
class _Overview:
    """What is drawn; lengths are level-0 pixels until `draw` scales them."""

    thumbnail: UInt8Array
    tissue: BoolArray
    annotation: Annotation | None
    patches: pd.DataFrame
    dimensions: tuple[int, int]
    extent: float

    def draw(self, side: int) -> Image.Image:
        scale = side / max(self.dimensions)
        size = (max(1, round(self.dimensions[0] * scale)), max(1, round(self.dimensions[1] * scale)))
        picture = Image.fromarray(self.thumbnail).resize(size, Image.Resampling.BICUBIC)
        inside = np.asarray(Image.fromarray(self.tissue).resize(size, Image.Resampling.NEAREST), bool)
        picture = _muted(picture, inside)
        palette = _palette(picture)
        picture.paste(_TISSUE.line, mask=_outline(inside))
        draw = ImageDraw.Draw(picture)
        for name, mark in _PATCHES.items():
            for box in _boxes(self.patches[self._named() == name], scale, self.extent):
                _draw_box(draw, box, mark)
        for geometry, mark in self._areas():
            _draw_rings(draw, list(_rings(geometry, scale)), mark)
        return _with_legend(picture, self._legend()).quantize(palette=palette, dither=Image.Dither.NONE)

    def _named(self) -> pd.Series[Any]:
        """Name of each patch in the legend."""
        names = {0.0: "normal patch", 1.0: "tumour patch"}
        return self.patches["label:tumour"].astype(float).map(names).fillna("unlabelled patch")

    def _areas(self) -> list[tuple[BaseGeometry, _Mark]]:
        if self.annotation is None:
            return []
        return [(self.annotation.uncertain, _UNCERTAIN), (self.annotation.tumour, _TUMOUR)]

    def _legend(self) -> list[tuple[str, _Mark]]:
        """Entries for what there is on this slide."""
        counts = self._named().value_counts()
        drawn = [
            (f"{counts[n]:,} {n}{'es' if counts[n] > 1 else ''}", m)
            for n, m in reversed(_PATCHES.items())
            if n in counts
        ]
        names = {_TUMOUR: "annotated tumour", _UNCERTAIN: "annotated, uncertain"}
        drawn += [(names[m], m) for g, m in reversed(self._areas()) if not g.is_empty]
        return [*drawn, ("tissue (the rest is shaded)" if self.tissue.any() else "no tissue found", _TISSUE)]


def _muted(picture: Image.Image, tissue: BoolArray) -> Image.Image:
    """Pale tissue, so that marks stand out, on a grey ground, so that holes in the mask are seen."""
    pale = Image.blend(picture, Image.new("RGB", picture.size, _WHITE), _FADED)
    ground = Image.blend(picture, Image.new("RGB", picture.size, _GREY), _SHADED)
    return Image.composite(pale, ground, Image.fromarray(tissue))


def _palette(picture: Image.Image) -> Image.Image:
    """Colours of the tissue, and those of the marks and of text exactly."""
    # Every fourth pixel of every fourth line has all colours, and sorting all pixels took most of the time.
    few = Image.fromarray(np.asarray(picture)[::_PALETTE_STEP, ::_PALETTE_STEP])
    tissue = few.quantize(_TISSUE_COLOURS, dither=Image.Dither.NONE).getpalette() or []
    marks = [_TISSUE, _TUMOUR, *_PATCHES.values()]
    exact = [_STAIN, _GREY] + [c for m in marks for c in (m.line, m.casing) if c is not None]
    exact += [(grey, grey, grey) for grey in range(32, 255, 32)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(tissue[: 3 * _TISSUE_COLOURS] + [value for colour in exact for value in colour])
    return palette


def _outline(inside: BoolArray) -> Image.Image:
    """Pixels that have a neighbour outside."""
    padded = np.pad(inside, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return Image.fromarray(inside & ~inner)


def _boxes(patches: pd.DataFrame, scale: float, extent: float) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom (inclusive) of each patch on the picture."""
    side = max(_SMALLEST_BOX, round(extent * scale))
    for x, y in patches[["x", "y"]].to_numpy(float):
        left, top = round(x * scale), round(y * scale)
        yield left, top, left + side - 1, top + side - 1


def _draw_box(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], mark: _Mark) -> None:
    """Draw an open box; what is too small for one is filled, or a dot where tissue must stay visible."""
    left, top, right, bottom = box
    small = right - left + 1 < _SMALLEST_OPEN_BOX
    if mark.casing is not None:
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=mark.casing)
        draw.rectangle(box, fill=mark.line if small else None, outline=mark.line, width=2)
    elif small:
        draw.point(((left + right) // 2, (top + bottom) // 2), fill=mark.line)
    else:
        draw.rectangle(box, outline=mark.line)


def _rings(geometry: BaseGeometry, scale: float) -> Iterator[Sequence[tuple[float, float]]]:
    """Outer rings and holes, on the picture, without vertices that nobody could see."""
    simple = geometry.simplify(0.5 / scale)
    for polygon in getattr(simple, "geoms", [simple]):
        for ring in (polygon.exterior, *polygon.interiors):
            yield [(x * scale, y * scale) for x, y in ring.coords]


def _draw_rings(
    draw: ImageDraw.ImageDraw, rings: Sequence[Sequence[tuple[float, float]]], mark: _Mark
) -> None:
    if mark.casing is not None:
        for ring in rings:
            draw.line(ring, fill=mark.casing, width=5, joint="curve")
    for ring in rings:
        for part in _dashes(ring) if mark.dashed else [ring]:
            draw.line(part, fill=mark.line, width=2)


def _dashes(ring: Sequence[tuple[float, float]]) -> Iterator[Sequence[tuple[float, float]]]:
    """Every other piece of a ring; a piece is about `_DASH` pixels long."""
    points = np.asarray(ring, float)
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    stops = np.linspace(0.0, along[-1], 2 * max(1, round(along[-1] / (2 * _DASH))) + 1)
    for start, stop in list(pairwise(stops))[::2]:
        between = along[(along > start) & (along < stop)]
        places = np.concatenate([[start], between, [stop]])
        xs, ys = (np.interp(places, along, points[:, axis]) for axis in (0, 1))
        yield list(zip(xs.tolist(), ys.tolist(), strict=True))


def _with_legend(picture: Image.Image, entries: Sequence[tuple[str, _Mark]]) -> Image.Image:
    """Add a strip below the picture that explains the marks."""
    font = ImageFont.load_default(15)
    widths = [round(font.getlength(text)) + 54 for text, _ in entries]
    width = max(picture.width, *widths)
    places, height = _flow(widths, width)
    sheet = Image.new("RGB", (width, picture.height + height), _WHITE)
    sheet.paste(picture)
    draw = ImageDraw.Draw(sheet)
    draw.line((0, picture.height, width, picture.height), fill=_GREY)
    for (text, mark), (left, row) in zip(entries, places, strict=True):
        top = picture.height + 8 + row
        draw.rectangle((left, top, left + 27, top + 17), fill=_STAIN)
        _swatch(draw, left, top, mark)
        draw.text((left + 34, top + 9), text, fill=_BLACK, font=font, anchor="lm")
    return sheet


def _flow(widths: Sequence[int], width: int) -> tuple[list[tuple[int, int]], int]:
    """Place entries in lines: left and top of each, and the height of all."""
    places, left, top = [], 6, 0
    for wide in widths:
        if left > 6 and left + wide > width:
            left, top = 6, top + 26
        places.append((left, top))
        left += wide
    return places, top + 34


def _swatch(draw: ImageDraw.ImageDraw, left: int, top: int, mark: _Mark) -> None:
    if mark in _PATCHES.values():
        _draw_box(draw, (left + 9, top + 4, left + 18, top + 13), mark)
    else:
        _draw_rings(draw, [[(left, top + 9), (left + 27, top + 9)]], mark)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
