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
from medaug.report import sections, tidy
from medaug.report.answer import answer_sentences, answer_table
from medaug.report.curve_figures import scored_classes
from medaug.report.data_tables import evaluated_images
from medaug.report.gallery import Gallery, gallery
from medaug.report.slides import slides_section
from medaug.report.style import method_styles
from medaug.report.words import plural


def write_report(
    path: Path,
    metrics: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    title: str,
    store: ImageStore | None = None,
    synthetic: ImageStore | None = None,
    comparison: pd.DataFrame | None = None,
    headline: str | None = None,
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
    headline : str, optional
        The metric that leads; None chooses it by what the metrics are.

    Notes
    -----
    Patients, images and files are counted, never named.
    """
    content = _Content(metrics, predictions, store, synthetic, comparison, headline)
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
    headline: str | None

    def fields(self) -> Mapping[str, Any]:
        """Return what the template asks for."""
        table, differences = tidy.tidied(self.metrics), _tidied_comparison(self.comparison)
        methods = tidy.methods(table, _baseline(self.comparison))
        metric, styles = self.headline or tidy.headline(table), method_styles(methods)
        return {
            "written": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
            "facts": _header_facts(self.predictions, methods, self.store, self.synthetic),
            "phantom": is_phantom(self.metrics, self.predictions, self.store, self.synthetic),
            "sentences": answer_sentences(table, differences, methods, metric),
            "answer": answer_table(table, differences, methods, metric),
            "data": sections.data_section(self.store, self.predictions),
            "slides": slides_section(self.store),
            "results": sections.accuracy_section(table, styles, metric),
            "fairness": sections.fairness_section(table, styles, metric),
            "curves": sections.curves_section(self.predictions, styles),
            "gallery": gallery(self.synthetic, self.store) if self.synthetic is not None else Gallery(()),
            "provenance": sections.provenance_section(self.store, self.synthetic),
            "seeds": int(table["seeds"].max()) if len(table) else 1,
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
    facts = [f"{plural(len(evaluated), 'image')} evaluated"]
    if "patient_id" in evaluated:
        facts.append(plural(evaluated["patient_id"].nunique(), "patient"))
    facts += [plural(len(methods), "method"), plural(len(scored_classes(predictions)), "condition")]
    facts += [f"{plural(len(store), 'image')} in the store"] if store is not None else []
    return facts + ([plural(len(synthetic), "synthetic image")] if synthetic is not None else [])
