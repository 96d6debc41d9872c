"""The sections of a study's page: the paper's figures in its order, each with its numbers behind a switch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from medaug.analysis.missed import missed_cases
from medaug.data.store import ImageStore
from medaug.evaluation.family import shown_splits
from medaug.evaluation.metrics import (
    GAP,
    HIGH_RISK_SENSITIVITY,
    SPREAD,
    headline_metrics,
    higher_is_better,
    in_words,
)
from medaug.evaluation.settings import EvaluationSettings
from medaug.grid.design import Study
from medaug.grid.first_screen import first_attribute
from medaug.grid.gathering import Compared
from medaug.grid.study_figures import arms_figure, differences_figure, pareto_figure
from medaug.report.feature_space import feature_section
from medaug.report.group_words import attribute_words, measure_words
from medaug.report.missed_section import missed_section
from medaug.report.parts import Cell, Folded, Picture, Section, Table, name, picture
from medaug.report.performance_figures import label_figure
from medaug.report.performance_tables import label_table
from medaug.report.provenance import versions_table
from medaug.report.sections import data_section
from medaug.report.style import Styles
from medaug.report.tidy import attributes, label_metric, places, splits_with, tidied
from medaug.report.words import in_sentence, interval, number, signed, split_name

NUMBERS = "The numbers"


def pareto_pictures(part: Compared, styles: Styles, metric: str) -> list[Picture]:
    """Return the figure of the first screen: performance against the gap of the first attribute."""
    return _paretos(part, styles, metric, first_attribute(part.metrics))


def study_sections(
    study: Study, part: Compared, styles: Styles, metric: str, store: ImageStore | None
) -> Iterator[Section]:
    """Give the sections after the first screen, in the order of the paper's figures."""
    table = tidied(part.metrics)
    yield _arms_section(part, styles, metric)
    if (fair := _fairness_section(part, styles, metric)).parts:
        yield fair
    yield _conditions_section(table, styles, metric)
    if not part.differences.empty:
        yield _differences_section(part, styles, metric)
    looks = (feature_section(part.distances, part.components, styles), _missed_section(study, part, styles))
    yield from (look for look in looks if look is not None)
    yield data_section(store, part.predictions)


def settings_section(study: Study) -> Section:
    """Say what each arm is, how the study was set, and with which versions."""
    arms = [
        [
            name(study.arm_name(arm)),
            Cell(arm, kind="text"),
            Cell(study.all_arms[arm].meaning, kind="text"),
            Cell(_said(study.all_arms[arm].settings), kind="text"),
        ]
        for arm in study.names
    ]
    head = ["Arm", "In files and settings", "What it is", "Settings"]
    table = Table("Arms: settings of train.json, all else alike", head, arms)
    given = {
        key: value for key, value in vars(study).items() if key not in ("output", "metadata", "all_arms")
    }
    rows = [[name(key), Cell(_said(value), kind="text")] for key, value in given.items() if value]
    text = "Every training is one command; they are in the log of Snakemake and follow from study.json."
    return Section(
        "Settings and versions",
        [text],
        [table, Table("The study", ["Setting", "Value"], rows), versions_table()],
    )


def _arms_section(part: Compared, styles: Styles, metric: str) -> Section:
    """Figure 3b: every arm in each place."""
    words = (
        f"{in_words(metric)} of each arm; a small mark is a training, the large one their mean (Figure 3b)."
    )
    where = places(part.metrics, shown_splits(part.metrics))
    figure = picture(arms_figure(part.metrics, styles, metric, where), words, words)
    return Section(
        "Performance of the arms", (), [figure, Folded(NUMBERS, [_trainings_table(part, metric, "")])]
    )


def _fairness_section(part: Compared, styles: Styles, metric: str) -> Section:
    """Figures 3a, 5 and 7: performance against the gap, beyond what the first screen shows."""
    measured = set(part.metrics["metric"])
    leading = [m for m in (metric, HIGH_RISK_SENSITIVITY) if m in measured]
    first = (metric, first_attribute(part.metrics))
    parts: list[Picture | Folded] = []
    for leads in dict.fromkeys(leading):
        for attribute in [a for a in attributes(part.metrics) if " & " not in a]:
            if (leads, attribute) != first:
                parts += _paretos(part, styles, leads, attribute)
            parts.append(
                Folded(
                    f"{NUMBERS} of the {measure_words(GAP.of(leads), attribute)}",
                    [_trainings_table(part, GAP.of(leads), attribute)],
                )
            )
    text = "As Figures 3a, 5 and 7 of the paper."
    if len(styles) > 1 and _measured_places(part.metrics, GAP.of(metric), first[1]):
        text += " The first attribute is on the first screen."
    return Section("Performance against the gap", [text], parts)


def _conditions_section(table: pd.DataFrame, styles: Styles, metric: str) -> Section:
    """Figure G3: every condition."""
    title = "Each condition"
    by_label = label_metric(table, metric)
    if by_label is None:
        return Section(title, ["Nothing is measured by condition."])
    words = f"{in_words(by_label)} of each condition that can be estimated, mean over trainings (Figure G3)."
    figure = picture(label_figure(table, styles, by_label, shown_splits(table)), words, words)
    return Section(title, (), [figure, Folded(NUMBERS, [label_table(table, list(styles), by_label)])])


