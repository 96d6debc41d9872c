"""Sections of a study's page: arms against label budgets (Figure G2) and sampling schemes (Figure G10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from medaug.analysis.against import LABEL_BUDGET, SAMPLING, against_settings, labels_for_the_same
from medaug.evaluation.family import shown_splits
from medaug.evaluation.metrics import GAP, higher_is_better, in_words
from medaug.grid.arms import REFERENCE, Arm
from medaug.grid.design import Study
from medaug.grid.first_screen import first_attribute
from medaug.grid.gathering import Compared
from medaug.grid.study_sections import NUMBERS
from medaug.report.parts import Cell, Folded, Picture, Section, Table, name, picture
from medaug.report.setting_figures import Measure, budget_figure, sampling_figure, settings_table
from medaug.report.style import Styles
from medaug.report.tidy import select
from medaug.report.words import number, split_name

Scheme = tuple[float, bool]
"""Equality level of Eq. 9 (0 without weights); whether dominant classes are left out (w2 of Eq. 8)."""


def budget_section(study: Study, parts: Sequence[Compared], styles: Styles, metric: str) -> Section | None:
    """Return Figure G2, performance and gap against the label budget; None where no budgets are compared."""
    budgets = {name: how[LABEL_BUDGET] for name, how in study.labelled.items() if LABEL_BUDGET in how}
    if len(budgets) < 2:
        return None
    of_budgets = [
        p.metrics.assign(**{LABEL_BUDGET: budgets[p.labelled]}) for p in parts if p.labelled in budgets
    ]
    table = against_settings(pd.concat(of_budgets, ignore_index=True), [LABEL_BUDGET])
    measures = _measures(parts[0], metric)
    figure, words = budget_figure(table, styles, measures), "Arms against the label budget (Figure G2)."
    pictures = [picture(figure, words, words)] if figure is not None else []
    numbers = Folded(NUMBERS, [settings_table(table, [LABEL_BUDGET], measures)])
    efficiency = [_efficiency_table(table, metric)] if higher_is_better(metric) else []
    return Section("Label efficiency", (), [*pictures, *efficiency, numbers])


def sampling_section(study: Study, part: Compared, metric: str) -> Section | None:
    """Return Figure G10: arms that differ in nothing but their sampling scheme; None without such arms."""
    measures = _measures(part, metric)
    parts: list[Picture | Folded] = []
    for family in sampling_families(study):
        table = against_settings(_as_one_method(part.metrics, family), SAMPLING)
        figure = sampling_figure(table, next(iter(family)), measures)
        if figure is not None:
            words = f"Sampling schemes of {', '.join(family)} (Figure G10)."
            numbers = Folded(NUMBERS, [settings_table(table, SAMPLING, measures)])
            parts += [picture(figure, words, words), numbers]
    text = (
        "The equality level says how much more real examples of rare groups count in the loss: 0 not at all, "
        "1 until groups are even within each class. Filtered: without synthetic images of some classes."
    )
    return Section("Sampling schemes", [text], parts) if parts else None


def sampling_families(study: Study) -> Iterator[dict[str, Scheme]]:
    """Give the arms with synthetic images that differ in their sampling scheme only, each with its own."""
    families: dict[str, dict[str, Scheme]] = {}
    for arm in study.names:
        how = study.all_arms[arm]
        if how.conditioning is not None:
            rest, scheme = _scheme(how)
            family = families.setdefault(rest, {})
            if scheme not in family.values():
                family[how.name] = scheme
    yield from (family for family in families.values() if len(family) > 1)


def _scheme(arm: Arm) -> tuple[str, Scheme]:
    rest = dict(arm.settings)
    level = rest.pop("equality_level", 1.0)
    weighed, excluded = rest.pop("weigh_by", None), rest.pop("exclude", ())
    return f"{arm.conditioning} {sorted(rest.items())}", (float(level) if weighed else 0.0, bool(excluded))


def _as_one_method(metrics: pd.DataFrame, family: dict[str, Scheme]) -> pd.DataFrame:
    rows = metrics[metrics["method"].isin(list(family))]
    schemes = pd.DataFrame(rows["method"].map(family).tolist(), columns=list(SAMPLING), index=rows.index)
    return rows.assign(method=next(iter(family)), **schemes)


def _efficiency_table(table: pd.DataFrame, metric: str) -> Table:
    rows = []
    for split in shown_splits(table):
        for _, row in labels_for_the_same(select(table, metric, split), REFERENCE).iterrows():
            labels = "–" if pd.isna(row["times"]) else f"{row['baseline_budget']:.0f}"
            found = [Cell(number(row["value"])), Cell(labels), Cell(number(row["times"]) or "–")]
            rows.append([name(split_name(split)), name(row["method"]), name(str(row[LABEL_BUDGET])), *found])
    head = ["Where", "Arm", "Label budget", in_words(metric), "Labels of the baseline", "Times as many"]
    return Table("With how many labels the baseline does no better (G.1.2)", head, rows, names=3)


def _measures(part: Compared, metric: str) -> list[Measure]:
    attribute = first_attribute(part.metrics)
    return [(metric, ""), *([(GAP.of(metric), attribute)] if attribute else [])]
