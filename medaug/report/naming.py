"""Tables as readers see them: methods and groups by names in words. CSV files keep the keys."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pandas as pd

from medaug.analysis.looks import Looks
from medaug.evaluation.results import Results
from medaug.report.group_words import bin_words, crossed_words

Called = Callable[[str], str]
"""What a method is called, for example `medaug.report.arm_names.arm_name`."""

_METHODS = ("method", "baseline")


def named(table: pd.DataFrame, called: Called = str) -> pd.DataFrame:
    """Return a table of results with the names of its methods, groups and reasons in words.

    Examples
    --------
    >>> named(pd.DataFrame({"attribute": ["age"], "group": ["(40, 60]"]})).values.tolist()
    [['age', '40 to 60']]
    """
    words = {name: _each(table[name], called) for name in _METHODS if name in table}
    if {"attribute", "group"} <= set(table):
        words["group"] = _groups(table["attribute"], table["group"])
    if "reason" in table:
        words["reason"] = _each(table["reason"], bin_words)
    return table.assign(**words)


def named_results(results: Results, called: Called) -> Results:
    """Return results with the names in words, in all tables and sentences."""
    tables: dict[str, Any] = {
        name: named(table, called)
        for name in ("metrics", "predictions", "comparison", "improvement", "posterior")
        if (table := getattr(results, name)) is not None
    }
    return replace(
        results,
        **tables,
        baseline=None if results.baseline is None else called(results.baseline),
        groupings=[replace(g, groups=tuple(map(bin_words, g.groups))) for g in results.groupings],
        notes=[_named_sentence(note, set(results.metrics["method"]), called) for note in results.notes],
    )


def named_looks(looks: Looks, called: Called) -> Looks:
    """Return looks with the names of the methods in words."""
    cases = looks.cases
    return replace(
        looks,
        cases=None if cases is None else replace(cases, counts=cases.counts.rename(columns=called)),
        distances=named(looks.distances, called),
        components=named(looks.components, called),
    )


def _named_sentence(text: str, methods: Collection[str], called: Called) -> str:
    for method in methods:
        text = text.replace(repr(method), called(method))
    return text


def _groups(attributes: pd.Series[str], groups: pd.Series[str]) -> pd.Series[str]:
    pairs = attributes.fillna("").astype(str) + "\n" + groups.fillna("").astype(str)
    return _each(pairs, lambda pair: crossed_words(*pair.split("\n", 1)))


def _each(texts: pd.Series[str], say: Called) -> pd.Series[str]:
    """Say each text; a study's table has millions of rows, but few different texts."""
    known = texts.fillna("").astype(str)
    return known.map({text: say(text) for text in known.unique()})
