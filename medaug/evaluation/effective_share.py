"""A share of right answers as that of independent images: several images of a patient are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from medaug.arrays import Array


@dataclass(frozen=True)
class Share:
    """How many of `n` answers are right, with a uniform prior on the share."""

    right: float
    n: float

    @property
    def posterior(self) -> tuple[float, float]:
        """Both parameters of the Beta distribution."""
        return 1 + self.right, 1 + self.n - self.right


def effective_share(right: Array, patient_of: Array) -> Share:
    """Return the share of right answers as that of as many independent images as vary as much.

    Parameters
    ----------
    right : bool array, shape (n,)
        Right answers.
    patient_of : int array, shape (n,)
        Patient of each image.

    Notes
    -----
    With one image a patient these are the images. Else n is divided by the design effect, the variance of
    the share over patients by that of independent images (at least 1), and reduced for the few patients that
    it is estimated from, by the squared ratio of the normal and Student's t quantiles; where all are right,
    or all wrong, patients are counted.

    Examples
    --------
    >>> effective_share(np.array([1, 1, 1, 0]), np.arange(4))
    Share(right=3.0, n=4.0)
    """
    patients, of = np.unique(patient_of, return_inverse=True)
    images, count = len(right), len(patients)
    if count == images or not images:
        return Share(float(right.sum()), float(images))
    share = float(right.mean())
    effective = float(count)
    if 0 < share < 1 and count > 1:
        excess = np.bincount(of, weights=right - share)
        over_patients = count / (count - 1) * float(excess @ excess) / images**2
        trials = min(share * (1 - share) / over_patients, images) if over_patients else float(images)
        effective = trials * float(norm.ppf(0.975) / student.ppf(0.975, count - 1)) ** 2
    return Share(share * effective, effective)
