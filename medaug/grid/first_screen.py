"""The first screen of a study's page: which arm wins on performance and on the gap, by how much, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from medaug.evaluation.family import shown_splits
from medaug.evaluation.metrics import GAP, higher_is_better, in_words
from medaug.evaluation.verdict import MIN_TRAININGS, UNCLEAR, UNKNOWN
from medaug.grid.arms import REFERENCE
from medaug.report.group_words import attribute_words
from medaug.report.parts import Cell, Table, name
from medaug.report.tidy import row_of, select
from medaug.report.verdict_words import p_words
from medaug.report.words import NOT_ESTIMABLE, in_sentence, interval, number, plural, signed, split_name


def trainings_sentence(metrics: pd.DataFrame) -> str:
    """Say on how many trainings all rests, and what that allows to say."""
    seeds = metrics.groupby("method")["seed"].nunique()
    arms, trainings = plural(len(seeds), "arm"), plural(int(seeds.min()), "training")
    said = f"This compares {arms} of {trainings} each, with generators trained anew for each seed."
    if seeds.min() < MIN_TRAININGS:
        return (
            f"{said} With fewer than {MIN_TRAININGS} trainings of each it compares trained models and says "
            "nothing about the arms: training is random."
        )
    return (
        f"{said} Intervals carry the variation between patients and between trainings. One that leaves out "
        "zero may still read “no clear difference”: the verdict corrects for the number of questions (Holm)."
    )


def winner_sentences(
    metrics: pd.DataFrame, differences: pd.DataFrame, metric: str, attribute: str
) -> list[str]:
    """Say for each place who is best on performance, and who on the gap.

    Parameters
    ----------
    metrics, differences : DataFrame
        Of `medaug.grid.gathering.Compared`.
    metric : str
        The one that leads.
    attribute : str
        Whose gap is told; empty where no attribute was given.
    """
    said = []
    for split in shown_splits(metrics):
        questions = _questions(metric, attribute)
        winners = [_winner(metrics, differences, split, *question) for question in questions]
        said += [f"{_place(split)}: {'; '.join(filter(None, winners))}."] if any(winners) else []
    return said


def arms_table(metrics: pd.DataFrame, differences: pd.DataFrame, metric: str, attribute: str) -> Table:
    """Return a row for each arm: performance and gap in each place, with the difference to the reference."""
    columns = [
        (split, *question)
        for split in shown_splits(metrics)
        for question in _questions(metric, attribute)
        if not select(metrics, question[0], split, attribute=question[1]).empty
    ]
    head = ["Arm", *(f"{_words(m, a)}, {_short(split)}" for split, m, a in columns)]
    rows = [
        [name(arm), *(_arm_cell(metrics, differences, arm, *column) for column in columns)]
        for arm in dict.fromkeys(metrics["method"])
    ]
    rows.sort(key=lambda row: row[0].text != REFERENCE)
    caption = (
        f"Means over trainings; below each the difference to {REFERENCE} with its interval, and the verdict"
    )
    return Table(caption, head, rows)


def means(
    metrics: pd.DataFrame, metric: str, split: str, domain: str | None = None, attribute: str = ""
) -> pd.Series[float]:
    """Return the mean over trainings of a metric of all conditions, by arm; None: all domains together."""
    rows = select(metrics, metric, split, attribute=attribute, domain=domain)
    rows = rows[rows["estimable"].astype(bool)]
    return rows.groupby("method", sort=False)["value"].mean()


def _winner(
    metrics: pd.DataFrame, differences: pd.DataFrame, split: str, metric: str, attribute: str
) -> str | None:
    values = means(metrics, metric, split, attribute=attribute)
    if values.empty:
        return None
    best = str(values.idxmax() if higher_is_better(metric) else values.idxmin())
    extreme = "highest" if higher_is_better(metric) else "smallest"
    what = f"{best} has the {extreme} {in_sentence(_words(metric, attribute))}, {number(values[best])}"
    if best == REFERENCE:
        return f"{what}; no arm improves on it"
    row = _difference(differences, best, split, metric, attribute)
    if row is None:
        return f"{what}; there is no comparison with {REFERENCE}"
    change = f"{signed(row['difference'])} {_interval(row)}".strip()
    return f"{what}, {change} against {REFERENCE}: {_certainty(row)}"


def _certainty(row: pd.Series[Any]) -> str:
    if pd.isna(row["p_value"]):
        return "too few trainings to tell"
    chance = f"{p_words(float(row['p_holm']))} after Holm's correction"
    if row["verdict"] == UNCLEAR:
        return f"no clear difference ({chance}; one of {number(row['detectable'])} could have been found)"
    verdict = "different" if row["verdict"] == UNKNOWN else row["verdict"]  # of a metric without a direction
    return f"{verdict} ({chance})"


def _arm_cell(
    metrics: pd.DataFrame,
    differences: pd.DataFrame,
    arm: str,
    split: str,
    metric: str,
    attribute: str,
) -> Cell:
    value = means(metrics, metric, split, attribute=attribute).get(arm)
    if value is None:
        return Cell(NOT_ESTIMABLE, _reason(metrics, arm, split, metric, attribute), "missing")
    row = _difference(differences, arm, split, metric, attribute)
    if row is None:
        return Cell(number(value))
    verdict = str(row["verdict"])
    change = f"{signed(row['difference'])} {_interval(row)}".strip()
    return Cell(number(value), change, f"number {verdict.replace(' ', '-')}", verdict)


def _reason(metrics: pd.DataFrame, arm: str, split: str, metric: str, attribute: str) -> str:
    """Say why a metric of an arm cannot be estimated."""
    row = row_of(select(metrics, metric, split, attribute=attribute), arm)
    return "" if row is None or pd.isna(row["reason"]) else str(row["reason"])


def _difference(
    differences: pd.DataFrame, arm: str, split: str, metric: str, attribute: str
) -> pd.Series[Any] | None:
    if differences.empty:
        return None
    return row_of(select(differences, metric, split, attribute=attribute), arm)


def _questions(metric: str, attribute: str) -> list[tuple[str, str]]:
    return [(metric, ""), *([(GAP.of(metric), attribute)] if attribute else [])]


def _interval(row: pd.Series[Any]) -> str:
    return interval(row["ci_low"], row["ci_high"])


def _words(metric: str, attribute: str) -> str:
    return in_words(metric) + (f" by {attribute_words(attribute)}" if attribute else "")


def _place(split: str) -> str:
    said = split_name(split)
    return said[:1].upper() + said[1:]


def _short(split: str) -> str:
    place, _, part = split.partition("_")
    said = {"id": "in distribution", "ood": "out of distribution"}.get(place, split)
    return f"{said} (validation)" if part == "val" else said


def first_attribute(metrics: pd.DataFrame) -> str:
    """Return the attribute of the first screen; empty without any."""
    names: Sequence[str] = [a for a in metrics["attribute"].unique() if a and " & " not in a]
    return next(iter(names), "")
