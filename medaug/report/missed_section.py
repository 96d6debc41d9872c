"""The section on cases that every training of an arm misses (Figure G9): counts, overlaps and strips."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from medaug.analysis.missed import TOGETHER, WHERE, Cases, missed_table, overlap_table
from medaug.arrays import Array
from medaug.evaluation.family import shown_splits
from medaug.report.group_words import attribute_words, bin_words
from medaug.report.parts import Cell, Picture, Section, Table, name, picture
from medaug.report.style import GREY, RULE, Styles, entitle, grid, shortened, wrapped
from medaug.report.tidy import row_of
from medaug.report.words import NOT_ESTIMABLE, plural, share, split_name

MOST_GROUPS = 6


def missed_section(cases: Cases | None, styles: Styles) -> Section | None:
    """Show which cases all trainings miss, by arm and group, without naming any; None without cases."""
    if cases is None:
        return None
    what = (
        "A case is an image with one condition that it truly has; it is missed if the condition is not "
        "decided. Counted are cases that all trainings of a method miss (Section G.3.4 of the paper)."
    )
    several = cases.trainings > 1
    how = (
        f"Each method was trained {cases.trainings} times. By chance is what would be missed by all if every "
        "training erred as often, but each by itself."
        if several
        else "Each method was trained once, so these are the misses of one training; another would miss "
        "others. Several seeds show which cases are missed always."
    )
    parts: list[Table | Picture] = []
    for attribute in map(str, cases.groups):
        caption = (
            f"Cases by {attribute_words(attribute)}, each a column, ordered so that equal ones are together; "
            "filled: missed."
        )
        figure = missed_figure(cases, styles, attribute)
        if figure is not None:
            parts.append(picture(figure, f"{caption} The tables have the numbers.", caption))
    return Section("Cases that are always missed", [what, how], [*parts, *missed_tables(cases, list(styles))])


def missed_figure(cases: Cases, styles: Styles, attribute: str) -> Figure | None:
    """Draw for each group and test split which cases the arms always miss (Figure G9).

    Parameters
    ----------
    cases : Cases
        Of `medaug.analysis.missed.missed_cases`.
    styles : mapping of str to MethodStyle
        Methods, the baseline first.
    attribute : str
        One panel for each of its groups with any case; None if there are none, or more than ``MOST_GROUPS``.
    """
    groups = cases.groups[attribute].cat.remove_unused_categories()
    splits = [s for s in shown_splits(cases.table) if s in set(cases.table["split"])]
    if not 0 < len(groups.cat.categories) <= MOST_GROUPS:
        return None
    panels_of = [(group, split) for group in groups.cat.categories for split in splits]
    height = 0.75 + 0.3 * len(styles)
    figure, panels = grid(len(panels_of), 4.4, height, columns=len(splits), sharey=True)
    for axes, (group, split) in zip(panels, panels_of, strict=True):
        chosen = cases.always[(groups == group) & (cases.table["split"] == split)]
        for position, (method, style) in enumerate(styles.items()):
            missed = ordered(chosen[list(styles)])[method].to_numpy(bool)
            axes.broken_barh(_runs(missed), (position - 0.36, 0.72), facecolor=style.colour)
            axes.axhline(position, color=RULE, linewidth=0.6, zorder=0)
        axes.set_yticks(range(len(styles)), [wrapped(method) for method in styles], ma="right")
        axes.set(ylim=(len(styles) - 0.5, -0.5), xlim=(0, max(1, len(chosen))))
        entitle(axes, f"{shortened(bin_words(group))}, {split_name(split)}: {plural(len(chosen), 'case')}")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.tick_params(axis="x", colors=GREY)
    return figure


def missed_tables(cases: Cases, methods: Sequence[str]) -> list[Table]:
    """Return the counts by arm and group, and how the arms' misses overlap, of all conditions together."""
    counts, overlaps = (_shown(table) for table in (missed_table(cases), overlap_table(cases)))
    head = ["Where", "Group", "Cases", *methods]
    body = []
    for where, rows in counts.groupby(WHERE, sort=False):
        cells = [_count_cell(row_of(rows, method)) for method in methods]
        first = rows.iloc[0]
        total = Cell(f"{first['n']:,}", plural(int(first["patients"]), "patient"))
        body.append([*_where(where), total, *cells])
    tables = [Table("Cases that every training misses", head, body, names=2)]
    if len(methods) > 1:
        tables.append(_overlaps(overlaps, methods, TOGETHER.join(cases.methods)))
    return tables


def ordered(always: pd.DataFrame) -> pd.DataFrame:
    """Sort cases so that those missed by the same arms are together, those missed by most arms first."""
    keys = [~always[method].to_numpy(bool) for method in reversed(list(always))]
    return always.iloc[np.lexsort([*keys, -always.sum(axis=1).to_numpy()])]


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all conditions together in the test splits."""
    return table[(table["label"] == "") & table["split"].isin(shown_splits(table))]


def _overlaps(overlaps: pd.DataFrame, methods: Sequence[str], all_of_them: str) -> Table:
    """Return the cases missed by all methods, by each method only, and by no method."""
    kinds = {all_of_them: "all of them", **{m: f"{m} only" for m in methods}, "": "none of them"}
    body = []
    for where, rows in overlaps.groupby(WHERE, sort=False):
        missed, n = rows.set_index("methods")["missed"], int(rows["n"].iloc[0])
        found = [int(missed.get(kind, 0)) for kind in kinds]
        cells = [Cell(f"{count:,}", share(count, n)) for count in (*found, n - sum(found))]
        body.append([*_where(where), *cells[: len(kinds) + (len(methods) > 2)]])
    some = ["some of them"] if len(methods) > 2 else []
    head = ["Where", "Group", *kinds.values(), *some]
    return Table("Always missed by these methods and no other", head, body, names=2)


def _where(where: tuple[Hashable, ...]) -> list[Cell]:
    split, _, attribute, group = map(str, where)
    return [name(split_name(split)), name(bin_words(group) or "all", attribute_words(attribute))]


def _count_cell(row: pd.Series[Any] | None) -> Cell:
    if row is None:
        return Cell(NOT_ESTIMABLE, kind="quiet")
    by_chance = f"; by chance {row['by_chance']:.1f} cases" if row["trainings"] > 1 else ""
    return Cell(f"{row['missed']:,}", share(row["missed"], row["n"]) + by_chance)


def _runs(missed: Array) -> list[tuple[int, int]]:
    """Return start and length of the runs of missed cases."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], missed.astype(int), [0]])))
    return [(int(start), int(stop - start)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
