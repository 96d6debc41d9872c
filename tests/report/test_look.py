"""The colours of the pages can be read: WCAG 2.2, success criterion 1.4.3."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import medaug.report

CSS = (Path(medaug.report.__file__).parent / "templates" / "look.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--(\w+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "grey", "warn", "good"])
def test_text_stands_out_from_what_is_behind_it(scheme, text):
    for behind in ("paper", "soft", "warned"):
        assert contrast(scheme[text], scheme[behind]) >= 4.5, behind


def test_contrast_is_that_of_the_standard():
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_text_has_no_colours_besides():
    rules = CSS[CSS.index("* {") :]
    assert set(re.findall(r"(?<![-\w])color: ([^;}]+)", rules)) <= {
        f"var(--{name})" for name in ("ink", "grey", "warn", "good")
    }
