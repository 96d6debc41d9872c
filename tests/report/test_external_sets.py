"""Several external data sets: the report shows all of them together, and each by itself."""

from __future__ import annotations

import base64

import pandas as pd
import pytest

from medaug.evaluation.posterior import central_estimate
from medaug.evaluation.results import Results, evaluate
from medaug.evaluation.settings import EvaluationSettings
from medaug.report import sections
from medaug.report.answer import answer_sentences
from medaug.report.parts import Folded
from medaug.report.performance_figures import gap_figure, group_figure, label_figure
from medaug.report.performance_tables import group_table, rates_table
from medaug.report.posterior_tables import difference_table, spread_table
from medaug.report.sections import curves_section, improvement_section
from medaug.report.style import method_styles
from medaug.report.tidy import tidied

METHODS = ["baseline", "label"]
STYLES = method_styles(METHODS)
SPLITS = ["id_test", "ood_test"]


@pytest.fixture(scope="module")
def results(two_sets: pd.DataFrame) -> Results:
    settings = {"metrics": ["auc"], "replicates": 20, "permutations": 20, "min_group_size": 2}
    return evaluate(two_sets, baseline="baseline", attributes=["sex"], **settings)


def one(table: pd.DataFrame, **keys: str) -> pd.Series:
    for key, value in keys.items():
        table = table[table[key] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_each_set_is_a_panel_with_its_own_values(results: Results) -> None:
    table, metrics = tidied(results.metrics), results.metrics
    panels = [axes for axes in gap_figure(table, STYLES, "auc", "sex", SPLITS).axes if axes.containers]
    assert len(panels) == 4
    rows = metrics[(metrics["label"] == "") & (metrics["split"] == "ood_test")]
    for axes, domain in zip(panels[1:], ("all", "far", "near"), strict=True):
        value = one(rows, domain=domain, metric="auc", attribute="", method="label")
        gap = one(rows, domain=domain, metric="auc_gap", attribute="sex", method="label")
        (drawn,) = [c for c in axes.containers if c.get_label() == "label"]
        assert drawn[0].get_xydata()[0].tolist() == pytest.approx([gap["value"], value["value"]])
        assert axes.get_title("left") == f"Out of distribution, test\n{domain} (n = {value['n']})"


@pytest.mark.parametrize("draw", [label_figure, lambda *a: group_figure(*a[:3], "sex", a[3])])
def test_conditions_and_groups_have_the_same_panels(results: Results, draw) -> None:
    figure = draw(tidied(results.metrics), STYLES, "auc", SPLITS)
    titles = [axes.get_title("left").split("\n")[1].split(" (")[0] for axes in figure.axes]
    assert titles == ["home", "all", "far", "near"]
    assert all(axes.xaxis.get_tick_params()["labelbottom"] for axes in figure.axes)


def test_the_first_screen_says_all_sets_together_and_each_in_a_line(results: Results) -> None:
    changes = results.comparison.rename(columns={"difference": "value"}).assign(estimable=True)
    said = answer_sentences(tidied(results.metrics), tidied(changes), METHODS, "auc")
    assert [line.split(",")[0] for line in said[1:]] == [
        "Mean AUC",
        "By external set (exploratory)",
        "The AUC gap between groups of sex",
        "By external set (exploratory)",
    ]
    for line, metric, attribute in ((said[2], "auc", ""), (said[4], "auc_gap", "sex")):
        clauses = line.split("compared with baseline: ")[1].removesuffix(".").split("; ")
        assert [clause.split(",")[0] for clause in clauses] == ["on far", "on near"]
        for clause, domain in zip(clauses, ("far", "near"), strict=True):
            keys = {"metric": metric, "attribute": attribute, "label": "", "split": "ood_test"}
            row = one(results.comparison, domain=domain, **keys)
            assert f"{row['difference']:+.3f}".replace("-", "−") in clause


def test_one_method_has_a_line_of_values(results: Results) -> None:
    table = tidied(results.metrics)
    said = answer_sentences(table[table["method"] == "label"], None, ["label"], "auc")
    row = one(table, method="label", metric="auc", label="", attribute="", domain="far")
    assert said[1].startswith(f"By external set (exploratory), mean AUC is {row['value']:.3f} [")
    assert " on far and " in said[1]


def test_the_tables_of_groups_have_the_numbers_of_the_panels(results: Results) -> None:
    rows = group_table(tidied(results.metrics), METHODS, "auc", "sex").rows
    outside = [r for r in rows if r[0].text.startswith("out of") and r[1].text.startswith("gap")]
    keys = {"method": "label", "split": "ood_test", "metric": "auc_gap", "attribute": "sex", "label": ""}
    for row, domain in zip(outside, ("all", "far", "near"), strict=True):
        assert row[0].note == domain
        assert row[-1].text == f"{one(results.metrics, domain=domain, **keys)['value']:.3f}"


def test_each_set_has_its_improvement_over_the_baseline(results: Results) -> None:
    section = improvement_section(results.improvement, tidied(results.metrics), "auc")
    assert section is not None
    (table,) = section.parts
    rows = [row for row in table.rows if row[1].text == "AUC" and row[0].text.startswith("out of")]
    assert [row[0].note for row in rows] == ["all", "far", "near"]
    keys = {"split": "ood_test", "metric": "auc", "label": "", "attribute": ""}
    for row in rows:
        both = {m: one(results.metrics, domain=row[0].note, method=m, **keys)["value"] for m in METHODS}
        assert row[-1].text == f"{both['label'] - both['baseline']:+.3f}".replace("-", "−")


def test_one_external_set_is_not_told_twice(predictions: pd.DataFrame) -> None:
    alone = evaluate(predictions, baseline="baseline", metrics=["auc"], replicates=0, permutations=0)
    said = answer_sentences(tidied(alone.metrics), None, METHODS, "auc")
    assert len(said) == 3
    assert len(label_figure(tidied(alone.metrics), STYLES, "auc", SPLITS).axes) == 2


def test_where_there_would_be_very_many_curves_sets_are_drawn_together(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "MOST_CURVES_BY_SET", 1)
    section = curves_section(results.predictions, STYLES, (), tidied(results.metrics))
    assert not any(isinstance(part, Folded) for part in section.parts)
    assert "drawn together" in section.text[0]


def test_each_set_has_its_curves_behind_a_switch(results: Results) -> None:
    section = curves_section(results.predictions, STYLES, (), tidied(results.metrics))
    folded = [part for part in section.parts if isinstance(part, Folded)]
    assert [part.summary for part in folded] == [
        "The curves of far by itself (out of distribution, test)",
        "The curves of near by itself (out of distribution, test)",
    ]
    for part, domain in zip(folded, ("far", "near"), strict=True):
        own = results.predictions[results.predictions["domain"] == domain]
        first = own[own["method"] == "baseline"]["label:edema"].dropna()
        drawing = base64.b64decode(part.folded[0].uri.split(",")[1]).decode()
        assert f"OOD {int(first.sum())} of {len(first)}" in drawing
        assert [picture.alt for picture in part.folded] == [
            f"{what} of each condition, {domain}." for what in ("ROC curves", "Net benefit", "Calibration")
        ]


def test_groups_beside_all_others_are_told_for_each_set(two_sets: pd.DataFrame) -> None:
    one_class = two_sets.drop(columns=["score:effusion", "label:effusion"])
    settings = EvaluationSettings(min_group_size=2, attributes=["sex"])
    posterior = central_estimate(one_class, settings)
    assert posterior is not None
    for rows in (difference_table(posterior, METHODS, "sex").rows, spread_table(posterior, METHODS).rows):
        assert list(dict.fromkeys(row[0].note for row in rows)) == ["home", "all", "far", "near"]
    far = [row for row in difference_table(posterior, ["label"], "sex").rows if row[0].note == "far"]
    truth = one_class[(one_class["domain"] == "far") & (one_class["method"] == "label")]
    truth = truth[truth["label:edema"].notna()]
    right = (truth["score:edema"] >= 0.5) == (truth["label:edema"] >= 0.5)
    for row in far:
        of_group = right[truth["attr:sex"] == row[1].text]
        assert row[3].note == f"{of_group.sum()} / {len(of_group)}"


def test_decisions_by_group_are_told_for_each_set(two_sets: pd.DataFrame) -> None:
    rates = evaluate(two_sets, metrics=["sensitivity"], attributes=["sex"], replicates=0, min_group_size=2)
    shown = rates_table(tidied(rates.metrics), ["label"], "sex")
    assert shown is not None
    keys = {"method": "label", "metric": "sensitivity_gap", "attribute": "sex", "label": ""}
    gaps = {row[0].note: row[2].text for row in shown.rows if row[1].text == "Sensitivity gap"}
    assert list(gaps) == ["home", "all", "far", "near"]
    assert gaps == {d: f"{one(rates.metrics, domain=d, **keys)['value']:.3f}" for d in gaps}
