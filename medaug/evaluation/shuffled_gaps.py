"""A gap beside those that chance alone gives: what is left of it, its p-value, what could have been found."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from medaug.arrays import Array
from medaug.evaluation.estimates import Estimate
from medaug.evaluation.intervals import deviation_of
from medaug.evaluation.metrics import GAP
from medaug.evaluation.verdict import POWER

ROUNDING = 1e-12


def gap_fields(item: Estimate, confidence: float) -> dict[str, float]:
    """Return the columns of a gap that come from shuffling the groups of the patients.

    Parameters
    ----------
    item : Estimate
        Of a gap; of anything else there is nothing to say.
    confidence : float
        One minus the level of the test.

    Returns
    -------
    dict
        - ``by_chance``: the mean gap after shuffling, which is what equal groups of these sizes show;
        - ``corrected``: the gap minus that; around 0 where groups are equal, whatever their number;
        - ``p_value``: share of the shuffled gaps, with the one that was found, that are as large as it
          (Phipson and Smyth, 2010, https://doi.org/10.2202/1544-6115.1585);
        - ``detectable``: about the smallest gap that would have been found in four of five such data: the
          critical shuffled gap and 0.84 standard errors.
    """
    if not GAP.names(item.metric):
        return {}
    defined = item.shuffled[~np.isnan(item.shuffled)]
    if not item.estimable or 2 * len(defined) <= len(item.shuffled):
        return dict.fromkeys(("by_chance", "corrected", "p_value", "detectable"), np.nan)
    gap, by_chance = float(item.values[0]), float(defined.mean())
    as_large = int((defined >= gap - ROUNDING).sum())
    return {
        "by_chance": by_chance,
        "corrected": gap - by_chance,
        "p_value": (1 + as_large) / (1 + len(defined)),
        "detectable": _detectable(defined, item.values[1:], confidence),
    }


def _detectable(shuffled: Array, replicates: Array, confidence: float) -> float:
    deviation = deviation_of(replicates, len(replicates)) if len(replicates) else None
    if deviation is None:
        return np.nan
    return float(np.quantile(shuffled, confidence)) + float(ndtri(POWER)) * deviation
