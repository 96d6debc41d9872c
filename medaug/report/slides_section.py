"""The section of the report on slides: how many of each hospital, and what was cut from some of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.data.store import ImageStore
from medaug.report.data_figures import MOST_DOMAINS, largest_domains
from medaug.report.data_tables import by_domain_and_split
from medaug.report.parts import Beside, Cell, Picture, Section, Table, name
from medaug.report.words import split_name

OVERVIEWS = "overviews"
"""Folder of a store with ``<slide>.png`` for each slide that was cut."""

LEFT_OUT = "Pictures of patients are left out of this report."
A_DOMAIN = 2
_WIDTH = 470


def slides_section(store: ImageStore | None, patient_pictures: bool = True) -> Section | None:
    """Count slides and patches by domain, and show up to two slides of each.

    Parameters
    ----------
    store : ImageStore or None
        Patches of slides (``slide`` is known), or other images.
    patient_pictures : bool
        Whether slides are shown.

    Returns
    -------
    Section or None
        None where there are no slides. Of each domain one slide with many positive patches is shown and one
        without any, as far as there are overviews of such. Slides are counted, never named.
    """
    if store is None or "slide" not in store.table or store.table["slide"].isna().all():
        return None
    patches = store.table[store.table["slide"].notna()]
    condition = store.task.classes[0]
    table = _count_table(patches, condition)
    if not patient_pictures:
        return Section("The slides", [LEFT_OUT], [table])
    pictures = _pictures(store.path / OVERVIEWS, patches, condition)
    shown = (
        f"Shown are, of each domain (at most {MOST_DOMAINS}), the slide with the most patches of {condition} "
        "and one without any; boxes are the patches that were cut."
    )
    none = "There are no overviews of these slides, because their patches were cut elsewhere."
    if not pictures:
        return Section("The slides", [none], [table])
    return Section("The slides", [shown], [table, Beside(pictures)])


def shows_pictures(section: Section | None) -> bool:
    """Whether a section of `slides_section` shows slides."""
    return section is not None and any(isinstance(part, Beside) for part in section.parts)


def slide_table(patches: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Return the patches of each slide: with the condition, without it, and unlabelled.

    Parameters
    ----------
    patches : DataFrame
        ``slide``, ``domain``, ``split``, ``label:<condition>``.
    condition : str
        What is labelled.

    Returns
    -------
    DataFrame
        Indexed by ``slide``: ``domain``, ``split`` (that of its labelled patches, if it has any),
        ``present``, ``absent``, ``unlabelled``.

    Examples
    --------
    >>> cut = pd.DataFrame({"slide": ["a", "a"], "domain": "here", "split": "train", "label:t": [1.0, 0.0]})
    >>> slide_table(cut, "t").loc["a", ["present", "absent", "unlabelled"]].tolist()
    [1, 1, 0]
    """
    label = patches[f"label:{condition}"]
    marked = patches.assign(
        present=label.ge(0.5), absent=label.lt(0.5), unlabelled=label.isna(), last=label.isna()
    )
    first = {"domain": "first", "split": "first", "present": "sum", "absent": "sum", "unlabelled": "sum"}
    return marked.sort_values("last", kind="stable").groupby("slide", sort=True).agg(first)


def _count_table(patches: pd.DataFrame, condition: str) -> Table:
    """Count slides and patches by domain and split; one that gives unlabelled patches too counts once."""
    training = patches.assign(split=patches["split"].replace("unlabelled", "train"))
    body = [
        [name(domain), name(split_name(split)), *(Cell(f"{n:,}") for n in _counts(rows, condition))]
        for domain, split, rows in by_domain_and_split(training)
    ]
    slides = ["Slides", f"Slides with {condition}"]
    kinds = [f"Patches with {condition}", f"Patches without {condition}", "Patches unlabelled"]
    head = ["Domain", "Split", *slides, *kinds]
    return Table("Slides, and patches by label", head, body, names=2)


def _counts(rows: pd.DataFrame, condition: str) -> list[int]:
    slides = slide_table(rows, condition)
    patches = slides[["present", "absent", "unlabelled"]].sum()
    return [len(slides), int(slides["present"].gt(0).sum()), *map(int, patches)]


def _pictures(folder: Path, patches: pd.DataFrame, condition: str) -> list[Picture]:
    slides = slide_table(patches, condition)
    there = slides[[(folder / f"{slide}.png").is_file() for slide in slides.index]]
    chosen = [_telling(there[there["domain"] == domain]) for domain in largest_domains(patches)]
    return [
        _picture(folder / f"{slide}.png", row, condition)
        for slides_of_domain in chosen
        for slide, row in there.loc[slides_of_domain].iterrows()
    ]


def _telling(slides: pd.DataFrame) -> list[str]:
    """Choose the slide with most positive patches and one without any, as far as there are such."""
    positive = slides.sort_values("present", ascending=False, kind="stable").index
    negative = slides[slides["present"] == 0].sort_values("absent", ascending=False, kind="stable").index
    return list(dict.fromkeys([*positive[:1], *negative[:1], *positive]))[:A_DOMAIN]


def _picture(path: Path, slide: pd.Series[Any], condition: str) -> Picture:
    uri = "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    caption = f"{slide['domain']}, {split_name(slide['split'])}"
    alt = (
        f"Slide of {caption}, with the outlines of tissue and annotation and the patches that were cut: "
        f"{slide['present']} with {condition}, {slide['absent']} without, {slide['unlabelled']} unlabelled."
    )
    return Picture(uri, _WIDTH, alt, caption)
