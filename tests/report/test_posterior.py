import numpy as np
import pandas as pd
import pytest

from medaug.evaluation.improvement import improvement_over_baseline
from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.posterior import group_posteriors, spread_metrics
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.improvement import improvement_table
from medaug.report.posterior import difference_table, posterior_figure, posterior_parts, spread_table
from medaug.report.style import method_styles
from medaug.report.words import number, signed

METHODS = ["baseline", "label"]
SETTINGS = EvaluationSettings(replicates=0, metrics=["top3_accuracy"])


@pytest.fixture(scope="module")
def predictions():
    generator, runs = np.random.default_rng(0), []
    for method, seeds in (("baseline", (0, 1)), ("label", (0, 1))):
        for seed in seeds:
            run = pd.DataFrame({"image_id": [f"i{n}" for n in range(80)], "attr:sex": ["F", "M"] * 40})
            run.loc[0, "attr:sex"] = "X"
            labels, scores = generator.dirichlet(np.ones(5), 80), generator.dirichlet(np.ones(5), 80)
            for i, name in enumerate("abcde"):
                run[f"label:{name}"], run[f"score:{name}"] = labels[:, i], scores[:, i]
            runs.append(run.assign(method=method, seed=seed))
    return pd.concat(runs, ignore_index=True)


@pytest.fixture(scope="module")
def posterior(predictions):
    return group_posteriors(predictions, SETTINGS, draws=2000)


def test_the_intermediate_table_says_counts_and_differences(posterior):
    table = difference_table(posterior, METHODS, "sex")
    assert [[cell.text for cell in row[1:3]] for row in table.rows] == [
        [group, method] for method in METHODS for group in ("F", "M", "X")
    ]
    for row in table.rows:
        group, method = row[1].text, row[2].text
        runs = posterior[(posterior["group"] == group) & (posterior["method"] == method)]
        right, n = runs["right"].mean(), runs["n"].max()
        assert row[3].text == number(right / n)
        assert row[3].note == f"{right:,.4g} / {n}"
        if group == "X":
            assert (row[5].text, row[5].kind) == ("not estimable", "quiet")
            assert "fewer than 2" in row[5].remark
        else:
            assert row[5].text == signed(runs["map_difference"].mean())


def test_the_figure_has_every_difference_on_a_line_of_zero(posterior):
    axes = posterior_figure(posterior, method_styles(METHODS), "sex").axes[0]
    found = {c.get_label(): c[0].get_xdata()[0] for c in axes.containers[:2]}
    women = posterior[posterior["group"] == "F"].groupby("method")["map_difference"].mean()
    assert found == pytest.approx(women.to_dict())
    assert any(list(line.get_xdata()) == [0, 0] for line in axes.lines)
    assert [t.get_text() for t in axes.get_yticklabels()] == ["F", "M", "X"]


def test_the_spread_is_the_mean_over_seeds_and_says_who_is_left_out(posterior):
    (row,) = spread_table(posterior, METHODS).rows
    spreads = spread_metrics(posterior).groupby("method")["value"].mean()
    assert [cell.text for cell in row[2:]] == [number(spreads[method]) for method in METHODS]
    assert row[2].remark == "without X"


def test_all_parts_come_in_order(posterior):
    kinds = [type(part).__name__ for part in posterior_parts(posterior, method_styles(METHODS))]
    assert kinds == ["Picture", "Table", "Table"]


def test_the_improvement_table_shows_accuracy_and_fairness(predictions, posterior):
    metrics = pd.concat([compute_metrics(predictions, SETTINGS), spread_metrics(posterior)])
    found = improvement_over_baseline(metrics, "baseline")
    shown = [("top3_accuracy", ""), ("top3_accuracy_spread", "sex"), ("auc", "")]
    table = improvement_table(found, shown)
    assert list(table.head) == ["Where", "Metric", "baseline (baseline)", "label"]
    assert [row[1].note for row in table.rows] == ["more is better", "less is better"]
    runs = metrics[(metrics["metric"] == "top3_accuracy") & (metrics["attribute"] == "")]
    values = runs.groupby("method")["value"]
    assert table.rows[0][2].text == number(values.mean()["baseline"])
    assert table.rows[0][3].text == signed(values.mean()["label"] - values.mean()["baseline"])
    assert table.rows[0][3].note == f"± {number(values.std()['label'])}, 2 seeds"
