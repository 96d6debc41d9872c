from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medaug.quality.judgement import Judgement
from medaug.quality.limits import Check
from medaug.quality.resampling import UNKNOWN, Estimated, Row, tidy_table
from medaug.report.parts import Picture, Table
from medaug.report.quality_section import quality_section


def estimated(value: float) -> Estimated:
    return Estimated(np.linspace(value, value, 30), 60)


@pytest.fixture
def judgement() -> Judgement:
    rows = [
        Row("kid_ratio", estimated(40), estimated(1)),
        Row("agreement", estimated(0.6), estimated(0.9)),
        Row("agreement", estimated(0.6), estimated(0.9), label="edema"),
        Row("property", UNKNOWN, estimated(0.9), attribute="sex", group="F"),
    ]
    images = pd.DataFrame({"image_id": ["a"], "copy": [False]})
    return Judgement([Check("likeness", "failed", "Noisy.")], tidy_table(rows, 0.95), images, {})


def test_the_section_says_in_words_first_that_the_images_failed(judgement: Judgement) -> None:
    section = quality_section(judgement, None, None)
    assert section.text[0] == "The synthetic images are not good enough. Noisy."
    checks, overall, picture, groups = section.parts
    assert isinstance(checks, Table)
    assert [cell.text for cell in checks.rows[0]] == ["likeness", "failed", "Noisy."]
    assert [cell.text for cell in overall.rows[0][1:]] == ["40.000", "60", "1.000", "60"]
    assert isinstance(picture, Picture)
    assert [[cell.text for cell in row[:2]] for row in groups.rows] == [["condition", "edema"], ["sex", "F"]]
    assert groups.rows[0][6].note == "real 0.900"
    assert groups.rows[1][8].text == "not estimable"


def test_images_that_were_not_judged_have_no_section() -> None:
    assert quality_section(None, None, None) is None
