import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from medaug.evaluation.decision_curve import net_benefit


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=40), st.integers(1, 9))
def test_it_weighs_false_alarms_by_the_odds_of_the_threshold(rows, tenths) -> None:
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    cut = tenths / 10
    _, alarms, _, found = confusion_matrix(truth, score / 10 >= cut, labels=[False, True]).ravel()
    expected = found / len(truth) - alarms / len(truth) * cut / (1 - cut)
    assert net_benefit(truth, score / 10, [cut]) == pytest.approx([expected])


def test_calling_all_positive_is_worth_the_prevalence_at_first() -> None:
    truth = [1, 0, 0, 0]
    assert net_benefit(truth, np.ones(4), [1e-9]) == pytest.approx([0.25])
    assert net_benefit(truth, np.ones(4), [0.25]) == pytest.approx([0.0])
    assert net_benefit(truth, np.zeros(4), [0.25]) == pytest.approx([0.0])