def _differences_section(part: Compared, styles: Styles, metric: str) -> Section:
    """Figures G4 to G7: what each arm adds to the reference."""
    there = set(zip(part.differences["metric"], part.differences["attribute"], strict=True))
    leading = dict.fromkeys((metric, *headline_metrics(part.differences["metric"].unique())))
    questions = [(m, "") for m in leading if (m, "") in there]
    for attribute in [a for a in attributes(part.differences) if " & " not in a]:
        of_fairness = (GAP.of(metric), SPREAD.of(metric), GAP.of(HIGH_RISK_SENSITIVITY))
        questions += [(m, attribute) for m in of_fairness if (m, attribute) in there]
    parts: list[Picture | Folded] = []
    for question in questions:
        parts += _difference_parts(part, styles, *question)
    text = (
        "Means over trainings of each arm minus those of the baseline (Figures G4 to G7). An interval that "
        "does not touch the line at zero is clear by itself; the verdicts of the first screen also correct "
        "for the number of questions."
    )
    return Section("Beside the baseline", [text], parts)


def _missed_section(study: Study, part: Compared, styles: Styles) -> Section | None:
    """Figure G9: the cases that every training of an arm misses."""
    settings = EvaluationSettings(threshold=study.threshold, high_risk=study.high_risk)
    return missed_section(missed_cases(part.predictions, settings), styles)


def _difference_parts(part: Compared, styles: Styles, metric: str, attribute: str) -> list[Picture | Folded]:
    what, differences = measure_words(metric, attribute), part.differences
    rows = differences[(differences["metric"] == metric) & (differences["attribute"] == attribute)]
    rows = rows[(rows["label"] == "") & rows["difference"].notna()]
    there = set(zip(rows["split"], rows["domain"], strict=True))
    shown = shown_splits(differences)
    where = [place for place in places(part.metrics, shown, attribute) if place in there]
    if not where:
        return []
    words = f"{what}: difference to the baseline with its interval."
    figure = differences_figure(differences, styles, metric, attribute, where)
    rows = rows[rows["split"].isin(shown)]
    return [picture(figure, words, words), Folded(NUMBERS, [_differences_table(what, rows)])]


def _differences_table(what: str, rows: pd.DataFrame) -> Table:
    body = [
        [
            name(split_name(row["split"]), row["domain"]),
            name(row["method"]),
            Cell(signed(row["difference"]), interval(row["ci_low"], row["ci_high"])),
            Cell(number(row["p_value"])),
            Cell(number(row["p_holm"])),
            Cell(number(row["detectable"])),
            Cell(str(row["trainings"])),
            Cell(row["verdict"], kind="text"),
        ]
        for _, row in rows.sort_values(["split", "domain"], kind="stable").iterrows()
    ]
    head = ["Where", "Arm", "Difference", "p", "p (Holm)", "Detectable", "Trainings", "Verdict"]
    return Table(f"{what}: differences to the baseline", head, body, names=2)


def _trainings_table(part: Compared, metric: str, attribute: str) -> Table:
    """Return a metric of every training: a row for each place and arm, a column for each seed."""
    rows = part.metrics[(part.metrics["metric"] == metric) & (part.metrics["attribute"] == attribute)]
    rows = rows[(rows["label"] == "") & rows["split"].isin(shown_splits(part.metrics))]
    seeds = sorted(rows["seed"].unique())
    body = []
    for keys, own in rows.groupby(["split", "domain", "method"], sort=False):
        split, domain, arm = map(str, keys)
        values = own.set_index("seed")["value"].astype(float).reindex(seeds)
        cells = [Cell(number(value)) for value in values]
        spread = Cell(number(values.mean()), f"± {number(values.std(ddof=1))}" if len(seeds) > 1 else "")
        body.append([name(split_name(split), domain), name(arm), *cells, spread])
    head = ["Where", "Arm", *(f"Seed {seed}" for seed in seeds), "Mean ± SD"]
    return Table(f"{measure_words(metric, attribute)} of every training", head, body, names=2)


def _paretos(part: Compared, styles: Styles, metric: str, attribute: str) -> list[Picture]:
    """Return performance against a gap, if there are several arms and a gap in any split."""
    where = _measured_places(part.metrics, GAP.of(metric), attribute)
    if len(styles) < 2 or not where:
        return []
    words, gap = (in_sentence(in_words(measure)) for measure in (metric, GAP.of(metric)))
    best = "at the top left" if higher_is_better(metric) else "at the bottom left"
    caption = (
        f"Mean {words} against the {gap} between groups of {attribute_words(attribute)}; best is {best}. A "
        "large mark is the mean of an arm, a small one a training; the grey line joins the arms that no "
        "other beats in both."
    )
    return [picture(pareto_figure(part.metrics, styles, metric, attribute, where), caption, caption)]


def _measured_places(metrics: pd.DataFrame, metric: str, attribute: str) -> list[tuple[str, str]]:
    """Return the places in which something is estimable: an empty panel says less than the table below."""
    rows = metrics[(metrics["metric"] == metric) & metrics["estimable"].astype(bool)]
    rows = rows[rows["attribute"] == attribute]
    there = set(zip(rows["split"], rows["domain"], strict=True))
    shown = splits_with(metrics, attribute)
    return [place for place in places(metrics, shown, attribute) if place in there]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(inner)}" for key, inner in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    return value if isinstance(value, str) else json.dumps(value)
