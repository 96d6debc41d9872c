import base64

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from medaug.report.narrow_figures import WIDTH, is_wide, narrow
from medaug.report.parts import picture
from medaug.report.style import grid, in_legend, legend


def figure_of(panels: int, width: float, columns: int, names: int = 2):
    figure, axes = grid(panels, width, 2.5, columns=columns, sharex=True, sharey=True)
    for number, panel in enumerate(axes):
        panel.set(ylabel="value", xlabel=f"panel {number}")
        for name in range(names):
            panel.plot([0, 1], [name, 2], label=in_legend(f"a method with a long name, the {name}. one"))
    legend(figure, axes)
    return figure


@pytest.mark.parametrize(
    ("panels", "width", "columns", "expected"),
    [(2, 3.9, 2, 1), (5, 2.55, 3, 2), (3, 3.3, 3, 1), (1, 6.2, 1, 1)],
)
def test_panels_stand_below_one_another_in_their_order(panels, width, columns, expected):
    figure = figure_of(panels, width, columns)
    titles = [axes.get_xlabel() for axes in figure.axes[:panels]]
    assert is_wide(figure)

    narrow(figure)

    FigureCanvasAgg(figure).draw()
    assert figure.get_figwidth() <= 1.25 * WIDTH
    boxes = [axes.get_position() for axes in figure.axes]
    assert [axes.get_xlabel() for axes in figure.axes] == titles
    order = sorted(range(panels), key=lambda i: (-round(boxes[i].y1, 2), boxes[i].x0))
    assert order == list(range(panels))
    assert len({round(box.x0, 1) for box in boxes}) == min(expected, panels)


def test_every_panel_has_ticks_of_its_own_and_the_legend_stays_inside():
    figure = figure_of(4, 3.9, 2, names=5)

    narrow(figure)

    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        assert any(label.get_visible() and label.get_text() for label in axes.get_yticklabels())
        assert any(label.get_visible() and label.get_text() for label in axes.get_xticklabels())
        assert axes.get_window_extent().height >= 0.5 * 2.5 * figure.dpi
    (drawn,) = figure.legends
    assert len(drawn.get_texts()) == 5
    assert drawn.get_window_extent().x1 <= figure.bbox.x1 + 1


def test_a_picture_has_a_narrow_form_only_where_it_is_wide():
    one, _ = grid(1, 3.9, 2.5)
    two, _ = grid(2, 3.9, 2.5)
    assert picture(one, "alt", "caption").narrow == ""
    shown = picture(two, "alt", "caption")
    assert shown.width == round(2 * 3.9 * 96)
    heights = [
        float(base64.b64decode(uri.split(",")[1]).decode().split('height="')[1].split("pt")[0])
        for uri in (shown.uri, shown.narrow)
    ]
    assert np.isclose(heights[1], 2 * heights[0])
