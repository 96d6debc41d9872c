"""The sections of the paper's closer looks (Sections 3.3 and G), as far as a run or a study has them."""

from __future__ import annotations

from medaug.analysis.looks import Looks
from medaug.report.feature_space import feature_section
from medaug.report.missed_section import missed_section
from medaug.report.parts import Section
from medaug.report.style import Styles


def looks_sections(looks: Looks | None, styles: Styles) -> list[Section]:
    """Return what is shown of the looks; nothing without any."""
    if looks is None:
        return []
    found = [feature_section(looks.distances, looks.components, styles), missed_section(looks.cases, styles)]
    return [section for section in found if section is not None]
