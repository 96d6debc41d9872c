import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medaug.report.data_figures import (
    MOST_DOMAINS,
    age_figure,
    cooccurrence,
    cooccurrence_figure,
    domain_order,
    label_distribution_figure,
    label_shares,
    largest_domains,
)

NAN = float("nan")


def test_cooccurrence_by_hand():
    labels = np.array([[1, 1, 0], [1, 0, 0], [1, NAN, 0], [0, 1, 0], [0.4, 0.5, NAN]])
    shares, counts = cooccurrence(labels)
    assert counts.tolist() == [3, 3, 0]
    np.testing.assert_array_equal(shares, [[1, 1 / 2, 0], [1 / 3, 1, 0], [NAN, NAN, NAN]])


@given(arrays(float, st.tuples(st.integers(1, 15), st.integers(1, 4)), elements=st.sampled_from([0, 1, NAN])))
def test_cooccurrence_equals_masks(labels):
    shares, _ = cooccurrence(labels)
    for (row, column), share in np.ndenumerate(shares):
        known = [b for a, b in labels[:, [row, column]] if a == 1 and not np.isnan(b)]
        assert np.isnan(share) if not known else share == pytest.approx(sum(known) / len(known), abs=1e-15)


def test_label_shares_by_hand():
    shares = label_shares(np.array([[1, 0.25], [0, NAN], [0, NAN], [NAN, NAN]]))
    np.testing.assert_allclose(shares, [[0.25, 0.5, 0.25], [0.0625, 0.1875, 0.75]])


def table(domains):
    rows = len(domains)
    content = {"domain": domains, "split": "id_test", "label:a": [1.0] * rows, "attr:age": [50.0] * rows}
    return pd.DataFrame(content)


def test_only_the_largest_domains_are_drawn():
    many = table([f"d{i}" for i in range(9) for _ in range(i + 1)])
    assert largest_domains(many) == [f"d{i}" for i in range(9 - MOST_DOMAINS, 9)]


def test_domains_in_distribution_come_first():
    mixed = table(["x", "y"]).assign(split=["ood_test", "train"])
    assert domain_order(mixed) == ["y", "x"]


def test_age_bars_are_shares_of_known_ages():
    ages = table(["x"] * 4).assign(**{"attr:age": [5, 15, 15, NAN]})
    bars = age_figure(ages).axes[0].patches
    heights = [bar.get_height() for bar in bars]
    assert heights[:3] == pytest.approx([1 / 3, 2 / 3, 0])
    assert sum(heights) == pytest.approx(1)


def test_heat_map_says_the_shares_and_n():
    labels = table(["x"] * 4).assign(**{"label:a": [1, 1, 1, 0], "label:b": [1, 0, 0, 1]})
    axes = cooccurrence_figure(labels).axes[0]
    assert [t.get_text() for t in axes.texts] == ["1.00", "0.33", "0.50", "1.00"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a (n = 3)", "b (n = 2)"]


def test_label_bars_reach_one():
    axes = label_distribution_figure(table(["x"] * 3).assign(**{"label:a": [1, 0, NAN]})).axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([1 / 3] * 3)
