"""Count the cases of SCIN: ``python -m medaug.data.readers.scin_counts FOLDER [--unusable FILE.csv]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medaug.data.conditions import read_conditions
from medaug.data.readers.scin import LABEL_SOURCES, TONE_SOURCES, scin_cases
from medaug.errors import MedaugError
from medaug.files import write_aside
from medaug.task import LABEL_PREFIX, Task

UNKNOWN = "unknown"


def count_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """Count cases by skin tone, sex, age group, number of raters, and why they cannot be used.

    Parameters
    ----------
    cases : DataFrame
        What `medaug.data.readers.scin.scin_cases` returned.

    Returns
    -------
    DataFrame
        ``by`` (what is counted by), ``value`` (text; ``unknown`` where missing), ``cases`` and ``labelled``
        (those of them with soft labels). The counts of each ``by`` sum to the number of cases.
    """
    columns = {
        "skin tone": cases["attr:skin_tone"],
        "sex": cases["attr:sex"],
        "age group": cases["age_group"],
        "raters": cases["raters"],
        "raters who could judge": cases["graders"],
        "images": cases["images"].map(len),
        "usable": cases["reason"].fillna("yes"),
    }
    labelled = cases["reason"].isna()
    parts = []
    for by, column in columns.items():
        values = column.astype(object).where(column.notna(), UNKNOWN).astype(str)
        counts = labelled.groupby(values).agg(["size", "sum"]).sort_index()
        parts.append(
            pd.DataFrame(
                {
                    "by": by,
                    "value": counts.index,
                    "cases": counts["size"].to_numpy(),
                    "labelled": counts["sum"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def largest_error(cases: pd.DataFrame) -> float:
    """Return by how much the soft labels of a labelled case differ from a sum of 1, at most."""
    labels = cases.loc[cases["reason"].isna(), [name for name in cases if str(name).startswith(LABEL_PREFIX)]]
    return float(np.abs(labels.to_numpy(np.float64).sum(axis=1) - 1).max(initial=0.0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts of a folder and, where asked, write the cases that cannot be used."""
    parser = argparse.ArgumentParser(prog="medaug.data.readers.scin_counts", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with scin_cases.csv and scin_labels.csv")
    parser.add_argument("--labels", choices=LABEL_SOURCES, default="weighted")
    parser.add_argument("--skin_tone", choices=TONE_SOURCES, default="dermatologist")
    parser.add_argument("--unusable", type=Path, help="write case_id and reason of unusable cases here")
    chosen = parser.parse_args(arguments)
    task = Task("multiclass", tuple(dict.fromkeys(read_conditions().values())))
    try:
        cases = scin_cases(chosen.folder, task, labels=chosen.labels, skin_tone=chosen.skin_tone)
    except MedaugError as error:
        print(error, file=sys.stderr)
        return 1
    unusable = cases.loc[cases["reason"].notna(), ["case_id", "reason"]]
    usable = len(cases) - len(unusable)
    print(f"{len(cases):,} cases, {usable:,} with soft labels over {len(task.classes)} classes")
    print(f"largest distance of a sum of soft labels from 1: {largest_error(cases):.1e}\n")
    print(count_cases(cases).to_string(index=False))
    if chosen.unusable is not None:
        with write_aside(chosen.unusable) as temporary:
            unusable.to_csv(temporary, index=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
