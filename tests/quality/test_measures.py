from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medaug.quality.image_features import SeenImages
from medaug.quality.limits import Check, Limits, Numbers, _variety
from medaug.quality.measures import FEWEST_IN_GROUP, Compared
from medaug.quality.resampling import Resampling, tidy_table

COUNT = 60


def seen(count: int, patients: int, *, synthetic: bool = False) -> SeenImages:
    """Vectors of noise, of so many patients."""
    random = np.random.default_rng(count + synthetic)
    table = pd.DataFrame({"patient_id": [f"p{i % patients}" for i in range(count)], "synthetic": synthetic})
    vectors = [random.normal(size=(count, 4)).astype(np.float32) for _ in range(3)]
    return SeenImages(SimpleNamespace(table=table), np.arange(count), *vectors)


def variety(synthetic: SeenImages, real: SeenImages) -> tuple[float, Check]:
    """The share of images with a double, and what the check says."""
    compared = Compared(synthetic, real, real, (), Resampling(20, 0.95, 0))
    numbers = Numbers(tidy_table(list(compared._fidelity()), 0.95))
    return numbers("alike")["value"], _variety(numbers, Limits())


@pytest.mark.parametrize("patients", [1, COUNT])
def test_one_patient_does_not_tell_how_far_patients_are_apart(patients: int) -> None:
    value, check = variety(seen(COUNT, COUNT, synthetic=True), seen(COUNT, patients))
    assert np.isnan(value) if patients == 1 else value < 0.5
    assert check.outcome == ("undecided" if patients == 1 else "passed")
    assert ("there are 60 images, but too few others" in check.sentence) == (patients == 1)


def test_many_images_beside_few_real_ones_are_not_called_few() -> None:
    few = seen(FEWEST_IN_GROUP - 1, FEWEST_IN_GROUP - 1)
    _, check = variety(seen(COUNT, COUNT, synthetic=True), few)
    assert "there are 60 images, but too few others to compare them with" in check.sentence
