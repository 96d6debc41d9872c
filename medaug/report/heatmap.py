"""Where on a slide the model sees something: a heat map over the slide, and the numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import EngFormatter, MaxNLocator
from PIL import Image

from medaug.arrays import FloatArray, UInt8Array
from medaug.data.slides.reading import Slide
from medaug.errors import DataError
from medaug.files import write_aside
from medaug.progress import progress
from medaug.report.image_figures import MARK_COLOUR
from medaug.report.style import GREY, INK, entitle, plain

SIDE = 900
"""Largest side of the map in pixels; memory does not grow with the slide."""

COLOURS = "YlOrBr"
"""Light to dark without a turn, so that lightness alone tells it: also without colour vision, and in grey."""

_SCORE = "score:"
_PANEL_INCHES, _NARROWEST_INCHES, _DPI = 6.0, 2.6, 150
_OPACITY = 0.75


def write_heatmaps(
    predictions: pd.DataFrame,
    slides: Mapping[str, Path],
    extent: float | Mapping[str, float],
    folder: Path | str,
    *,
    condition: str = "tumour",
) -> list[Path]:
    """Write ``<slide>.png`` and ``<slide>.csv`` for every slide of a table of predictions.

    Parameters
    ----------
    predictions : DataFrame
        One row a patch: ``slide``, ``x``, ``y`` (upper left corner, level-0 pixels), ``score:<condition>``
        (probability); ``phantom`` (bool) marks what a program drew, or a model that saw only such images.
    slides : mapping of str to Path
        The file of each slide.
    extent : float or mapping of str to float
        Side of a patch in level-0 pixels; a mapping where the slides have different resolutions.
    folder : Path
        Where the files go; each is whole or absent, and what was there under the same name is replaced.
    condition : str
        What is predicted.

    Returns
    -------
    list of Path
        The pictures, in the order in which the slides first appear.

    Raises
    ------
    DataError
        A column is missing, a slide has no file or extent, a name is none for a file, a place of a slide
        has several predictions, or a slide cannot be read.

    Notes
    -----
    The table has ``x``, ``y`` and ``probability``, by row and then by column of the slide.
    """
    _check(predictions, slides, extent, condition)
    groups = predictions.groupby("slide", sort=False)
    written = []
    for name, rows in progress(groups, "Drawing heat maps", groups.ngroups, unit="slide"):
        side = extent[str(name)] if isinstance(extent, Mapping) else extent
        map_ = _heat(rows, slides[str(name)], float(side), condition)
        written.append(_write(map_, Path(folder), str(name)))
    return written


def probability_map(
    places: pd.DataFrame, dimensions: tuple[int, int], extent: float, shape: tuple[int, int]
) -> FloatArray:
    """Spread the probabilities of patches over a picture of the whole slide.

    Parameters
    ----------
    places : DataFrame
        ``x``, ``y`` (level-0 pixels), ``probability``.
    dimensions : tuple of int
        Width and height of the slide in level-0 pixels.
    extent : float
        Side of a patch in level-0 pixels.
    shape : tuple of int
        Height and width of the picture.

    Returns
    -------
    ndarray of float64
        Mean probability of the patches over each pixel (a patch covers at least one); NaN where none is.

    Examples
    --------
    >>> one = pd.DataFrame({"x": [0], "y": [50], "probability": [0.8]})
    >>> probability_map(one, (100, 100), 50, (2, 2))
    array([[nan, nan],
           [0.8, nan]])
    """
    sums, counts = np.zeros(shape), np.zeros(shape)
    scale = np.array([shape[1] / dimensions[0], shape[0] / dimensions[1]])
    corners = places[["x", "y"]].to_numpy(float)
    starts = np.minimum(np.rint(corners * scale).astype(int), np.array(shape[::-1]) - 1)
    stops = np.maximum(np.rint((corners + extent) * scale).astype(int), starts + 1)
    for (left, top), (right, bottom), value in zip(starts, stops, places["probability"], strict=True):
        sums[top:bottom, left:right] += value
        counts[top:bottom, left:right] += 1
    mean: FloatArray = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
    return mean


@dataclass(frozen=True)
class _Heat:
    """What is drawn of one slide."""

    places: pd.DataFrame
    probability: FloatArray
    thumbnail: UInt8Array
    dimensions: tuple[int, int]
    condition: str
    phantom: bool


def _check(
    predictions: pd.DataFrame, slides: Mapping[str, Path], extent: float | Mapping[str, float], condition: str
) -> None:
    for column in ("slide", "x", "y", _SCORE + condition):
        if column not in predictions:
            raise DataError(f"the predictions lack the column {column}, so no heat map can be drawn")
    for name in predictions["slide"].unique():
        if not isinstance(name, str) or Path(name).name != name or name == "..":
            raise DataError(f"the slide {name!r} has a name that cannot be that of a file")
        if name not in slides:
            raise DataError(f"no file was given for the slide {name!r}")
        if isinstance(extent, Mapping) and name not in extent:
            raise DataError(f"no extent of a patch was given for the slide {name!r}")
    twice = predictions.duplicated(["slide", "x", "y"])
    if twice.any():
        name = predictions.loc[twice, "slide"].iloc[0]
        raise DataError(
            f"the slide {name!r} has several predictions for one place; keep those of one method and seed"
        )


def _heat(rows: pd.DataFrame, path: Path, extent: float, condition: str) -> _Heat:
    places = pd.DataFrame(
        {"x": rows["x"], "y": rows["y"], "probability": rows[_SCORE + condition].astype(float)}
    ).sort_values(["y", "x"], ignore_index=True)
    try:
        with Slide(path) as slide:
            thumbnail, dimensions = slide.thumbnail(SIDE, max_lost=1.0), slide.dimensions
    except DataError as error:
        raise DataError(f"no heat map of {path} can be drawn: {error}") from None
    known = places[places["probability"].notna()]
    probability = probability_map(known, dimensions, extent, thumbnail.shape[:2])
    phantom = "phantom" in rows and bool(rows["phantom"].fillna(False).astype(bool).any())
    return _Heat(places, probability, thumbnail, dimensions, condition, phantom)


def _write(heat: _Heat, folder: Path, name: str) -> Path:
    with write_aside(folder / f"{name}.csv") as temporary:
        heat.places.to_csv(temporary, index=False)
    with write_aside(folder / f"{name}.png") as temporary:
        _figure(heat).savefig(temporary, format="png", dpi=_DPI)
    return folder / f"{name}.png"


def _figure(heat: _Heat) -> Figure:
    """Slide and heat map beside each other, or one above the other where the slide is wide."""
    width, height = heat.dimensions
    wide = width > 1.5 * height
    scale = _PANEL_INCHES / max(width, height)
    panel = [max(_NARROWEST_INCHES, length * scale) for length in (width, height)]
    rows, columns = (2, 1) if wide else (1, 2)
    size = (panel[0] * columns + 1.4, panel[1] * rows + 1.2)
    figure = Figure(figsize=size, layout="constrained")
    slide, heated = figure.subplots(rows, columns)
    _draw_slide(slide, heat)
    bar = figure.colorbar(_draw_heat(heated, heat), ax=[slide, heated], shrink=0.7, aspect=25)
    bar.ax.tick_params(labelsize=8.5, colors=INK)
    _say(figure, heat)
    return figure


def _draw_slide(axes: Axes, heat: _Heat) -> None:
    axes.imshow(heat.thumbnail, extent=_frame(heat.dimensions))
    entitle(axes, "The slide")
    _plain_axes(axes)


def _draw_heat(axes: Axes, heat: _Heat) -> AxesImage:
    """Draw over the slide in pale grey, so that no colour but the scale's is there."""
    grey = np.asarray(Image.fromarray(heat.thumbnail).convert("L"), float)
    axes.imshow(140 + grey * 0.45, cmap="gray", vmin=0, vmax=255, extent=_frame(heat.dimensions))
    shown = axes.imshow(
        np.ma.masked_invalid(heat.probability),
        cmap=colormaps[COLOURS],
        vmin=0,
        vmax=1,
        alpha=_OPACITY,
        interpolation="nearest",
        extent=_frame(heat.dimensions),
    )
    entitle(axes, f"Probability of {plain(heat.condition)}")
    _plain_axes(axes)
    return shown


def _frame(dimensions: tuple[int, int]) -> tuple[float, float, float, float]:
    return (0.0, float(dimensions[0]), float(dimensions[1]), 0.0)


def _plain_axes(axes: Axes) -> None:
    axes.tick_params(colors=GREY, labelsize=7.5, length=3)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("level-0 pixels", fontsize=8, color=GREY)


def _say(figure: Figure, heat: _Heat) -> None:
    """Say what the picture is, wherever it is copied to."""
    figure.supxlabel(
        f"A model's output for {len(heat.places):,} patches; what has no colour was not looked at.\n"
        "For research; not for decisions about patients.",
        fontsize=8.5,
        color=GREY,
        x=0.01,
        ha="left",
    )
    if heat.phantom:
        # The layout does not know of the box around the text, so it is given room here.
        line = 0.4 / figure.get_figheight()
        figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - line))
        box = {"facecolor": MARK_COLOUR, "edgecolor": "none", "pad": 4}
        title = "PHANTOM DATA: says nothing about real patients"
        figure.suptitle(title, x=0.012, y=1 - line / 3, ha="left", fontsize=10, color="white", bbox=box)
