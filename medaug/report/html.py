"""The report: one HTML file without any reference to the network, for screen and paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from medaug.data.store import ImageStore
from medaug.files import write_aside
from medaug.report import tidy
from medaug.report.answer import answer_sentences, answer_table
from medaug.report.curve_figures import calibration_figure, roc_figure, scored_classes
from medaug.report.data_figures import (
    age_figure,
    class_names,
    cooccurrence_figure,
    label_distribution_figure,
)
from medaug.report.data_tables import (
    attribute_tables,
    data_table,
    evaluated_images,
    has_ages,
    unused_table,
)
from medaug.report.gallery import Gallery, gallery
from medaug.report.metric_tables import group_table, label_table, missing_table, overall_table
from medaug.report.parts import Picture, Section, Table, picture
from medaug.report.performance_figures import gap_figure, group_figure, label_figure
from medaug.report.provenance import origin_table, versions_table
from medaug.report.style import MethodStyle, method_styles
from medaug.report.words import metric_name


def write_report(
    path: Path,
    metrics: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    title: str,
    store: ImageStore | None = None,
    synthetic: ImageStore | None = None,
    comparison: pd.DataFrame | None = None,
) -> None:
    """Write the report as one self-contained HTML file; the file is whole or absent.

    Parameters
    ----------
    path : Path
        The file.
    metrics : DataFrame
        What `medaug.evaluation.evaluate.evaluate` returned.
    predictions : DataFrame
        What `metrics` was computed from.
    title : str
        Heading.
    store, synthetic : ImageStore, optional
        Real and synthetic images. Without `store` the data are described by the evaluated images alone.
    comparison : DataFrame, optional
        What `medaug.evaluation.compare.compare` returned; without it differences have no intervals.

    Notes
    -----
    Patients, images and files are counted, never named.
    """
    content = _Content(metrics, predictions, store, synthetic, comparison)
    environment = Environment(
        loader=PackageLoader("medaug.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("report.html.j2").render(title=title, **content.fields())
    with write_aside(Path(path)) as temporary:
        temporary.write_text(html, encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class _Content:
    """Everything that the sections are made of."""

    metrics: pd.DataFrame
    predictions: pd.DataFrame
    store: ImageStore | None
    synthetic: ImageStore | None
    comparison: pd.DataFrame | None

    def fields(self) -> Mapping[str, Any]:
        """Return what the template asks for."""
        table, differences = tidy.tidied(self.metrics), _tidied_comparison(self.comparison)
        methods = tidy.methods(table, _baseline(self.comparison))
        metric, styles = tidy.headline(table), method_styles(methods)
        return {
            "written": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
            "facts": _header_facts(self.predictions, methods, self.store, self.synthetic),
            "phantom": is_phantom(self.metrics, self.predictions, self.store, self.synthetic),
            "sentences": answer_sentences(table, differences, methods, metric),
            "answer": answer_table(table, differences, methods, metric),
            "data": _data_section(self.store, self.predictions),
            "results": _results_section(table, methods, styles, metric),
            "fairness": _fairness_section(table, styles, metric),
            "curves": _curves_section(self.predictions, styles),
            "gallery": gallery(self.synthetic, self.store) if self.synthetic is not None else Gallery(()),
            "provenance": _provenance_section(self.store, self.synthetic),
            "seeds": int(table["seeds"].max()) if len(table) else 1,
            "metric": metric_name(metric),
        }


def is_phantom(metrics: pd.DataFrame, predictions: pd.DataFrame, *stores: ImageStore | None) -> bool:
    """Tell whether any input is marked as phantom data: a store, the predictions or the metrics."""
    marked = "source" in metrics and metrics["source"].eq("phantom data").any()
    drawn = "phantom" in predictions and predictions["phantom"].fillna(False).astype(bool).any()
    return bool(marked or drawn or any(s is not None and s.phantom for s in stores))


def _baseline(comparison: pd.DataFrame | None) -> str | None:
    return None if comparison is None or comparison.empty else str(comparison["baseline"].iloc[0])


def _tidied_comparison(comparison: pd.DataFrame | None) -> pd.DataFrame | None:
    """Bring the differences into the form of the metrics."""
    if comparison is None:
        return None
    return tidy.tidied(comparison.rename(columns={"difference": "value"}).assign(estimable=True))


def _header_facts(
    predictions: pd.DataFrame, methods: list[str], store: ImageStore | None, synthetic: ImageStore | None
) -> list[str]:
    evaluated = evaluated_images(predictions)
    facts = [f"{len(evaluated):,} images evaluated"]
    if "patient_id" in evaluated:
        facts.append(f"{evaluated['patient_id'].nunique():,} patients")
    facts.append(f"{len(methods)} {'method' if len(methods) == 1 else 'methods'}")
    facts.append(f"{len(scored_classes(predictions))} conditions")
    facts += [f"{len(store):,} images in the store"] if store is not None else []
    return facts + ([f"{len(synthetic):,} synthetic images"] if synthetic is not None else [])


def _data_section(store: ImageStore | None, predictions: pd.DataFrame) -> Section:
    table = evaluated_images(predictions) if store is None else store.table
    text = ["These are the evaluated images only; there is no image store to count."] if store is None else []
    unused = None if store is None else unused_table(store)
    if store is not None and unused is None:
        text.append("No image was left out or rejected.")
    tables = [data_table(table), *attribute_tables(table), *([unused] if unused else [])]
    return Section("The data in numbers", text, tables, _data_pictures(table, store))


def _data_pictures(table: pd.DataFrame, store: ImageStore | None) -> list[Picture]:
    found = []
    if has_ages(table):
        alt = "Histograms of age by domain, as shares of the images; medians are in the table above."
        found.append(picture(age_figure(table), alt, "Age, as share of the images with a known age."))
    labelled = table[table["split"] != "unlabelled"]
    if class_names(table) and len(labelled):
        caption = "Label distribution of the labelled splits; unknown labels are neither present nor absent."
        alt = "Bars by domain: share of images with each condition present, absent and unknown."
        found.append(picture(label_distribution_figure(labelled), alt, caption))
    if len(class_names(table)) > 1 and (store is None or store.task.kind == "multilabel"):
        alt = "Heat maps by domain of how often conditions occur together, the shares written in the cells."
        caption = (
            "Conditions together. Row r, column c: of the images with condition r, the share that also "
            "has c, as far as c is known; n counts the images with r."
        )
        found.append(picture(cooccurrence_figure(labelled), alt, caption))
    return found


def _results_section(
    table: pd.DataFrame, methods: list[str], styles: dict[str, MethodStyle], metric: str
) -> Section:
    tables = [overall_table(table, methods)]
    pictures = []
    if tidy.labels(table):
        tables.append(label_table(table, methods, metric))
        figure = label_figure(table, styles, metric, tidy.shown_splits(table))
        words = f"{metric_name(metric)} of each condition"
        pictures.append(picture(figure, f"{words} with intervals; the table has the numbers.", f"{words}."))
    return Section("How accurate", (), tables, pictures)


def _fairness_section(table: pd.DataFrame, styles: dict[str, MethodStyle], metric: str) -> Section:
    tables, pictures, words = [], [], metric_name(metric)
    splits = tidy.shown_splits(table)
    for attribute in tidy.attributes(table):
        tables.append(group_table(table, list(styles), metric, attribute))
        if " & " in attribute:
            continue
        caption = (
            f"Mean {words} against the {words} gap between groups of {attribute}; best is at the top left."
        )
        figure = gap_figure(table, styles, metric, attribute, splits)
        pictures.append(picture(figure, f"{caption} The tables have the numbers.", caption))
        caption = f"{words} by group of {attribute}; a group without a mark is not estimable."
        figure = group_figure(table, styles, metric, attribute, splits)
        pictures.append(picture(figure, f"{caption} The tables have the numbers.", caption))
    missing = missing_table(table)
    tables += [missing] if missing else []
    text = (
        []
        if tidy.attributes(table)
        else ["No sensitive attribute was given, so there are no groups to compare."]
    )
    return Section("How fair", text, tables, pictures)


def _curves_section(predictions: pd.DataFrame, styles: dict[str, MethodStyle]) -> Section:
    if not scored_classes(predictions):
        return Section("ROC curves and calibration", ["There are no scores to draw."])
    roc = "ROC curves. Above each: images with the condition, of those with a known label."
    calibration = (
        "Calibration: images in ten parts of equal number by score; "
        "on the diagonal scores can be read as chances."
    )
    return Section(
        "ROC curves and calibration",
        pictures=[
            picture(roc_figure(predictions, styles), "ROC curves of each condition.", roc),
            picture(calibration_figure(predictions, styles), "Calibration of each condition.", calibration),
        ],
    )


def _provenance_section(store: ImageStore | None, synthetic: ImageStore | None) -> Section:
    tables: list[Table] = []
    tables += [] if store is None else [origin_table("Real images", store)]
    tables += [] if synthetic is None else [origin_table("Synthetic images", synthetic)]
    return Section("Settings and versions", (), [*tables, versions_table()])
