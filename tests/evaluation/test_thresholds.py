import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from medaug.errors import DataError
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.thresholds import decide, youden_threshold


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=2, max_size=40))
def test_youden_is_the_best_point_of_the_roc_curve(rows: list[tuple[bool, int]]) -> None:
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    score = score / 10
    if truth.all() or not truth.any():
        assert np.isnan(youden_threshold(truth, score))
        return
    alarms, found, _ = roc_curve(truth, score, drop_intermediate=False)
    decision = score >= youden_threshold(truth, score)
    assert decision[truth].mean() - decision[~truth].mean() == pytest.approx((found - alarms)[1:].max())


def table(**columns: list[float]) -> pd.DataFrame:
    content = {
        "split": ["id_val"] * 4 + ["id_test"] * 2,
        "score:a": [0.1, 0.2, 0.3, 0.4, 0.25, 0.35],
        "label:a": [0, 0, 1, 1, 0, 1],
    }
    return check_predictions(pd.DataFrame(content | columns))


def decisions(predictions: pd.DataFrame, threshold: float | str) -> dict[float, float]:
    return dict(zip(predictions["score:a"], decide(predictions, "a", threshold), strict=True))


def test_fixed_threshold_includes_its_own_value() -> None:
    found = decisions(table(), "0.25")
    assert found == {0.1: 0, 0.2: 0, 0.25: 1, 0.3: 1, 0.35: 1, 0.4: 1}


def test_threshold_chosen_on_id_val_for_each_method() -> None:
    other = table().assign(method="other", **{"score:a": table()["score:a"] + 0.5})
    both = check_predictions(pd.concat([table(), other]))
    found = decisions(both, "id_val")
    assert found == {s + o: float(s >= 0.3) for o in (0, 0.5) for s in (0.1, 0.2, 0.25, 0.3, 0.35, 0.4)}


def test_columns_of_decisions_win() -> None:
    given_by_user = table(**{"decision:a": [1, 0, 1, 0, 1, 0]})
    assert decide(given_by_user, "a", "id_val").tolist() == given_by_user["decision:a"].tolist()


def test_no_threshold_without_both_classes_and_an_error_without_the_split() -> None:
    assert np.isnan(decide(table(**{"label:a": [0, 0, 0, 0, 0, 1]}), "a", "id_val")).all()
    without = table().query("split == 'id_test'")
    with pytest.raises(DataError, match="needs predictions of the split id_val"):
        decide(without, "a", "id_val")
