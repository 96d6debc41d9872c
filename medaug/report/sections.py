"""The numbered sections of the report, from the tables and figures of this package."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from medaug.data.store import ImageStore
from medaug.evaluation.family import shown_splits
from medaug.evaluation.groupings import Grouping
from medaug.evaluation.metrics import (
    CALIBRATION,
    GAP,
    HIGH_RISK_SENSITIVITY,
    higher_is_better,
    in_words,
)
from medaug.evaluation.predictions import detect_kind
from medaug.report.condition_figure import condition_figure
from medaug.report.curve_figures import (
    calibration_figure,
    decision_figure,
    group_calibration_figure,
    roc_figure,
    scored_classes,
)
from medaug.report.data_figures import (
    age_figure,
    cooccurrence_figure,
    label_distribution_figure,
    labelled_classes,
)
from medaug.report.data_tables import attribute_tables, data_table, evaluated_images, has_ages, unused_table
from medaug.report.group_words import attribute_words
from medaug.report.improvement_table import improved_measures, improvement_table
from medaug.report.parts import Folded, Picture, Section, Table, picture
from medaug.report.performance_figures import gap_figure, group_figure, label_figure
from medaug.report.performance_tables import (
    group_table,
    high_risk_table,
    label_table,
    missing_table,
    overall_table,
    rates_table,
)
from medaug.report.posterior_tables import posterior_parts
from medaug.report.provenance import origin_table, versions_table
from medaug.report.style import Styles, method_styles
from medaug.report.tidy import attributes, external_sets, label_metric, places, splits_with
from medaug.report.words import split_name
from medaug.task import Kind

Parts = list[Table | Picture | Folded]

MOST_CURVES_BY_SET = 20
"""Conditions times external data sets up to which each set has curves of its own."""


def data_section(
    store: ImageStore | None,
    predictions: pd.DataFrame,
    kind: Kind | None = None,
    high_risk: Sequence[str] = (),
    more_tables: Sequence[Table] = (),
) -> Section:
    """Say how many images, of whom, with which conditions, what was not used, and how they were skewed."""
    table = evaluated_images(predictions) if store is None else store.table
    unused = None if store is None else unused_table(store)
    text = []
    if store is None:
        text.append("These are the evaluated images only; there is no image store to count.")
    elif unused is None:
        text.append("No image was left out or rejected.")
    of_groups = attribute_tables(table, () if store is None else store.task.attributes)
    parts: Parts = [data_table(table), *of_groups, *more_tables, *([unused] if unused else [])]
    exclusive = (kind or detect_kind(predictions)) == "multiclass"
    high_risk = high_risk or (() if store is None else store.task.high_risk)
    return Section("The data in numbers", text, parts + _data_pictures(table, exclusive, high_risk))


def accuracy_section(
    table: pd.DataFrame, styles: Styles, metric: str, high_risk: Sequence[str] = ()
) -> Section:
    """Show all metrics of all images, the high-risk conditions, and the headline of each condition."""
    parts: Parts = [overall_table(table, list(styles))]
    if HIGH_RISK_SENSITIVITY in set(table["metric"]):
        parts.append(high_risk_table(table, list(styles), high_risk))
    if by_label := label_metric(table, metric):
        words = f"{in_words(by_label)} of each condition that can be estimated; lines are intervals."
        figure = label_figure(table, styles, by_label, shown_splits(table))
        parts += [picture(figure, f"{words} The table has the numbers.", words)]
        parts += [label_table(table, list(styles), by_label)]
    return Section("How accurate", (), parts)


def fairness_section(table: pd.DataFrame, styles: Styles, metric: str) -> Section:
    """Show performance against the gap, every group, and what could not be estimated."""
    parts: Parts = []
    for attribute in attributes(table):
        if " & " not in attribute:
            parts += _fairness_pictures(table, styles, metric, attribute)
        parts.append(group_table(table, list(styles), metric, attribute))
        if " & " not in attribute and (rates := rates_table(table, list(styles), attribute)):
            parts.append(rates)
    if missing := missing_table(table):
        parts.append(missing)
    none = "No sensitive attribute was given, so there are no groups to compare."
    where = "Of the test images; every split, domain and condition is in metrics.csv."
    return Section("How fair", [where if attributes(table) else none], parts)


def central_section(posterior: pd.DataFrame | None, styles: Styles) -> Section | None:
    """Show each group beside all others; None where images have no one right answer or no groups."""
    if posterior is None:
        return None
    text = (
        "The central best estimate of fairness (Section F.2 of the paper): how often each group is right, "
        "beside the images of all other groups, with a uniform prior on both shares. The spread of these "
        "differences over the groups is one number for each attribute, whatever the number of its groups."
    )
    return Section("Each group beside all others", [text], posterior_parts(posterior, styles))


def improvement_section(improvement: pd.DataFrame | None, table: pd.DataFrame, metric: str) -> Section | None:
    """Show how much better and fairer the methods are than the baseline; None without one."""
    if improvement is None or improvement["method"].nunique() < 2:
        return None
    text = "Values of the method minus those of the baseline; every figure is in improvement.csv."
    where = places(table, shown_splits(table))
    shown = improvement_table(improvement, improved_measures(improvement, metric), where)
    return Section("Beside the baseline", [text], [shown])


def curves_section(
    predictions: pd.DataFrame,
    styles: Styles,
    groupings: Sequence[Grouping] = (),
    table: pd.DataFrame | None = None,
) -> Section:
    """Show ROC curves, decision curves and calibration of each condition, the latter also by group.

    Where `table` (the metrics) has several external data sets, the curves of each are behind a switch, unless
    these would be very many: they would make most of the page, of few images each.
    """
    title = "ROC curves, decision curves and calibration"
    if not scored_classes(predictions):
        return Section(title, ["There are no scores to draw."])
    sets = [] if table is None else [(s, d) for s in shown_splits(table) for d in external_sets(table, s)]
    few = len(sets) * len(scored_classes(predictions)) <= MOST_CURVES_BY_SET
    return Section(
        title,
        () if few else ["External data sets are drawn together: by themselves the curves would be too many."],
        [
            *_curve_pictures(predictions, styles),
            *(_curves_by_set(predictions, styles, sets) if few else ()),
            *_calibration_by_group(predictions, groupings, list(styles)),
            *_calibration_tables(table, list(styles)),
        ],
    )


def _curve_pictures(predictions: pd.DataFrame, styles: Styles, place: str = "") -> list[Picture]:
    """Draw all curves; `place` ends the words on them, where they are of one data set."""
    roc = (
        "ROC curves. Above each: images with the condition, of those with a known label, in (ID) and out of "
        "(OOD) distribution."
    )
    benefit = (
        "Decision curves: what acting on scores at or above a threshold is worth (net benefit, see the end); "
        "dotted is calling every image positive, and 0 calling none."
    )
    calibration = (
        "Calibration: images in ten parts of equal number by score; "
        "on the diagonal scores can be read as chances."
    )
    return [
        picture(draw(predictions, styles), f"{alt} of each condition{place}.", caption)
        for draw, alt, caption in (
            (roc_figure, "ROC curves", roc),
            (decision_figure, "Net benefit", benefit),
            (calibration_figure, "Calibration", calibration),
        )
    ]


def _curves_by_set(
    predictions: pd.DataFrame, styles: Styles, sets: Sequence[tuple[str, str]]
) -> list[Folded]:
    """Draw the curves of each external data set (split, domain) by itself."""
    folded = []
    for split, domain in sets:
        own = predictions[(predictions["split"] == split) & (predictions["domain"] == domain)]
        pictures = _curve_pictures(own, styles, f", {domain}")
        folded.append(Folded(f"The curves of {domain} by itself ({split_name(split)})", pictures))
    return folded


def _calibration_tables(table: pd.DataFrame | None, methods: Sequence[str]) -> Parts:
    """Return calibration intercept and slope of each condition, where they were measured."""
    measured = set() if table is None else set(table["metric"])
    return [
        label_table(table, methods, metric)
        for metric in CALIBRATION
        if table is not None and metric in measured
    ]


def _calibration_by_group(
    predictions: pd.DataFrame, groupings: Sequence[Grouping], methods: Sequence[str]
) -> Parts:
    """Draw the calibration of the last method by group of each attribute, of the first part of the data."""
    split = shown_splits(predictions)[0]
    chosen = (predictions["method"] == methods[-1]).to_numpy() if "method" in predictions else slice(None)
    pictures: Parts = []
    for grouping in groupings:
        groups = {g: grouping.codes[chosen] == code for code, g in enumerate(grouping.groups)}
        figure = group_calibration_figure(predictions[chosen], groups, split, method_styles(groups))
        words = (
            f"Calibration by group of {attribute_words(grouping.attribute)}, {methods[-1]}, "
            f"{split_name(split)}; groups of at least 40 images, in four parts."
        )
        if any(len(axes.lines) > 1 for axes in figure.axes):
            pictures.append(picture(figure, words, words))
    return pictures


def provenance_section(store: ImageStore | None, synthetic: ImageStore | None) -> Section:
    """Say how the stores were made and with which versions."""
    stores = (("Real images", store), ("Synthetic images", synthetic))
    tables = [origin_table(caption, s) for caption, s in stores if s is not None]
    return Section("Settings and versions", (), [*tables, versions_table()])


def _data_pictures(table: pd.DataFrame, exclusive: bool, high_risk: Sequence[str]) -> Parts:
    pictures: Parts = []
    if has_ages(table):
        alt = "Histograms of age by domain, as shares of the images; medians are in the table above."
        pictures.append(picture(age_figure(table), alt, "Age, as share of the images with a known age."))
    labelled = table[table["split"] != "unlabelled"]
    if not labelled_classes(table) or labelled.empty:
        return pictures
    if exclusive:
        return [*pictures, _condition_picture(labelled, high_risk)]
    pictures.append(_label_picture(labelled))
    return [*pictures, _cooccurrence_picture(labelled)] if len(labelled_classes(table)) > 1 else pictures


def _condition_picture(table: pd.DataFrame, high_risk: Sequence[str]) -> Picture:
    caption = "Condition distribution of the labelled splits, by the most weighted condition of each image."
    alt = "Bars by domain: share of images of each condition, in the order of the first domain."
    return picture(condition_figure(table, high_risk), alt, caption)


def _label_picture(table: pd.DataFrame) -> Picture:
    caption = "Label distribution of the labelled splits; unknown labels are neither present nor absent."
    alt = "Bars by domain: share of images with each condition present, absent and unknown."
    return picture(label_distribution_figure(table), alt, caption)


def _cooccurrence_picture(table: pd.DataFrame) -> Picture:
    caption = (
        "Conditions together. Row r, column c: of the images with condition r, the share that also has c, "
        "as far as c is known; n counts the images with r."
    )
    alt = "Heat maps by domain of how often conditions occur together, the shares written in the cells."
    return picture(cooccurrence_figure(table), alt, caption)


def _fairness_pictures(table: pd.DataFrame, styles: Styles, metric: str, attribute: str) -> Parts:
    words, numbers = in_words(metric), "The tables have the numbers."
    groups_of = f"of {attribute_words(attribute)}"
    splits = splits_with(table, attribute)
    best = "top" if higher_is_better(metric) else "bottom"
    gap = f"the {in_words(GAP.of(metric))} between groups {groups_of}"
    against = f"Mean {words} against {gap}; best is at the {best} left."
    by_group = f"{words} by group {groups_of}; a group without a mark is not estimable."
    groups = picture(
        group_figure(table, styles, metric, attribute, splits), f"{by_group} {numbers}", by_group
    )
    if len(styles) < 2:
        return [groups]
    return [
        picture(gap_figure(table, styles, metric, attribute, splits), f"{against} {numbers}", against),
        groups,
    ]
