"""From real and synthetic images to a judgement of the synthetic ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import BoolArray
from medaug.quality.copies import Nearest, closer_than_real, nearest
from medaug.quality.fidelity import roughness
from medaug.quality.image_features import SeenImages
from medaug.quality.judgement import Judgement
from medaug.quality.limits import FEWEST_HELD_OUT, Limits, checks
from medaug.quality.measures import Compared, compared_attributes, drawn
from medaug.quality.probes import agreement
from medaug.quality.resampling import UNKNOWN, Estimated, Resampling, Row, share, tidy_table, unknown

Spaces = Mapping[str, Nearest]
"""The nearest training images by space: ``features`` and ``pixels``."""


def judge(
    synthetic: SeenImages,
    held_out: SeenImages,
    training: SeenImages,
    spoiled: Mapping[str, SeenImages],
    *,
    limits: Limits,
    resampling: Resampling,
    size: int,
    sample: int,
    properties: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Judgement:
    """Judge synthetic images.

    Parameters
    ----------
    synthetic : SeenImages
        All of them: each is looked at for being a copy.
    held_out, training : SeenImages
        Real images that the generator did not, and did learn from, see `Compared`.
    spoiled : mapping of str to SeenImages
        The held-out images made bad, for each of `medaug.quality.spoiling.SPOILINGS`.
    limits : Limits
        What is required.
    resampling : Resampling
        How intervals are made.
    size : int
        Side in pixels at which the images are looked at.
    sample : int
        Images of each kind, drawn at random where there are more, that fidelity, variety and probes use.
    properties : sequence of str
        Properties that the generator is conditioned on.
    settings : mapping, optional
        Written into the judgement.
    """
    made, unseen, learnt = (
        drawn(images, sample, resampling.seed) for images in (synthetic, held_out, training)
    )
    compared = Compared(made, unseen, learnt, compared_attributes(synthetic, training), resampling)
    spaces = {name: _nearest(name, training, synthetic) for name in ("features", "pixels")}
    real = {name: _nearest(name, training, held_out) for name in spaces}
    copied = _copied(spaces, real)
    rows = [
        *compared.rows(),
        *(Row(name, UNKNOWN, compared.distance(images)) for name, images in spoiled.items()),
        *_nearest_rows(spaces, real, copied, compared),
        _detail(compared, size),
    ]
    table = tidy_table(rows, resampling.confidence)
    images = _image_table(synthetic, training, spaces, copied, compared)
    return Judgement(checks(table, limits, tuple(properties)), table, images, settings or {})


def _nearest(space: str, training: SeenImages, images: SeenImages) -> Nearest:
    return nearest(getattr(images, space), getattr(training, space), training.units)


def _copied(spaces: Spaces, real: Spaces) -> BoolArray:
    """Tell which are copies, in either space; none is where too few real images tell what is near."""
    none = np.zeros(len(spaces["pixels"].distance), np.bool_)
    if len(real["pixels"].distance) < FEWEST_HELD_OUT:
        return none
    copied: BoolArray = np.logical_or.reduce([closer_than_real(spaces[s], real[s]) for s in spaces])
    return copied


def _nearest_rows(spaces: Spaces, real: Spaces, copied: BoolArray, compared: Compared) -> Iterator[Row]:
    """Give the mean distance to the nearest training image in both spaces, and the share of copies."""
    weights, held_out = (compared.resampling.weights(np.arange(n), "nearest") for n in _lengths(spaces, real))
    for space, measure in (("features", "distance"), ("pixels", "pixel_distance")):
        yield Row(measure, share(spaces[space].distance, weights), share(real[space].distance, held_out))
    told = len(held_out) >= FEWEST_HELD_OUT
    yield Row("copies", share(copied, weights) if told else unknown(len(copied)), unknown(len(held_out)))


def _lengths(*spaces: Spaces) -> list[int]:
    return [len(by_space["pixels"].distance) for by_space in spaces]


def _detail(compared: Compared, size: int) -> Row:
    """Say how rough the images are, as a multiple of the roughness of training images."""
    made, held_out, training = (
        np.sqrt(share(roughness(images.store, images.rows, size), compared.weights(images)).values)
        for images in compared.all
    )
    return Row(
        "detail",
        Estimated(made / training[0], len(compared.synthetic)),
        Estimated(held_out / training[0], len(compared.held_out)),
    )


def _image_table(
    synthetic: SeenImages, training: SeenImages, spaces: Spaces, copied: BoolArray, compared: Compared
) -> pd.DataFrame:
    exclusive = synthetic.store.task.kind == "multiclass"
    names = training.table["image_id"].to_numpy()
    features, pixels = spaces["features"], spaces["pixels"]
    return pd.DataFrame(
        {
            "image_id": synthetic.table["image_id"],
            "nearest": names[features.places],
            "distance": features.distance,
            "ratio": features.ratio,
            "nearest_in_pixels": names[pixels.places],
            "pixel_distance": pixels.distance,
            "pixel_ratio": pixels.ratio,
            "copy": copied,
            "agreement": agreement(
                synthetic.present, compared.probe.probabilities(synthetic.layout), exclusive
            ),
        }
    )
