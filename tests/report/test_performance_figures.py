import pandas as pd
import pytest

from medaug.report.performance_figures import gap_figure, group_figure, label_figure
from medaug.report.style import INK, method_styles
from medaug.report.tidy import methods, tidied


def test_gap_plot_has_the_values_and_intervals_of_the_metrics(metrics):
    table = tidied(metrics)
    figure = gap_figure(table, method_styles(methods(table)), "auc", "sex", ["id_test", "ood_test"])
    assert len(figure.axes) == 2
    for axes, split in zip(figure.axes, ["id_test", "ood_test"], strict=True):
        for container in axes.containers:
            marker, _, (across, upright) = container
            rows = metrics[(metrics["method"] == container.get_label()) & (metrics["split"] == split)]
            rows = rows[rows["label"] == ""]
            (gap,) = rows[(rows["metric"] == "auc_gap") & (rows["attribute"] == "sex")].itertuples()
            (value,) = rows[(rows["metric"] == "auc") & (rows["attribute"] == "")].itertuples()
            assert marker.get_xydata()[0].tolist() == pytest.approx([gap.value, value.value])
            reach = across.get_segments()[0][:, 0].tolist()
            assert reach == pytest.approx([min(gap.ci_low, gap.value), max(gap.ci_high, gap.value)])
            reach = upright.get_segments()[0][:, 1].tolist()
            assert reach == pytest.approx([min(value.ci_low, value.value), max(value.ci_high, value.value)])
        assert [c.get_label() for c in axes.containers] == ["baseline", "label"]
        assert axes.containers[0][0].get_color() == INK


def test_conditions_and_groups_are_named_on_the_axis(metrics):
    table = tidied(metrics)
    styles = method_styles(methods(table))
    axes = label_figure(table, styles, "auc", ["id_test"]).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["edema", "effusion"]
    axes = group_figure(table, styles, "auc", "sex", ["id_test"]).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["F", "M"]
    assert len(axes.containers) == 4


def test_without_any_value_the_panel_says_so(metrics):
    nothing = metrics.assign(estimable=False, value=pd.NA)
    table = tidied(nothing)
    figure = gap_figure(table, method_styles(["baseline"]), "auc", "sex", ["id_test"])
    assert [t.get_text() for t in figure.axes[0].texts] == ["not estimable"]


def test_conditions_of_which_nothing_is_known_are_left_to_the_table(metrics):
    unknown = metrics["label"] == "edema"
    table = tidied(metrics.assign(estimable=metrics["estimable"] & ~unknown))
    axes = label_figure(table, method_styles(methods(table)), "auc", ["id_test"]).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["effusion"]
