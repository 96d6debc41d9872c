import pandas as pd
import pytest

from medaug.quality.limits import Limits, Numbers, _likeness, _seen


@pytest.mark.parametrize(
    ("value", "low", "real", "real_low", "outcome"),
    [
        (0.80, 0.75, 0.90, 0.85, "passed"),
        (0.57, 0.52, 0.90, 0.85, "failed"),  # (.57 - .5) / (.9 - .5) is less than 0.2
        (0.54, 0.49, 0.65, 0.60, "undecided"),  # enough of what little there is, but guessing may reach it
        (0.51, 0.46, 0.65, 0.60, "failed"),
        (0.80, 0.75, 0.55, 0.49, "undecided"),  # real images do not show it either
    ],
)
def test_what_was_asked_for_is_seen_or_ignored_or_not_known(value, low, real, real_low, outcome):
    row = {"value": value, "ci_low": low, "ci_high": value + 0.05, "real": real, "real_low": real_low}
    check = _seen({**row, "n": 500, "real_n": 700}, Limits(), "sex")

    assert check.outcome == outcome
    assert ("is not known" in check.sentence) == (outcome == "undecided")


def test_few_images_decide_nothing():
    row = {"value": 0.5, "ci_low": 0.3, "ci_high": 0.7, "real": 0.9, "real_low": 0.85, "n": 49, "real_n": 700}
    assert _seen(row, Limits(), "sex").outcome == "undecided"


@pytest.mark.parametrize(
    ("made", "held_out", "why"),
    [
        (1000, 10, "there are 10 real held-out images, at least 20 tell"),
        (30, 100, "there are 30 images, at least 50 tell"),
        (1000, 100, "there are 1000 images, but too few others to compare them with"),
    ],
)
def test_it_is_said_of_which_images_there_are_too_few(made: int, held_out: int, why: str) -> None:
    row = {"label": "", "attribute": "", "group": "", "value": float("nan"), "real": float("nan")}
    measures = ("kid_ratio", "precision", "detail", "blurred", "noisy")
    table = pd.DataFrame([{**row, "measure": name, "n": made, "real_n": held_out} for name in measures])
    check = _likeness(Numbers(table), Limits())
    assert check.outcome == "undecided"
    assert why in check.sentence
