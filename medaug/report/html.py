"""The report: one HTML file without any reference to the network, for screen and paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from medaug.analysis.looks import Looks
from medaug.data.skew import Skew, skewed
from medaug.data.store import ImageStore
from medaug.evaluation.metrics_table import PHANTOM_DATA, headline
from medaug.evaluation.results import Results
from medaug.files import write_aside
from medaug.quality.judgement import Judgement
from medaug.report import sections, tidy
from medaug.report.answer import answer_sentences, answer_table
from medaug.report.curve_figures import scored_classes
from medaug.report.data_tables import evaluated_images, rejected_images_table
from medaug.report.gallery import CERTAIN, Gallery, gallery
from medaug.report.group_words import BORDERS, FEWEST
from medaug.report.looks_sections import looks_sections
from medaug.report.naming import Called, named_looks, named_results
from medaug.report.parts import Section, Table
from medaug.report.quality_section import quality_section
from medaug.report.skew_table import skew_table
from medaug.report.slides_section import LEFT_OUT, shows_pictures, slides_section
from medaug.report.style import Styles, method_styles
from medaug.report.verdict_words import family_sentence
from medaug.report.words import plural
from medaug.task import Kind


def write_report(
    path: Path,
    results: Results,
    *,
    title: str,
    store: ImageStore | None = None,
    synthetic: ImageStore | None = None,
    quality: Judgement | None = None,
    skew: Skew | None = None,
    rejected: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    headline: str | None = None,
    high_risk: Sequence[str] = (),
    looks: Looks | None = None,
    patient_pictures: bool = True,
    called: Called = str,
    seed: int = 0,
) -> Sequence[str]:
    """Write the report as one self-contained HTML file; the file is whole or absent.

    Parameters
    ----------
    path : Path
        The file.
    results : Results
        What `medaug.evaluation.evaluate` returned. Without a comparison differences have no intervals.
    title : str
        Heading.
    store, synthetic : ImageStore, optional
        Real and synthetic images. Without `store` the data are described by the evaluated images alone.
    quality : Judgement, optional
        Whether the synthetic images are good enough; said first.
    skew : Skew, optional
        How the real training images were skewed; `store` is the whole data, before that.
    rejected : mapping of str to DataFrame
        For each training that left synthetic images out: how many, see
        `medaug.evaluation.agreed.rejected_table`.
    headline : str, optional
        The metric that leads; None, and one that was not measured, choose it by what the metrics are.
    high_risk : sequence of str
        Classes that must not be missed; their sensitivity is shown.
    looks : Looks, optional
        The paper's closer looks, of `medaug.analysis.looks`.
    patient_pictures : bool
        Whether real images are shown; the report says so.
    called : callable
        What a method is called: `medaug.report.arm_names.arm_name` for trainings of medaug, as it is for the
        methods of anybody else.
    seed : int
        Of the drawing of real images that are shown.

    Returns
    -------
    sequence of str
        The answer in words: the sentences that the report begins with.

    Notes
    -----
    Patients, images and files are counted, never named.
    """
    results, looks = named_results(results, called), None if looks is None else named_looks(looks, called)
    content = _Content(
        results=results,
        store=store,
        synthetic=synthetic,
        quality=quality,
        skew=skew,
        rejected=rejected,
        headline=headline,
        high_risk=high_risk,
        looks=looks,
        patient_pictures=patient_pictures,
        seed=seed,
    )
    environment = Environment(
        loader=PackageLoader("medaug.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    fields = content.fields()
    html = environment.get_template("report.html.j2").render(title=title, **fields)
    with write_aside(Path(path)) as temporary:
        temporary.write_text(html, encoding="utf-8", errors="replace")
    answer: Sequence[str] = fields["sentences"]
    return answer


@dataclass(frozen=True)
class _Content:
    """Everything that the sections are made of."""

    results: Results
    store: ImageStore | None
    synthetic: ImageStore | None
    quality: Judgement | None
    skew: Skew | None
    rejected: Mapping[str, pd.DataFrame]
    headline: str | None
    high_risk: Sequence[str]
    looks: Looks | None
    patient_pictures: bool
    seed: int

    def fields(self) -> Mapping[str, Any]:
        """Return what the template asks for."""
        metrics, predictions = self.results.metrics, self.results.predictions
        table, comparison = tidy.tidied(metrics), self.results.comparison
        differences = None if comparison is None else tidy.tidied_differences(comparison)
        methods = tidy.methods(table, self.results.baseline or _baseline(comparison))
        metric, real = headline(metrics, self.headline), self._as_trained_on()
        phantom = is_phantom(metrics, predictions, self.store, self.synthetic)
        shown, pairs = slides_section(real, self.patient_pictures), self._gallery(real)
        return {
            "written": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
            "facts": _header_facts(predictions, methods, self.store, self.synthetic),
            "phantom": phantom,
            "fewest": FEWEST,
            "borders": BORDERS,
            "patients": not phantom and (shows_pictures(shown) or pairs.shows_real),
            "sentences": [
                *self._quality(),
                *answer_sentences(table, differences, methods, metric),
                *self.results.notes,
            ],
            "below": family_sentence(differences),
            "answer": answer_table(table, differences, methods, metric),
            "sections": [s for s in self._sections(table, method_styles(methods), metric, real, shown) if s],
            "gallery": pairs,
            "certain": CERTAIN,
            "provenance": sections.provenance_section(self.store, self.synthetic),
            "seeds": int(table["seeds"].max()) if len(table) else 1,
        }

    def _quality(self) -> list[str]:
        return [] if self.quality is None else [self.quality.sentence]

    def _as_trained_on(self) -> ImageStore | None:
        return None if self.store is None else skewed(self.store, self.skew)

    def _gallery(self, real: ImageStore | None) -> Gallery:
        if self.synthetic is None:
            return Gallery(())
        if self.patient_pictures:
            return gallery(self.synthetic, real, self.seed)
        return replace(gallery(self.synthetic, None), note=LEFT_OUT)

    def _sections(
        self,
        table: pd.DataFrame,
        styles: Styles,
        metric: str,
        real: ImageStore | None,
        slides: Section | None,
    ) -> list[Section | None]:
        """Everything between the answer and the synthetic images."""
        predictions = self.results.predictions
        return [
            sections.data_section(real, predictions, self._kind(), self.high_risk, self._more_tables()),
            slides,
            quality_section(self.quality, self.synthetic, real if self.patient_pictures else None),
            sections.accuracy_section(table, styles, metric, self.high_risk),
            sections.fairness_section(table, styles, metric),
            sections.central_section(self.results.posterior, styles),
            sections.improvement_section(self.results.improvement, table, metric),
            sections.curves_section(predictions, styles, self.results.groupings, table),
            *looks_sections(self.looks, styles),
        ]

    def _kind(self) -> Kind | None:
        return self.results.kind if self.store is None else self.store.task.kind

    def _more_tables(self) -> list[Table]:
        """Tell what was done to the data: real images skewed, synthetic ones rejected."""
        tables = [rejected_images_table(training, table) for training, table in self.rejected.items()]
        if self.store is None or self.skew is None:
            return tables
        return [skew_table(self.store, {"As trained on": self.skew}), *tables]


def is_phantom(metrics: pd.DataFrame, predictions: pd.DataFrame, *stores: ImageStore | None) -> bool:
    """Tell whether any input is marked as phantom data: a store, the predictions or the metrics."""
    marked = "source" in metrics and metrics["source"].eq(PHANTOM_DATA).any()
    drawn = "phantom" in predictions and predictions["phantom"].fillna(False).astype(bool).any()
    return bool(marked or drawn or any(s is not None and s.phantom for s in stores))


def _baseline(comparison: pd.DataFrame | None) -> str | None:
    return None if comparison is None or comparison.empty else str(comparison["baseline"].iloc[0])


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
