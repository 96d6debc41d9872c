"""How a difference to the baseline is read: about methods only where they were trained often enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from medaug.evaluation.family import HEADLINE
from medaug.evaluation.metrics import UNDIRECTED, higher_is_better
from medaug.evaluation.verdict import BETTER, METHODS, MIN_TRAININGS, UNCLEAR, UNKNOWN, WORSE
from medaug.report.words import plural

MODELS_BETTER, MODELS_WORSE = "these trained models: better", "these trained models: worse"
MODELS_UNCLEAR = "these trained models: no clear difference"
DIFFERENT, MODELS_DIFFERENT = "different", "these trained models: different"
"""Of metrics of which neither more nor less is better."""

READINGS = {
    BETTER: "better",
    WORSE: "worse",
    UNCLEAR: "no clear difference",
    MODELS_BETTER: "better for these trained models only; no evidence about the methods",
    MODELS_WORSE: "worse for these trained models only; no evidence about the methods",
    MODELS_UNCLEAR: "no clear difference between these trained models",
    DIFFERENT: "different; neither more nor less is better",
    MODELS_DIFFERENT: "different for these trained models only; neither more nor less is better",
    UNKNOWN: "no interval of the difference, so chance is not excluded",
}


def reading(row: pd.Series[Any], metric: str) -> str:
    """Read a difference to the baseline: a key of `READINGS`.

    Parameters
    ----------
    row : Series
        A row of ``comparison.csv``; without a ``verdict`` it is about trained models.
    metric : str
        Which direction is better, see `medaug.evaluation.metrics.higher_is_better`.

    Examples
    --------
    >>> reading(pd.Series({"ci_low": -0.05, "ci_high": -0.01}), "auc_gap")
    'these trained models: better'
    """
    if row.get("about") == METHODS:
        clear = row["verdict"] == UNKNOWN and pd.notna(row.get("p_value"))
        return DIFFERENT if metric in UNDIRECTED and clear else str(row["verdict"])
    low, high = row["ci_low"], row["ci_high"]
    if pd.isna(low) or pd.isna(high):
        return UNKNOWN
    if low <= 0 <= high:
        return MODELS_UNCLEAR
    if metric in UNDIRECTED:
        return MODELS_DIFFERENT
    return MODELS_BETTER if (low > 0) == higher_is_better(metric) else MODELS_WORSE


def evidence_sentence(comparison: pd.DataFrame | None, methods: Sequence[str]) -> str:
    """Say first what the report compares: methods, or trained models. Empty with one method.

    Parameters
    ----------
    comparison : DataFrame, optional
        Rows of ``comparison.csv``.
    methods : sequence of str
        All that are shown.
    """
    if len(methods) < 2:
        return ""
    trainings = 1 if comparison is None or comparison.empty else int(comparison["trainings"].max())
    if trainings >= MIN_TRAININGS:
        return (
            f"This report compares methods: each was trained {trainings} times, and the intervals of the "
            "differences hold for other patients and for other trainings. One that leaves out zero may still "
            "read “no clear difference”: the verdict corrects for the number of questions (Holm)."
        )
    often = "once" if trainings == 1 else "twice"
    return (
        f"This report compares trained models, not methods: each method was trained {often}, and training "
        f"the same method again gives another model. Train each at least {MIN_TRAININGS} times (seeds) to "
        "compare the methods."
    )


def family_sentence(comparison: pd.DataFrame | None) -> str:
    """Say how many comparisons are adjusted together, and that all others are exploratory."""
    if comparison is None or "family" not in comparison:
        return ""
    headline = comparison[(comparison["family"] == HEADLINE) & comparison["p_value"].notna()]
    if headline.empty:
        return ""
    return (
        f"Verdicts in this table take into account that it makes {plural(len(headline), 'comparison')} "
        "(Holm's correction). Everything further below is exploratory: it can suggest a question, not answer "
        "it."
    )


def gap_words(row: pd.Series[Any]) -> str:
    """Say how large a gap is by chance alone; empty where that is not known.

    Examples
    --------
    >>> gap_words(pd.Series({"by_chance": 0.0441, "p_value": 0.31}))
    'equal groups would show 0.044 by chance; p = 0.31'
    """
    if pd.isna(row.get("p_value")) or pd.isna(row.get("by_chance")):
        return ""
    return f"equal groups would show {row['by_chance']:.3f} by chance; {p_words(float(row['p_value']))}"


def p_words(p_value: float) -> str:
    """Return a p-value in words.

    Examples
    --------
    >>> p_words(0.312), p_words(0.00002)
    ('p = 0.31', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
