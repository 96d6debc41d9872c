import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import auc, roc_auc_score

from medaug.report.curve_figures import (
    MOST_POINTS,
    calibration_figure,
    decision_figure,
    reliability,
    roc_figure,
)
from medaug.report.style import INK


def test_area_under_the_drawn_curve_is_the_auc():
    generator = np.random.default_rng(0)
    label = (generator.random(400) < 0.3).astype(float)
    score = np.round(0.3 * label + generator.random(400), 2)
    label[:20] = np.nan
    figure = roc_figure(pd.DataFrame({"score:a": score, "label:a": label}))
    x, y = figure.axes[0].lines[1].get_data()
    assert auc(x, y) == pytest.approx(roc_auc_score(label[20:], score[20:]), abs=1e-9)


def test_curves_stay_small_and_close():
    generator = np.random.default_rng(1)
    label = (generator.random(20_000) < 0.3).astype(float)
    score = label + generator.normal(size=20_000)
    x, y = roc_figure(pd.DataFrame({"score:a": score, "label:a": label})).axes[0].lines[1].get_data()
    assert len(x) <= MOST_POINTS
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert auc(x, y) == pytest.approx(roc_auc_score(label, score), abs=2e-3)


def test_a_class_without_positives_is_said_to_be_not_estimable():
    figure = roc_figure(pd.DataFrame({"score:a": [0.1, 0.2], "label:a": [0, 0]}))
    assert [text.get_text() for text in figure.axes[0].texts] == ["not estimable"]


def test_methods_have_colours_and_splits_have_dashes():
    one = pd.DataFrame({"score:a": [0.1, 0.9], "label:a": [0, 1], "score:b": [0.1, 0.9], "label:b": [1, 0]})
    runs = [one.assign(method=m, split=s) for m in ("base", "new") for s in ("id_test", "ood_test")]
    figure = roc_figure(pd.concat(runs))
    assert len(figure.axes) == 2
    lines = figure.axes[0].lines[1:]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
    colours = [line.get_color() for line in lines]
    assert colours[:2] == [INK, INK]
    assert colours[2] == colours[3] != INK
    assert figure.axes[0].get_title(loc="left") == "a\nID 1 of 2, OOD 1 of 2"


def test_reliability_equals_scikit_learn():
    generator = np.random.default_rng(2)
    score = generator.permutation(1000) / 1000
    truth = generator.random(1000) < score
    share, mean = calibration_curve(truth, score, n_bins=10, strategy="quantile")
    ours = reliability(truth, score)
    np.testing.assert_allclose(ours, [mean, share])


def test_calibration_of_few_images_draws_what_there_is():
    figure = calibration_figure(pd.DataFrame({"score:a": [0.1, 0.9], "label:a": [0, 1]}))
    assert figure.axes[0].lines[1].get_xydata().tolist() == [[0.1, 0.0], [0.9, 1.0]]


def test_nothing_is_drawn_in_the_empty_place_of_the_last_row():
    classes = {f"{kind}:{name}": [0.0, 1.0] for kind in ("score", "label") for name in "abcd"}
    figure = decision_figure(pd.DataFrame(classes))
    assert [len(axes.lines) > 0 for axes in figure.axes] == [True] * 4 + [False] * 2
