"""The scores as people read them: a text, an HTML file, and the CSV beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.errors import SettingsError
from medaug.files import disk_errors, write_aside
from medaug.study.key import StudyKey
from medaug.study.rendering import render
from medaug.study.score import AGAINST_OTHERS, AGREEMENTS, MEASURES

HEADS = {
    "diagnosable": "Diagnosable, %",
    "confidence": "Confidence, 1–5",
    "top1_accuracy": "Top-1 accuracy, %",
    "top3_accuracy": "Top-3 accuracy, %",
    "top1_against_others": "Top-1 accuracy, %",
    "top3_against_others": "Top-3 accuracy, %",
    "agreement_diagnosable": "Diagnosable or not",
    "agreement_top1": "First diagnosis",
}

AGAINST = "Against the diagnosis of the other raters"


@dataclass(frozen=True)
class Cell:
    """A value in words, and the number of ratings or images that it rests on (or why there is none)."""

    text: str
    note: str


@dataclass(frozen=True)
class ScoreTable:
    """A table with the sources beside each other under each measure."""

    caption: str
    measures: list[str]
    sources: list[str]
    rows: list[tuple[str, list[Cell]]]


def score_tables(scores: pd.DataFrame) -> list[ScoreTable]:
    """Return the tables by condition and by rater, both again against the other raters, and the agreement.

    Parameters
    ----------
    scores : DataFrame
        What `medaug.study.score.score` returned.
    """
    over = scores[scores["rater"] == ""]
    single = scores[(scores["rater"] != "") & (scores["condition"] == "")]
    means = "Mean ± standard deviation over raters" if scores["rater"].nunique() > 2 else "One rater"
    tables = [
        _table(f"By condition. {means}", over, MEASURES, "condition"),
        _table("By rater, all conditions", single, MEASURES, "rater"),
        _table(f"{AGAINST}, by condition. {means}", over, AGAINST_OTHERS, "condition"),
        _table(f"{AGAINST}, by rater", single, AGAINST_OTHERS, "rater"),
        _table("Agreement between raters (Krippendorff’s alpha)", over, AGREEMENTS, "condition"),
    ]
    return [table for table in tables if table.rows]


def scores_text(scores: pd.DataFrame) -> str:
    """Return the tables as plain text for a terminal."""
    return "\n\n".join(map(_plain, score_tables(scores)))


def write_scores(output: Path, scores: pd.DataFrame, key: StudyKey) -> Path:
    """Write the scores as an HTML file and, beside it, as a CSV; return the path of the CSV."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise SettingsError(f"the output is an HTML file, for example scores.html, not {str(output)!r}")
    raters = sorted(set(scores["rater"]) - {""})
    html = render(
        "scores.html.j2",
        key=key,
        tables=score_tables(scores),
        raters=raters,
        synthetic=int(key.images["synthetic"].sum()),
    )
    csv = output.with_suffix(".csv")
    with disk_errors(output), write_aside(csv) as temporary:
        scores.to_csv(temporary, index=False)
    with disk_errors(output), write_aside(output) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return csv


def _table(caption: str, scores: pd.DataFrame, measures: tuple[str, ...], names: str) -> ScoreTable:
    """Return a table with a row for each of the column `names`; an empty name stands for all conditions."""
    some = scores[scores["metric"].isin(measures)]
    sources = list(dict.fromkeys(some["source"]))
    found = {(r[names], r["metric"], r["source"]): _cell(r) for r in some.to_dict("records")}
    absent = Cell("–", "none")
    rows = [
        (name or "all conditions", [found.get((name, m, s), absent) for m in measures for s in sources])
        for name in dict.fromkeys(some[names])
    ]
    return ScoreTable(caption, [HEADS[m] for m in measures], sources, rows)


def _cell(row: dict[Any, Any]) -> Cell:
    if not row["estimable"]:
        return Cell("–", row["reason"])
    metric = row["metric"]
    agreement, confidence = metric in AGREEMENTS, metric == "confidence"
    scale, decimals = (1, 2) if agreement or confidence else (100, 1)
    text = f"{row['value'] * scale:.{decimals}f}".replace("-", "−")
    if pd.notna(row["sd"]):
        text += f" ± {row['sd'] * scale:.{decimals}f}"
    return Cell(text, f"n = {row['images' if agreement else 'ratings']}")


def _plain(table: ScoreTable) -> str:
    """Columns of text under heads of two lines."""
    heads = pd.MultiIndex.from_product([table.measures, table.sources])
    content = [[f"{cell.text} ({cell.note})" for cell in cells] for _, cells in table.rows]
    frame = pd.DataFrame(content, index=[name for name, _ in table.rows], columns=heads)
    return f"{table.caption}\n{frame.to_string()}"
