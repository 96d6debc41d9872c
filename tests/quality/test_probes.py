from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medaug.quality.probes import Probe, agreement, aucs


def test_a_probe_learns_what_is_known_and_says_nothing_of_what_it_never_saw() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 6)).astype(np.float32)
    targets = np.stack([features[:, 0] > 0, np.ones(200)], axis=1).astype(float)
    targets[:50, 0] = np.nan
    scores = Probe(features, targets).probabilities(features)
    assert np.isnan(scores[:, 1]).all()
    found = aucs(targets, scores, np.ones((200, 3)))
    assert found[0].value == pytest.approx(roc_auc_score(targets[50:, 0], scores[50:, 0]))
    assert found[0].value > 0.95
    assert (found[0].n, len(found[0].values)) == (150, 3)
    assert np.isnan(found[1].value)


def test_agreement_is_the_probability_of_what_was_asked_for() -> None:
    present = np.array([[1.0, 0], [np.nan, 1], [np.nan, np.nan]])
    scores = np.array([[0.9, 0.2], [0.5, 0.3], [0.5, 0.5]])
    np.testing.assert_allclose(agreement(present, scores, exclusive=False), [0.85, 0.3, np.nan])
    np.testing.assert_allclose(agreement(present[:1], scores[:1], exclusive=True), [0.9 / 1.1])
