import pytest

from medaug.evaluation.posterior import group_posteriors, spread_metrics
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.posterior_tables import difference_table, posterior_figure, posterior_parts, spread_table
from medaug.report.style import method_styles
from medaug.report.words import number, signed

METHODS = ["baseline", "label"]
SETTINGS = EvaluationSettings(replicates=0, metrics=["top3_accuracy"])


@pytest.fixture(scope="module")
def posterior(soft_predictions):
    return group_posteriors(soft_predictions, SETTINGS, draws=2000)


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
            assert "fewer than 10" in row[5].remark
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
