"""The page of a study, ``index.html``: one HTML file without any reference to the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from medaug.data.real import open_real
from medaug.data.store import ImageStore
from medaug.evaluation.metrics_table import headline
from medaug.files import write_aside
from medaug.grid.against_sections import budget_section, sampling_section
from medaug.grid.arms import REFERENCE
from medaug.grid.design import Study
from medaug.grid.first_screen import arms_table, first_attribute, trainings_sentence, winner_sentences
from medaug.grid.gathering import Compared, gather, write_results
from medaug.grid.study_sections import pareto_pictures, settings_section, study_sections
from medaug.report.data_tables import evaluated_images
from medaug.report.group_words import BORDERS, FEWEST
from medaug.report.html import is_phantom
from medaug.report.parts import Picture, Section, Table
from medaug.report.style import Styles, method_styles
from medaug.report.tidy import methods
from medaug.report.words import plural


@dataclass(frozen=True)
class Answer:
    """The first screen for one way of labelling; `labelled` is empty where there is only one."""

    labelled: str
    sentences: Sequence[str]
    pictures: Sequence[Picture]
    table: Table


def write_study_report(study: Study) -> Path:
    """Write ``index.html`` of a study and its CSV files from what its runs left.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    DataError
        The trainings were not evaluated yet.
    """
    folder, parts = Path(study.output), gather(study)
    write_results(folder, parts)
    parts = [part.called(study.arm_name) for part in parts]
    store = open_real(study.data) if study.data.is_dir() else None
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("medaug.grid"), PackageLoader("medaug.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("study.html.j2").render(**_content(study, parts, store))
    page = folder / "index.html"
    with write_aside(page) as temporary:
        temporary.write_text(html, encoding="utf-8", errors="replace")
    return page


def _content(study: Study, parts: Sequence[Compared], store: ImageStore | None) -> Mapping[str, Any]:
    styles = method_styles(methods(parts[0].metrics, REFERENCE))
    asked = study.evaluate.get("headline") or study.metadata["medaug"]["headline"]
    metric = headline(parts[0].metrics, asked)
    return {
        "title": f"Study of {len(styles)} arms: {study.metadata['name']}",
        "written": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        "facts": _facts(study, parts[0]),
        "phantom": is_phantom(parts[0].metrics, parts[0].predictions, store),
        "fewest": FEWEST,
        "borders": BORDERS,
        "answers": [_answer(part, styles, metric, len(parts) > 1) for part in parts],
        "sections": [*_sections(study, parts, styles, metric, store), settings_section(study)],
    }


def _answer(part: Compared, styles: Styles, metric: str, several: bool) -> Answer:
    attribute = first_attribute(part.metrics)
    return Answer(
        part.labelled if several else "",
        [
            *winner_sentences(part.metrics, part.differences, metric, attribute),
            trainings_sentence(part.metrics),
        ],
        pareto_pictures(part, styles, metric),
        arms_table(part.metrics, part.differences, metric, attribute),
    )


def _sections(
    study: Study, parts: Sequence[Compared], styles: Styles, metric: str, store: ImageStore | None
) -> Iterator[Section]:
    for part in parts:
        sampling = sampling_section(study, part, metric)
        for section in [
            *study_sections(study, part, styles, metric, store),
            *([sampling] if sampling else []),
        ]:
            title = f"{section.title} ({part.labelled})" if len(parts) > 1 else section.title
            yield replace(section, title=title)
    if (budgets := budget_section(study, parts, styles, metric)) is not None:
        yield budgets


def _facts(study: Study, part: Compared) -> list[str]:
    images = evaluated_images(part.predictions)
    trainings = len(list(study.cells()))
    return [
        f"{plural(trainings, 'training')} of classifiers",
        f"{plural(len(images), 'image')} evaluated",
        plural(images["patient_id"].nunique(), "patient"),
    ]
