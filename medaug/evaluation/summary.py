"""The few figures that a reader wants first, as plain text."""

from __future__ import annotations

from typing import Any

import pandas as pd

from medaug.evaluation.identities import ALL_DOMAINS

_SPLITS = {
    "id_val": "in distribution (val)",
    "id_test": "in distribution",
    "ood_val": "out of distribution (val)",
    "ood_test": "out of distribution",
}


def summary_table(
    metrics: pd.DataFrame,
    *,
    metric: str = "auc",
    attribute: str = "sex",
    splits: tuple[str, ...] = ("id_test", "ood_test"),
) -> str:
    """Return a text table of the mean of a metric and its gap, for each method in and out of distribution.

    Parameters
    ----------
    metrics : DataFrame
        What `medaug.evaluation.evaluate.evaluate` returned.
    metric, attribute : str
        Which metric, and the attribute of its gap.
    splits : tuple of str
        Splits to show, in order, where the table has them.

    Returns
    -------
    str
        One line a split, method and seed, with intervals in brackets; a dash where nothing can be estimated.
    """
    lines = [("method", "seed", "data", "images", f"mean {metric}", f"{attribute} gap in {metric}")]
    for split in splits:
        rows = _one_domain(metrics[(metrics["split"] == split) & (metrics["label"] == "")])
        for (method, seed), found in rows.groupby(["method", "seed"]):
            overall = found[(found["metric"] == metric) & (found["attribute"] == "")]
            gap = found[(found["metric"] == f"{metric}_gap") & (found["attribute"] == attribute)]
            if not overall.empty:
                where = f"{_SPLITS.get(split, split)}: {found['domain'].iloc[0]}"
                images = f"{overall['n'].iloc[0]:,}"
                lines.append((str(method), str(seed), where, images, _figure(overall), _figure(gap)))
    table = _aligned(lines)
    return f"{table}\n(phantom data)" if "phantom data" in set(metrics["source"]) else table


def _one_domain(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the domains together where there are several."""
    together = rows[rows["domain"] == ALL_DOMAINS]
    return rows if together.empty else together


def _figure(rows: pd.DataFrame) -> str:
    if rows.empty or not rows["estimable"].iloc[0]:
        return "-"
    value, low, high = (float(rows[name].iloc[0]) for name in ("value", "ci_low", "ci_high"))
    return f"{value:.3f}" if pd.isna(low) else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _aligned(lines: list[tuple[Any, ...]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = [
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    return "\n".join([padded[0], "  ".join("-" * width for width in widths), *padded[1:]])
