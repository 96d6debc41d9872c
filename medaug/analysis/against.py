"""A metric against a setting of the runs: label budget (Figure G2) or sampling scheme (Figure G10)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.metrics import WORST

QUESTION = ["method", "split", "domain", "metric", "label", "attribute"]
LABEL_BUDGET = "label_budget"
SAMPLING = ("equality_level", "filtered")


def against_settings(metrics: pd.DataFrame, settings: Sequence[str]) -> pd.DataFrame:
    """Average metrics over the trainings with the same settings.

    Parameters
    ----------
    metrics : DataFrame
        What `medaug.evaluation.metrics_table.compute_metrics` returned for each run, below one another, with
        a column for each setting (of a number or a bool).
    settings : sequence of str
        Names of these columns, for example ``["label_budget"]`` (Section G.1.2), or ``["equality_level",
        "filtered"]`` (w1 and w2 of Section G.3.5).

    Returns
    -------
    DataFrame
        One row for each method, split, domain, metric, label, attribute and values of the settings: ``value``
        (mean), ``sd`` (sample standard deviation, as in the paper's figures; NaN for one training) and
        ``seeds``. Rows of single groups are left out, gaps and worst groups are in.

    Raises
    ------
    DataError
        A setting has no column, or a run appears twice.
    """
    if missing := [name for name in settings if name not in metrics]:
        raise DataError(
            f"the metrics have no column {missing[0]!r}; add the settings of each run to its rows"
        )
    of_one_group = (metrics["group"] != "") & ~metrics["metric"].map(WORST.names)
    runs = metrics[metrics["estimable"].astype(bool) & ~of_one_group]
    twice = runs.duplicated([*QUESTION, *settings, "seed"])
    if twice.any():
        row = runs[twice].iloc[0]
        raise DataError(
            f"method {row['method']!r}, seed {row['seed']}, is there more than once with the same "
            f"{', '.join(settings)}"
        )
    grouped = runs.groupby([*QUESTION, *settings], sort=False, dropna=False)
    means = grouped.agg(value=("value", "mean"), sd=("value", "std"), seeds=("value", "size"))
    return means.reset_index()


def labels_for_the_same(table: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Say which label budget lets the baseline reach what each method reaches with its own.

    Parameters
    ----------
    table : DataFrame
        Of `against_settings` by ``label_budget``, of one metric of which more is better.
    baseline : str
        Method that is compared with.

    Returns
    -------
    DataFrame
        The rows of the other methods with ``baseline_budget``: the largest budget with which the baseline
        does no better (NaN where it does better with its smallest), and ``times``: that over the method's
        own budget, the label efficiency of Section G.1.2.
    """
    where = [name for name in QUESTION if name != "method"]
    others = table[table["method"] != baseline].copy()
    reference = table.loc[table["method"] == baseline, [*where, LABEL_BUDGET, "value"]]
    pairs = others.reset_index().merge(reference, on=where, suffixes=("", "_baseline"))
    reached = pairs[pairs["value_baseline"] <= pairs["value"]]
    largest = reached.groupby("index")[f"{LABEL_BUDGET}_baseline"].max()
    others["baseline_budget"] = largest.reindex(others.index).astype(float)
    others["times"] = others["baseline_budget"] / others[LABEL_BUDGET].replace(0, np.nan)
    return others.reset_index(drop=True)
