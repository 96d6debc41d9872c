"""How figures look: colours that colour-blind readers can tell apart, and SVG with real text."""

from __future__ import annotations

import base64
import io
import math
import textwrap
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GREY, RULE = "#1b1f24", "#6a737d", "#d5d9de"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's colours; the baseline is black, as in Figure 5 of the paper."""

_MARKERS = ("s", "^", "D", "v", "P", "X")
_SVG: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "medaug",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
}


@dataclass(frozen=True)
class MethodStyle:
    """Colour and marker of a method, the same in every figure of a report."""

    colour: str
    marker: str


Styles = Mapping[str, MethodStyle]
"""The look of each method, the baseline first."""


def method_styles(methods: Iterable[str]) -> dict[str, MethodStyle]:
    """Give each method a colour and a marker; the first one is the baseline and black.

    Examples
    --------
    >>> method_styles(["baseline", "label"])["baseline"].colour == INK
    True
    """
    first, *others = [*dict.fromkeys(methods)] or [""]
    return {first: MethodStyle(INK, "o")} | {method: _look(place) for place, method in enumerate(others)}


def grid(
    panels: int, width: float, height: float, *, columns: int = 3, **shared: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a number of panels, each of a size in inches; no pyplot state is touched."""
    columns = max(1, min(columns, panels))
    rows = max(1, -(-panels // columns))
    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, **shared).flat)
    for axis in axes[panels:]:
        axis.set_axis_off()
    for axis in axes[:panels]:
        _restrain(axis)
        axis.tick_params(labelbottom=True)  # also where a panel below shares the axis
    return figure, axes[:panels]


def entitle(axes: Axes, text: str) -> None:
    """Set the title of a panel, at its left."""
    axes.set_title(text, loc="left", fontsize=9.5, color=INK)


def plain(text: object) -> str:
    """Return a text that matplotlib shows as it is: no mathematics, and not hidden in legends."""
    shown = str(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def shortened(text: object, length: int = 28) -> str:
    """Return a plain text of bounded length for an axis."""
    shown = str(text)
    return plain(shown if len(shown) <= length else shown[: length - 1] + "…")


def in_legend(method: object) -> str:
    """Return a method's name as a legend shows it."""
    return shortened(method, 48)


def wrapped(text: object, width: int = 26) -> str:
    """Return a plain text in at most two lines for an axis."""
    return "\n".join(textwrap.wrap(plain(text), width, max_lines=2, placeholder="…"))


def legend(figure: Figure, panels: Iterable[Axes], columns: int = 3) -> None:
    """Add one legend for all panels, above them; each name once.

    It has fewer columns where long names need the room, and the figure grows by its further lines.
    """
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if handles:
        width, height = figure.get_size_inches()
        fitting = max(1, min(columns, int(width / (0.6 + 0.063 * max(map(len, handles))))))
        lines = math.ceil(len(handles) / fitting) - math.ceil(len(handles) / columns)
        figure.set_size_inches(width, height + 0.18 * lines)
        look: dict[str, Any] = {"ncols": min(fitting, len(handles)), "frameon": False, "fontsize": 9}
        figure.legend(list(handles.values()), list(handles), loc="outside upper left", **look)


def svg_uri(figure: Figure) -> str:
    """Return a figure as a data URI of an SVG whose text is text (searchable, in the reader's fonts)."""
    buffer = io.BytesIO()
    with mpl.rc_context(_SVG), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the reader's browser has more scripts than we
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


def _look(place: int) -> MethodStyle:
    """Return the look of a method: each round through the colours has them with other markers."""
    around = len(PALETTE)
    return MethodStyle(PALETTE[place % around], _MARKERS[(place + place // around) % len(_MARKERS)])


def _restrain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, color=GREY, labelsize=8.5, length=3)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
