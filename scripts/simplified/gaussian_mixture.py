"""Appendix D.3: a generative model of unlabelled points helps a classifier of few labelled ones.

Each component of a Gaussian mixture is a class. A mixture fitted to unlabelled points is given the classes of
the labelled points that fall to its components, each component another class, with as few errors as possible
(an assignment problem). Points drawn from it then join the labelled ones to train a classifier.

Readings. Classes are equally frequent. "A full covariance [matrix] under a normal distribution with a scale
of 0.1" is A Aᵀ with entries of A from N(0, 0.1²). The classifier is not named; it is a logistic regression
here, since it trains fast and has nothing to tune.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from medaug.arrays import Array, IntArray
from medaug.randomness import derive_seed, numpy_generator

UNLABELLED, HELD_OUT = 10_000, 5_000
LABELLED, GENERATED = (20, 50, 100, 200, 500), (0, 10, 100, 1000)
CASES = {
    (5, 2): "room to gain",
    (10, 5): "room to gain",
    (10, 10): "room to gain",
    (2, 10): "nearly perfect without",
    (10, 1): "classes overlap",
}
"""Components and dimensions, and what they show; the paper does not say its own."""

FIT_SIZES = (20, 100, 500, 5000)
WORLDS = 10
GAIN_COLUMNS = (
    *("components", "dimensions", "what", "labelled", "generated", "accuracy"),
    *("gain", "ci_low", "ci_high", "worlds"),
)


@dataclass(frozen=True)
class World:
    """A mixture of equally frequent Gaussians: ``means`` (K, D) and ``factors`` A (K, D, D) of A Aᵀ."""

    means: Array
    factors: Array

    @classmethod
    def random(cls, components: int, dimensions: int, generator: np.random.Generator) -> World:
        """Draw means from [0, 1] and factors from N(0, 0.1²)."""
        means = generator.uniform(0, 1, (components, dimensions))
        return cls(means, generator.normal(0, 0.1, (components, dimensions, dimensions)))

    def draw(self, points: int, generator: np.random.Generator) -> tuple[Array, IntArray]:
        """Return points (N, D) and their classes (N,)."""
        classes = generator.integers(len(self.means), size=points)
        noise = generator.normal(size=(points, self.means.shape[1]))
        return self.means[classes] + np.einsum("nij,nj->ni", self.factors[classes], noise), classes

    def log_density(self, points: Array) -> Array:
        """Return the log density (N,) at points (N, D)."""
        each = [
            multivariate_normal(mean, factor @ factor.T, allow_singular=True).logpdf(points)
            for mean, factor in zip(self.means, self.factors, strict=True)
        ]
        density: Array = logsumexp(each, axis=0) - np.log(len(self.means))
        return density


def fit(points: Array, components: int, seed: int) -> GaussianMixture:
    """Fit a mixture with full covariances to unlabelled points."""
    return GaussianMixture(components, random_state=seed % 2**32).fit(points)


def class_of_components(model: GaussianMixture, points: Array, classes: IntArray) -> IntArray:
    """Return the class of each component with which the labelled points are classified with fewest errors."""
    together = np.zeros((model.n_components, model.n_components))
    np.add.at(together, (model.predict(points), classes), 1)
    _, assigned = linear_sum_assignment(together, maximize=True)
    return np.asarray(assigned, np.int64)


def accuracies(components: int, dimensions: int, seed: int) -> dict[tuple[int, int], float]:
    """Return the accuracy of the classifier in one random world, by labelled and generated points."""
    draw = numpy_generator(seed, "D.3", components, dimensions)
    world = World.random(components, dimensions, draw)
    model = fit(world.draw(UNLABELLED, draw)[0], components, derive_seed(seed, "mixture"))
    held_out, truth = world.draw(HELD_OUT, draw)
    labelled, classes = world.draw(max(LABELLED), draw)
    generated, component = model.sample(max(GENERATED))
    order = draw.permutation(len(generated))  # scikit-learn returns them component by component
    generated, component = generated[order], component[order]
    found = {}
    for few in LABELLED:
        assigned = class_of_components(model, labelled[:few], classes[:few])[component]
        for more in GENERATED:
            points = np.concatenate([labelled[:few], generated[:more]])
            labels = np.concatenate([classes[:few], assigned[:more]])
            classifier = LogisticRegression(max_iter=500).fit(points, labels)
            found[few, more] = float(classifier.score(held_out, truth))
    return found


def gains(seed: int = 0, worlds: int = WORLDS) -> pd.DataFrame:
    """Return Figure D4: accuracy, and its gain over no generated points, over random worlds.

    Returns
    -------
    DataFrame
        Columns `GAIN_COLUMNS`: means over the worlds; ``ci_low`` and ``ci_high`` are the 95 % confidence
        interval of the mean ``gain``, paired by world.
    """
    rows = []
    for (components, dimensions), what in CASES.items():
        runs = [accuracies(components, dimensions, derive_seed(seed, world)) for world in range(worlds)]
        for few, more in runs[0]:
            accuracy = np.array([run[few, more] for run in runs])
            gain = accuracy - np.array([run[few, 0] for run in runs])
            reach = 1.96 * gain.std(ddof=1) / worlds**0.5
            summary = (accuracy.mean(), gain.mean(), gain.mean() - reach, gain.mean() + reach)
            rows.append((components, dimensions, what, few, more, *summary, worlds))
    return pd.DataFrame(rows, columns=list(GAIN_COLUMNS))


@dataclass(frozen=True)
class Fit:
    """A world in the plane, the mixture fitted to unlabelled points of it, and how far they are apart."""

    world: World
    unlabelled: Array
    labelled: Array
    classes: IntArray
    model: GaussianMixture
    kl: float


def fits(seed: int = 0, sizes: Sequence[int] = FIT_SIZES, components: int = 5) -> list[Fit]:
    """Return Figure D3: fits to more and more points of a world, with KL(world ‖ fit) on held-out points."""
    draw = numpy_generator(seed, "D.3", "fits")
    world = World.random(components, 2, draw)
    points, _ = world.draw(max(sizes), draw)
    labelled, classes = world.draw(4 * components, draw)
    held_out, _ = world.draw(HELD_OUT, draw)
    found = []
    for size in sizes:
        model = fit(points[:size], components, derive_seed(seed, "fits", size))
        kl = float((world.log_density(held_out) - model.score_samples(held_out)).mean())
        found.append(Fit(world, points[:size], labelled, classes, model, kl))
    return found
