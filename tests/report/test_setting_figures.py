import numpy as np
import pandas as pd

from medaug.analysis.against import against_settings
from medaug.report.setting_figures import budget_figure, sampling_figure, settings_table
from medaug.report.style import method_styles

STYLES = method_styles(["real", "label"])
MEASURES = [("accuracy", ""), ("accuracy_gap", "sex")]


def metrics(**settings: list[float]) -> pd.DataFrame:
    """Two seeds, two splits; the value of a run is 0.5 + 0.1 for each value of its settings + 0.02 a seed."""
    grid = pd.MultiIndex.from_product(
        [["real", "label"], [0, 1], ["id_test", "ood_test"], MEASURES, *settings.values()],
        names=["method", "seed", "split", "measure", *settings],
    ).to_frame(index=False)
    measures = pd.DataFrame(grid["measure"].tolist(), columns=["metric", "attribute"])
    value = 0.5 + 0.1 * sum(grid[name].astype(float) for name in settings) + 0.02 * grid["seed"]
    table = pd.concat([grid.drop(columns="measure"), measures], axis=1)
    return table.assign(domain="A", label="", group="", estimable=True, value=value)


def test_a_curve_a_method_over_label_budgets() -> None:
    table = against_settings(metrics(label_budget=[1, 2, 4]), ["label_budget"])
    figure = budget_figure(table, STYLES, MEASURES)
    assert figure is not None
    panels = figure.axes
    assert [axes.get_ylabel() for axes in panels] == ["Accuracy", "Accuracy", *["Accuracy gap, sex"] * 2]
    x, y = np.asarray(panels[0].lines[0].get_data(), float)
    np.testing.assert_allclose(x, [1, 2, 4])
    np.testing.assert_allclose(y, [0.61, 0.71, 0.91])
    assert panels[0].get_xscale() == "log"
    assert budget_figure(table[table["label_budget"] == 1], STYLES, MEASURES) is None


def test_sampling_schemes_have_a_line_with_and_without_the_filter() -> None:
    table = against_settings(
        metrics(equality_level=[0, 0.5, 1], filtered=[False, True]), ["equality_level", "filtered"]
    )
    figure = sampling_figure(table, "label", MEASURES)
    assert figure is not None
    uniform, filtered = figure.axes[0].containers
    assert (uniform.get_label(), filtered.get_label()) == ("uniform", "filtered")
    np.testing.assert_allclose(np.asarray(uniform.lines[0].get_ydata(), float), [0.51, 0.56, 0.61])
    np.testing.assert_allclose(np.asarray(filtered.lines[0].get_ydata(), float), [0.61, 0.66, 0.71])
    assert sampling_figure(table[table["equality_level"] == 1], "label", MEASURES) is None


def test_the_numbers_stand_in_a_table() -> None:
    table = settings_table(
        against_settings(metrics(label_budget=[1, 2]), ["label_budget"]), ["label_budget"], MEASURES
    )
    assert list(table.head) == ["Where", "Method", "Label budget", "Accuracy", "Accuracy gap, sex"]
    assert [cell.text for cell in table.rows[0]][2:] == ["1", "0.610", "0.610"]
    assert table.rows[0][3].note == f"± {np.std([0, 0.02], ddof=1):.3f}, 2 seeds"
    assert len(table.rows) == 8


def test_each_hospital_has_rows_of_its_own_in_the_table_all_together_first() -> None:
    far = metrics(label_budget=[1, 2])
    far = far[far["split"] == "ood_test"]
    parts = [
        far.assign(domain=d, value=far["value"] + v) for d, v in (("far", 0.1), ("near", 0), ("all", 0.3))
    ]
    table = settings_table(against_settings(pd.concat(parts), ["label_budget"]), ["label_budget"], MEASURES)
    first = [row for row in table.rows if (row[1].text, row[2].text) == ("real", "1")]
    assert [(row[0].note, row[3].text) for row in first] == [
        ("all", "0.910"),
        ("far", "0.710"),
        ("near", "0.610"),
    ]
