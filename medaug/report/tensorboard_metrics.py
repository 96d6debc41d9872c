"""The results of an evaluation written to TensorBoard: metrics by group as numbers, and the ROC curves."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from medaug.engine.event_files import EventWriter
from medaug.evaluation.metrics import GAP, is_derived
from medaug.files import replaced
from medaug.report.curve_figures import roc_figure
from medaug.report.tidy import tidied


def write_tensorboard(folder: Path, metrics: pd.DataFrame, predictions: pd.DataFrame) -> None:
    """Show the means over the labels, overall, by group and as gap, one run a method.

    Parameters
    ----------
    folder : Path
        TensorBoard folder; what an earlier evaluation left in it is replaced.
    metrics : DataFrame
        The tidy metrics; what is not estimable is not shown.
    predictions : DataFrame
        For the ROC curves, which hold all methods.

    Examples
    --------
    >>> write_tensorboard(Path("output/logs/evaluation"), metrics, predictions)  # doctest: +SKIP
    """
    with replaced(folder) as aside:
        _write(aside, metrics, predictions)


def _write(folder: Path, metrics: pd.DataFrame, predictions: pd.DataFrame) -> None:
    table = tidied(metrics)
    shown = table["metric"].map(lambda name: GAP.names(name) or not is_derived(name))
    table = table[table["estimable"] & (table["label"] == "") & shown]
    for method, rows in table.groupby("method", sort=False):
        with EventWriter(str(folder / _folder_name(str(method)))) as writer:
            for row in rows.to_dict("records"):
                writer.add_scalar(_tag({str(k): v for k, v in row.items()}), row["value"])
    with EventWriter(str(folder)) as writer:
        writer.add_figure("ROC curves", roc_figure(predictions))


def _tag(row: dict[str, object]) -> str:
    """Name a number so that the groups of an attribute stand beside each other."""
    who = f"{row['attribute']}/{row['group'] or 'gap'}" if row["attribute"] else "all images"
    return f"{row['split']} {row['domain']}/{row['metric']}/{who}"


def _folder_name(method: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", method).strip("_") or "method"
