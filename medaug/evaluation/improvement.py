"""Metrics minus those of a baseline over seeds (``improvement.csv``): Section G.3.1 and figures G4 to G7."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.metrics import WORST

QUESTION = ["split", "domain", "metric", "label", "attribute", "group"]

IMPROVEMENT_COLUMNS = (
    *("method", "baseline", *QUESTION),
    *("value", "value_sd", "baseline_value", "improvement", "relative", "seeds", "source"),
)


def improvement_over_baseline(metrics: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Normalise metrics by those of a baseline: the paper's figures G4 to G7.

    The paper plots "the improvement over the baseline". It is taken here as the difference, in the direction
    of the metric itself, so that as in those figures more is better for accuracy and less for a gap or a
    spread; the text's "27.3 % better" is the column ``relative``.

    Parameters
    ----------
    metrics : DataFrame
        What `medaug.evaluation.metrics_table.compute_metrics` returned, of one run or of several below one
        another; rows of `medaug.evaluation.posterior.spread_metrics` may be among them.
    baseline : str
        Method that the others are compared with.

    Returns
    -------
    DataFrame
        Columns `IMPROVEMENT_COLUMNS`, one row for each method and each figure that is estimable for both, in
        the order of `metrics`:

        - ``value`` and ``value_sd``: mean and sample standard deviation over the seeds (NaN for one seed);
        - ``improvement``: ``value`` minus ``baseline_value``, the baseline's mean over its own seeds.
          The standard deviation of the improvement over seeds is therefore ``value_sd`` too. The baseline
          itself is there, with an improvement of 0;
        - ``relative``: ``improvement / baseline_value``, NaN where the latter is 0;
        - ``seeds``: number of runs of the method.

    Raises
    ------
    DataError
        The baseline is not among the methods, or a run appears twice.

    See Also
    --------
    medaug.evaluation.comparison.compare_methods : the difference with a paired interval, from predictions.
    """
    if baseline not in set(metrics["method"]):
        there = ", ".join(dict.fromkeys(metrics["method"].astype(str)))
        raise DataError(f"there is no baseline {baseline!r} among the metrics; they have: {there}")
    runs = _comparable(metrics)
    by_method = runs.groupby(["method", *QUESTION], sort=False, dropna=False)
    means = by_method.agg(
        value=("value", "mean"),
        value_sd=("value", "std"),
        seeds=("value", "size"),
        source=("source", "first"),
    ).reset_index()
    reference = means.loc[means["method"] == baseline, [*QUESTION, "value"]]
    table = means.merge(reference.rename(columns={"value": "baseline_value"}), on=QUESTION)
    table["baseline"] = baseline
    table["improvement"] = table["value"] - table["baseline_value"]
    table["relative"] = table["improvement"] / table["baseline_value"].replace(0.0, np.nan)
    return table[list(IMPROVEMENT_COLUMNS)]


def _comparable(metrics: pd.DataFrame) -> pd.DataFrame:
    """Rows with a value; the worst group may differ between runs: it is compared by its value alone."""
    runs = metrics[metrics["estimable"].astype(bool)].copy()
    runs["group"] = runs["group"].mask(runs["metric"].map(WORST.names), "")
    twice = runs.duplicated(["method", "seed", *QUESTION])
    if twice.any():
        row = runs[twice].iloc[0]
        raise DataError(
            f"the metrics have method {row['method']!r}, seed {row['seed']}, more than once "
            f"({row['metric']}, {row['split']}); give each run its own seed"
        )
    return runs
