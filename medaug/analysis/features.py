"""Features of a trained classifier on the images of a run: the space of Section F.3."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from medaug.analysis.image_sets import GENERATED, external_parts, real_sets
from medaug.arrays import Array, IntArray
from medaug.classification.networks import Classifier
from medaug.classification.predict import predict_logits
from medaug.data.store import ImageStore
from medaug.randomness import numpy_generator

MOST_IMAGES = 900
"""Images of a set; three times what a subset of the paper has."""


class Penultimate(nn.Module):
    """A classifier without its heads: images (B, C, H, W) in [0, 1] to features (B, F)."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, image: Tensor) -> Tensor:
        """Return the penultimate layer."""
        return self.classifier.features(image)


def features_of_sets(
    classifier: Classifier,
    store: ImageStore,
    synthetic: ImageStore | None,
    *,
    image_size: int,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
    most: int = MOST_IMAGES,
    seed: int = 0,
) -> dict[str, Array]:
    """Return features of training, evaluation and generated images, the same in every process.

    Parameters
    ----------
    classifier : Classifier
        Left in the mode (training or not) it came in.
    store, synthetic : ImageStore
        Real images; generated ones, if there are any.
    image_size, batch_size : int
        Side in pixels; images of a batch in one process.
    most : int
        Images of each set, drawn without replacement where it has more.
    seed : int
        Of that draw: the same images for every classifier.

    Returns
    -------
    dict of str to float32 array of shape (images, F)
        By the name of the set, see `medaug.analysis.image_sets`; sets without images are left out.

    Notes
    -----
    Looks reduce all sets to the smallest. An external data set is therefore a set of its own only where it
    has at least half as many images as the smallest set without it.
    """
    generated = [] if synthetic is None else [(GENERATED, synthetic, synthetic.rows())]
    real = real_sets(store.table)
    smallest = min([most, *map(len, real.values()), *(len(rows) for _, _, rows in generated)])
    sets = [*_with_parts(store, real, -(-smallest // 2)), *generated]
    network = Penultimate(classifier)
    return {
        name: predict_logits(
            network,
            images,
            _some(rows, most, seed, name),
            image_size=image_size,
            batch_size=batch_size,
            device=device,
        ).numpy()
        for name, images, rows in sets
        if len(rows)
    }


def _with_parts(
    store: ImageStore, real: Mapping[str, IntArray], fewest: int
) -> list[tuple[str, ImageStore, IntArray]]:
    """List the real sets, each followed by its external data sets of enough images."""
    return [
        (name, store, some)
        for whole, rows in real.items()
        for name, some in {whole: rows, **external_parts(store.table, whole, rows, fewest)}.items()
    ]


def _some(rows: IntArray, most: int, seed: int, name: str) -> IntArray:
    drawn = numpy_generator(seed, "features", name).permutation(len(rows))[:most]
    return rows[np.sort(drawn)]
