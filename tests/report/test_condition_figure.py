import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from medaug.report.condition_figure import condition_counts, condition_figure
from medaug.report.style import PALETTE

NAN = float("nan")
TABLE = pd.DataFrame(
    {
        "domain": ["away", "home", "home", "home", "home", "away", "away"],
        "split": ["ood_test", "train", "train", "id_test", "train", "ood_test", "ood_test"],
        "label:acne": [0.6, 0.3, 0.0, 0.1, NAN, 0.0, 1.0],
        "label:melanoma": [0.4, 0.4, 0.0, 0.1, NAN, 1.0, 0.0],
        "label:other": [0.0, 0.3, 1.0, 0.8, NAN, 0.0, 0.0],
    }
)


def test_counts_are_of_the_most_weighted_class_in_the_order_of_the_training_domain():
    counts = condition_counts(TABLE)
    assert list(counts) == ["other", "melanoma", "acne"]
    assert counts.to_dict("index") == {
        "home": {"other": 2, "melanoma": 1, "acne": 0},
        "away": {"other": 0, "melanoma": 1, "acne": 2},
    }


def test_bars_are_shares_and_high_risk_conditions_stand_out():
    figure = condition_figure(TABLE, ["melanoma"])
    home, away = figure.axes
    assert [t.get_text() for t in home.get_yticklabels()] == ["other", "melanoma", "acne"]
    assert home.get_title(loc="left") == "home (n = 3)"
    for axes, shares in ((home, [2 / 3, 1 / 3, 0]), (away, [0, 1 / 3, 2 / 3])):
        bars = sorted(axes.patches, key=lambda bar: bar.get_y())
        assert [bar.get_width() for bar in bars] == pytest.approx(shares)
        assert [to_hex(bar.get_facecolor()).upper() for bar in bars] == [PALETTE[0], PALETTE[1], PALETTE[0]]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["condition", "high-risk condition"]


def test_a_domain_without_labels_is_empty_and_not_missing():
    unknown = TABLE.assign(**{"label:acne": np.where(TABLE["domain"] == "away", NAN, TABLE["label:acne"])})
    figure = condition_figure(unknown)
    assert figure.axes[1].get_title(loc="left") == "away (n = 0)"
    assert [bar.get_width() for bar in figure.axes[1].patches] == [0, 0, 0]
    assert not figure.legends
