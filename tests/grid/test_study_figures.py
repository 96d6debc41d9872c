from __future__ import annotations

import base64

import numpy as np
import pandas as pd
import pytest

from medaug.grid.gathering import Compared
from medaug.grid.study_figures import arms_figure, differences_figure, pareto_figure
from medaug.grid.study_sections import pareto_pictures
from medaug.report.style import method_styles
from medaug.report.tidy import places

ARMS = ("baseline", "label")
STYLES = method_styles(ARMS)
SPLITS = ("id_test", "ood_test")
DOMAINS = {"id_test": ("home",), "ood_test": ("far", "near", "all")}


@pytest.fixture
def metrics() -> pd.DataFrame:
    """Two trainings of each arm in all places, of random values."""
    draw = np.random.default_rng(0)
    rows = [
        {
            "split": split,
            "domain": domain,
            "method": arm,
            "seed": seed,
            "metric": metric,
            "attribute": attribute,
        }
        | {"group": group, "n": 30 if domain == "near" else 50, "value": draw.random()}
        for split, domains in DOMAINS.items()
        for domain in domains
        for arm in ARMS
        for seed in (0, 1)
        for metric, attribute, group in (("auc", "", ""), ("auc_gap", "sex", ""), ("auc", "sex", "F"))
    ]
    return pd.DataFrame(rows).assign(label="", estimable=True, reason="")


def mean(metrics: pd.DataFrame, metric: str, split: str, domain: str, arm: str) -> float:
    rows = metrics[(metrics["metric"] == metric) & (metrics["group"] == "") & (metrics["method"] == arm)]
    return float(rows.loc[(rows["split"] == split) & (rows["domain"] == domain), "value"].mean())


WHERE = [("id_test", "home"), ("ood_test", "all"), ("ood_test", "far"), ("ood_test", "near")]
TITLES = [
    "In distribution, test\nhome (n = 50)",
    *(f"Out of distribution, test\n{where}" for where in ("all (n = 50)", "far (n = 50)", "near (n = 30)")),
]


def test_every_external_set_is_a_panel_of_performance_and_gap(metrics: pd.DataFrame) -> None:
    assert places(metrics, SPLITS, "sex") == WHERE
    figure = pareto_figure(metrics, STYLES, "auc", "sex", WHERE)
    assert [axes.get_title("left") for axes in figure.axes] == TITLES
    for axes, place in zip(figure.axes, WHERE, strict=True):
        marks = {line.get_label(): line.get_xydata() for line in axes.lines}
        for arm in ARMS:
            expected = [[mean(metrics, name, *place, arm) for name in ("auc_gap", "auc")]]
            np.testing.assert_allclose(marks[arm], expected)


def test_a_set_without_a_gap_has_no_panel(metrics: pd.DataFrame) -> None:
    unknown = (metrics["domain"] == "near") & (metrics["metric"] == "auc_gap")
    metrics["estimable"] = metrics["estimable"] & ~unknown
    metrics["value"] = metrics["value"].mask(unknown)
    compared = Compared("all", metrics, pd.DataFrame(), pd.DataFrame())
    (first,) = pareto_pictures(compared, STYLES, "auc")
    drawing = base64.b64decode(first.uri.split(",")[1]).decode()
    assert [f"{domain} (n =" in drawing for domain in ("home", "all", "far", "near")] == [
        True,
        True,
        True,
        False,
    ]


def test_every_external_set_is_a_panel_of_the_arms(metrics: pd.DataFrame) -> None:
    figure = arms_figure(metrics, STYLES, "auc", WHERE)
    assert [axes.get_title("left") for axes in figure.axes] == TITLES
    for axes, place in zip(figure.axes, WHERE, strict=True):
        large = [float(line.get_xdata()[0]) for line in axes.lines if line.get_markersize() == 8]
        np.testing.assert_allclose(large, [mean(metrics, "auc", *place, arm) for arm in ARMS])


def test_every_external_set_is_a_panel_of_the_differences() -> None:
    differences = pd.DataFrame(
        [
            {"split": split, "domain": domain, "difference": 0.1 * i, "ci_low": 0.1 * i - 0.05}
            | {"ci_high": 0.1 * i + 0.05, "n": 7}
            for i, (split, domain) in enumerate(WHERE)
        ]
    ).assign(method="label", metric="auc", label="", attribute="")
    figure = differences_figure(differences, STYLES, "auc", "", WHERE)
    drawn = [axes.containers[0][0].get_xdata()[0] for axes in figure.axes]
    np.testing.assert_allclose(drawn, [0, 0.1, 0.2, 0.3])
