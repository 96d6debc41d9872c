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
    found = aucs(targets, scores, np.ones((200, 3)), np.zeros(200, int))
    assert found[0].value == pytest.approx(roc_auc_score(targets[50:, 0], scores[50:, 0]))
    assert found[0].value > 0.95
    assert (found[0].n, len(found[0].values)) == (150, 3)
    assert np.isnan(found[1].value)


def test_images_are_compared_with_others_of_their_stratum_only() -> None:
    """A score that tells the group, and nothing within it, tells nothing, however the target goes with it."""
    random = np.random.default_rng(1)
    strata = random.integers(0, 2, 400)
    target = (random.random(400) < np.where(strata == 1, 0.8, 0.1)).astype(float)[:, None]
    hint = random.normal(size=(400, 1))
    of_group, weights = strata[:, None] * 9 + hint, np.ones((400, 1))
    assert aucs(target, of_group, weights, np.zeros(400, int))[0].value > 0.8
    pairs = [(target[strata == s, 0], hint[strata == s, 0]) for s in (0, 1)]
    counts = [(t == 1).sum() * (t == 0).sum() for t, _ in pairs]
    within = np.average([roc_auc_score(t, s) for t, s in pairs], weights=counts)
    assert aucs(target, of_group, weights, strata)[0].value == pytest.approx(within)


def test_agreement_is_the_probability_of_what_was_asked_for() -> None:
    present = np.array([[1.0, 0], [np.nan, 1], [np.nan, np.nan]])
    scores = np.array([[0.9, 0.2], [0.5, 0.3], [0.5, 0.5]])
    np.testing.assert_allclose(agreement(present, scores, exclusive=False), [0.85, 0.3, np.nan])
    np.testing.assert_allclose(agreement(present[:1], scores[:1], exclusive=True), [0.9 / 1.1])
