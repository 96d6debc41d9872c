"""Figures for a telephone: the same panels, below one another, so that their text stays large enough."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from medaug.report.style import legend

WIDTH = 4.2
"""Inches, 403 CSS pixels: nearly what a telephone shows at full size."""


def is_wide(figure: Figure) -> bool:
    """Tell whether a figure is wider than a telephone, by more than scaling it down could mend."""
    return bool(figure.get_figwidth() > 1.25 * WIDTH)


def narrow(figure: Figure) -> None:
    """Put the panels of a figure of `medaug.report.style.grid` below one another.

    Small panels stay two beside each other. Each shows its own ticks, as it has no neighbour to share them.
    """
    panels, (width, height) = _panels(figure), _panel_size(figure)
    columns = max(1, round(WIDTH / width))
    rows = -(-len(panels) // columns)
    places = GridSpec(rows, columns, figure=figure)
    for place, axes in enumerate(panels):
        axes.set_subplotspec(places[place])
        axes.tick_params(labelleft=True, labelbottom=True)
    figure.set_size_inches(columns * width if columns > 1 else WIDTH, rows * height)
    if figure.legends:
        figure.legends[0].remove()
        legend(figure, panels)


def _panels(figure: Figure) -> list[Axes]:
    """Return the panels that are used, without the empty places of the last row."""
    for axes in [axes for axes in figure.axes if not axes.axison]:
        axes.remove()
    return figure.axes


def _panel_size(figure: Figure) -> tuple[float, float]:
    place = figure.axes[0].get_subplotspec()
    rows, columns = (1, 1) if place is None else place.get_gridspec().get_geometry()
    return figure.get_figwidth() / columns, figure.get_figheight() / rows
