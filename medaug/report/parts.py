"""What the report's template draws: sections of tables and pictures. Plain text, escaped there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.figure import Figure

from medaug.report.narrow_figures import is_wide, narrow
from medaug.report.style import svg_uri


@dataclass(frozen=True)
class Cell:
    """A cell: its text, a smaller note and a longer remark below, and its kind (CSS classes)."""

    text: str
    note: str = ""
    kind: str = "number"
    remark: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first `names` cells of a row are its headings."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    names: int = 1


@dataclass(frozen=True)
class Picture:
    """A figure as a data URI with its width in CSS pixels, alternative text and caption.

    `narrow` is the same for a telephone; empty where the figure is narrow enough.
    """

    uri: str
    width: int
    alt: str
    caption: str
    narrow: str = ""


@dataclass(frozen=True)
class Beside:
    """Pictures that stand beside each other as far as there is room."""

    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Folded:
    """Parts behind a switch: the numbers of a figure, or more figures of the same kind."""

    summary: str
    folded: Sequence[Table | Picture]


@dataclass(frozen=True)
class Section:
    """A numbered part of the report."""

    title: str
    text: Sequence[str] = ()
    parts: Sequence[Table | Picture | Beside | Folded] = ()


def name(text: str, note: str = "") -> Cell:
    """Return a heading cell."""
    return Cell(text, note, "name")


def picture(figure: Figure, alt: str, caption: str) -> Picture:
    """Return a figure as a picture, which takes it apart; an inch is 96 CSS pixels."""
    wide = Picture(svg_uri(figure), round(figure.get_figwidth() * 96), alt, caption)
    if not is_wide(figure):
        return wide
    narrow(figure)
    return replace(wide, narrow=svg_uri(figure))
