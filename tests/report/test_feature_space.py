import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from medaug.analysis.looks import Looks
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.feature_space import (
    component_figure,
    component_table,
    distance_figure,
    distance_table,
    feature_section,
)
from medaug.report.style import method_styles

STYLES = method_styles(["baseline", "label"])


def features(scale: float, seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        name: scale * draw.normal(shift, 1, (60, 6))
        for shift, name in enumerate(["train", "ood_test", "synthetic"])
    }


@pytest.fixture(scope="module")
def looks() -> Looks:
    predictions = pd.DataFrame({"score:a": [0.9, 0.1], "label:a": [1, 0]})
    seen = {(m, s): features(k, s) for m, k in (("baseline", 1.0), ("label", 0.8)) for s in range(3)}
    return Looks.at(predictions, seen, EvaluationSettings())


def test_the_table_is_that_of_the_paper(looks: Looks) -> None:
    table = distance_table(looks.distances, STYLES)
    assert list(table.head) == ["Between", "baseline", "label"]
    assert [row[0].text for row in table.rows] == [
        "training – test, out of distribution",
        "training – generated",
        "test, out of distribution – generated",
    ]
    rows = looks.distances[looks.distances["reading"] == "unbiased"]
    rows = rows[(rows["first"] == "train") & (rows["second"] == "ood_test")]
    values = {method: of["value"] for method, of in rows.groupby("method")}
    cells = table.rows[0]
    for cell, method in zip(cells[1:], STYLES, strict=True):
        assert cell.text == f"{values[method].mean():.4f} ± {values[method].std():.4f}"
    p = mannwhitneyu(values["label"], values["baseline"]).pvalue
    assert cells[2].note.endswith("p < 0.001" if p < 0.001 else f"p = {p:.3f}")
    assert cells[2].remark.startswith("between trainings p ")
    assert cells[1].note == cells[1].remark == ""


def test_components_have_a_column_a_share(looks: Looks) -> None:
    table = component_table(looks.components, STYLES)
    assert list(table.head) == ["Images", "Method", "0.60", "0.70", "0.80", "0.90", "0.95"]
    assert [row[1].text for row in table.rows] == ["baseline", "label"] * 3
    rows = looks.components
    mean = rows[(rows["images"] == "train") & (rows["method"] == "label") & (rows["share"] == 0.6)]
    assert table.rows[1][2].text == f"{mean['components'].mean():.4g}"


def test_figures_have_a_mark_for_each_method(looks: Looks) -> None:
    (axes,) = distance_figure(looks.distances, STYLES).axes
    assert len(axes.containers) == 2
    assert [label.get_text() for label in axes.get_yticklabels()][1] == "training – generated"
    panels = component_figure(looks.components, STYLES).axes[:3]
    assert [axes.get_title("left") for axes in panels] == [
        "training",
        "test, out of distribution",
        "generated",
    ]


def test_the_section_says_what_p_is_about_and_is_absent_without_features(looks: Looks) -> None:
    section = feature_section(looks.distances, looks.components, STYLES)
    assert section is not None
    assert "30 subsets of 30 images (the paper: 30 of 300)" in section.text[1]
    assert "not that the methods do" in section.text[1]
    none = Looks.at(pd.DataFrame({"score:a": [0.9], "label:a": [1]}), {}, EvaluationSettings())
    assert feature_section(none.distances, none.components, STYLES) is None


def test_all_components_are_within_their_panel(looks: Looks) -> None:
    more = looks.components.assign(
        components=looks.components["components"] * (1 + 9 * (looks.components["images"] == "synthetic"))
    )
    for axes in component_figure(more, STYLES).axes[:3]:
        low, high = axes.get_ylim()
        assert low == 0
        assert high >= more["components"].max()


def test_a_multiple_of_a_distance_that_may_be_nothing_is_not_told(looks: Looks) -> None:
    near = looks.distances.assign(value=looks.distances["value"] - looks.distances["value"].mean() * 5)
    notes = [row[2].note for row in distance_table(near, STYLES).rows]
    assert all(note.startswith("p ") for note in notes)


def test_external_sets_have_their_own_names_and_a_missing_test_is_told() -> None:
    draw, names = np.random.default_rng(0), ["train", "id_val", "ood_test", "ood_test: $clinic"]
    seen = {(m, 0): {name: draw.normal(size=(50, 4)) for name in names} for m in STYLES}
    predictions = pd.DataFrame({"score:a": [0.9, 0.1], "label:a": [1, 0]})
    looks = Looks.at(predictions, seen, EvaluationSettings())
    section = feature_section(looks.distances, looks.components, STYLES)
    assert section is not None
    assert "under its own name" in section.text[1]
    pairs = [row[0].text for row in distance_table(looks.distances, STYLES).rows]
    assert pairs == [
        "training – validation, in distribution",
        "training – test, out of distribution",
        "training – $clinic",
        "validation, in distribution – test, out of distribution",
        "validation, in distribution – $clinic",
    ]
    titles = [axes.get_title("left") for axes in component_figure(looks.components, STYLES).axes]
    assert titles == ["training", "validation, in distribution", "test, out of distribution", r"\$clinic"]
