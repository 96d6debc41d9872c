"""Made-up failures: each is refused with its sentence, and real images in the role of synthetic ones pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from medaug.data.store import ImageStore
from medaug.errors import DataError
from medaug.quality.judgement import Judgement
from medaug.task import label_column

COUNT = 120
LABELS = [label_column(name) for name in ("edema", "effusion")]


@pytest.fixture(scope="module")
def good(drawn) -> tuple[pd.DataFrame, np.ndarray]:
    return drawn(COUNT, 5)


def outcomes(judgement: Judgement) -> dict[str, str]:
    return {check.name: check.outcome for check in judgement.checks}


def with_noise(images: np.ndarray, level: float) -> np.ndarray:
    noise = np.random.default_rng(9).normal(0, level, images.shape)
    return (images + noise).clip(0, 255).round().astype(np.uint8)


def test_real_images_in_the_role_of_synthetic_ones_pass(judged, good) -> None:
    judgement = judged(*good)
    assert judgement.outcome == "passed"
    assert set(outcomes(judgement)) == {"variety", "likeness", "copies", "conditions", "sex"}
    assert judgement.sentence == "The synthetic images are good enough by every check."
    assert judgement.usable.all()
    assert judgement.images["agreement"].mean() > 0.65


def test_noise_is_refused(judged, good) -> None:
    noise = np.random.default_rng(0).integers(0, 256, good[1].shape).astype(np.uint8)
    judgement = judged(good[0], noise)
    assert judgement.outcome == "failed"
    assert "do not look like real ones, they are noisy" in judgement.sentence
    assert "Train the generator longer" in judgement.sentence


def test_blurred_images_are_refused(judged, good) -> None:
    judgement = judged(good[0], np.stack([gaussian_filter(image, (5, 5, 0)) for image in good[1]]))
    assert outcomes(judgement)["likeness"] == "failed"
    (sentence,) = [check.sentence for check in judgement.checks if check.name == "likeness"]
    assert "do not look like real ones, they are blurred" in sentence


def test_one_image_again_and_again_is_refused(judged, good) -> None:
    judgement = judged(good[0], with_noise(np.repeat(good[1][:1], COUNT, axis=0), 3))
    assert outcomes(judgement)["variety"] == "failed"
    assert "The images repeat one another: 100% of them have a double" in judgement.sentence


def test_conditions_that_were_shuffled_are_refused(judged, good) -> None:
    table = good[0].copy()
    table[LABELS] = table[LABELS].to_numpy()[np.random.default_rng(1).permutation(COUNT)]
    judgement = judged(table, good[1])
    assert outcomes(judgement) == {
        **dict.fromkeys(("variety", "likeness", "copies", "sex"), "passed"),
        "conditions": "failed",
    }
    assert "The images ignore the conditions asked for" in judgement.sentence


def test_a_property_that_was_shuffled_is_refused(judged, good) -> None:
    table = good[0].assign(**{"attr:sex": np.random.default_rng(2).permutation(good[0]["attr:sex"])})
    judgement = judged(table, good[1])
    assert outcomes(judgement)["sex"] == "failed"
    assert outcomes(judgement)["conditions"] == "passed"
    assert "The images ignore the sex asked for" in judgement.sentence


def test_copies_among_many_are_found_and_left_out(judged, drawn, real: ImageStore) -> None:
    """20 among 1,000; what a generator copies is not exact."""
    table, images = drawn(980, 7)
    copied = real.rows("train")[::9]
    both = pd.concat([table, real.table.iloc[copied]], ignore_index=True)[table.columns]
    judgement = judged(both, np.concatenate([images, with_noise(real.images()[copied], 4)]))
    assert len(copied) == 20
    found = judgement.images["copy"].to_numpy()
    assert found[980:].all()
    assert found[:980].sum() == 0
    assert judgement.usable.tolist() == (~found).tolist()
    assert judgement.images["nearest_in_pixels"][980:].tolist() == real.table["image_id"][copied].tolist()
    (row,) = judgement.numbers.query("measure == 'copies'").to_dict("records")
    assert (row["value"], row["n"], row["real_n"]) == (0.02, 1000, 100)
    assert judgement.outcome == "passed"


def test_a_generator_that_copies_all_is_refused(judged, real: ImageStore) -> None:
    rows = real.rows("train")[:COUNT]
    judgement = judged(real.table.iloc[rows].reset_index(drop=True), with_noise(real.images()[rows], 3))
    assert outcomes(judgement)["copies"] == "failed"
    assert "The generator draws its training images: 120 of 120" in judgement.sentence


def test_few_images_are_said_not_to_tell(judged, drawn) -> None:
    judgement = judged(*drawn(30, 8))
    assert judgement.outcome == "undecided"
    assert "passed, as far as there are images enough to tell" in judgement.sentence
    assert outcomes(judgement)["likeness"] == "undecided"
    assert "there are 30 images, at least 50 tell" in judgement.sentence


def test_a_judgement_is_read_as_it_was_written(judged, good, tmp_path: Path) -> None:
    judgement = judged(*good)
    path = tmp_path / "quality.json"
    judgement.write(path)
    again = Judgement.read(path)
    assert (again.checks, again.sentence, again.outcome) == (
        list(judgement.checks),
        judgement.sentence,
        judgement.outcome,
    )
    pd.testing.assert_frame_equal(again.numbers, judgement.numbers)
    pd.testing.assert_frame_equal(again.images, judgement.images)
    assert sorted(p.name for p in tmp_path.glob("quality*")) == ["quality.json", "quality.parquet"]
    path.write_text("{")
    with pytest.raises(DataError, match=r"quality.json is damaged .* delete it, to be made anew"):
        Judgement.read(path)
