from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from medaug.report.style import grid, in_legend, legend, wrapped

LONG = "synthetic by label and property, RandAugment"


@pytest.mark.parametrize("panels", [1, 2])
@pytest.mark.parametrize("longest", ["baseline", LONG])
def test_a_legend_stays_within_its_figure_and_leaves_the_panels_their_height(panels, longest):
    figure, axes = grid(panels, 3.9, 2.9, columns=2)
    for number in range(5):
        axes[0].plot([0, 1], label=in_legend(longest) if number == 2 else f"arm {number}")
    before = figure.get_size_inches()[1]

    legend(figure, axes)

    FigureCanvasAgg(figure).draw()
    (drawn,) = figure.legends
    box = drawn.get_window_extent()
    assert box.x1 <= figure.bbox.x1 + 1
    assert len(drawn.get_texts()) == 5
    assert axes[0].get_window_extent().height >= 0.55 * before * figure.dpi


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LONG, "synthetic by label and\nproperty, RandAugment"),
        ("baseline", "baseline"),
        ("a " * 60, f"{'a ' * 12}a\n{'a ' * 12}a…"),
    ],
)
def test_long_names_take_two_lines_of_an_axis(text, expected):
    assert wrapped(text) == expected


def test_every_panel_has_numbers_at_its_ticks():
    figure, axes = grid(3, 3.0, 2.0, columns=2, sharex=True)
    for panel in axes:
        panel.plot([0, 1])
    FigureCanvasAgg(figure).draw()
    shown = [any(t.get_visible() and t.get_text() for t in panel.get_xticklabels()) for panel in axes]
    assert shown == [True, True, True]
