"""The spaces in which sets of images are compared: what a network sees in them, and coarse pixels.

ImageNet features rank medical images much as experts do, and better than features that were trained on
radiographs (arXiv:2311.13717).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from medaug.arrays import Array, FloatArray, IntArray
from medaug.classification.classifier import load_classifier
from medaug.classification.efficientnet import EfficientNetLite0
from medaug.classification.networks import Classifier, build_classifier
from medaug.classification.predict import predict_logits
from medaug.data.store import ImageStore
from medaug.errors import DataError, SettingsError

PRETRAINED = "efficientnet_lite0"
"""The features that come with medaug: EfficientNet-Lite0, trained on ImageNet."""

SMALLEST, LARGEST = 64, 224
"""Sides in pixels between which images are shown to the pretrained network as they are."""

REDUCED_SIDE = 32
"""Of images whose pixels are compared: noise and fine detail hardly change them."""


class FeatureNetwork(nn.Module):
    """What a classifier sees in images of any size: its penultimate layer, and what is seen where.

    The latter is the middle of the pretrained network; of other classifiers it is the penultimate layer, too.

    Parameters
    ----------
    classifier : Classifier
        In evaluation mode.
    smallest, largest : int
        Sides in pixels that it works at; smaller images are enlarged, larger ones reduced.
    before : callable, optional
        What is done to images (B, C, H, W) in [0, 1] first.
    """

    def __init__(
        self,
        classifier: Classifier,
        smallest: int,
        largest: int,
        before: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.classifier, self.smallest, self.largest, self.before = classifier, smallest, largest, before

    def forward(self, image: Tensor) -> Tensor:
        """Return features (B, F) and, behind them, what is seen where (B, G), of images in [0, 1]."""
        if self.before is not None:
            image = self.before(image)
        side = min(max(image.shape[-1], self.smallest), self.largest)
        if side != image.shape[-1]:
            image = interpolate(image, size=(side, side), mode="bilinear", antialias=True)
        features = self.classifier.features(image)
        backbone = self.classifier.backbone
        middle = backbone.middle(image * 2 - 1) if isinstance(backbone, EfficientNetLite0) else features
        return torch.cat([features, middle], dim=1)

    @property
    def width(self) -> int:
        """Number of features, F."""
        head: nn.Linear = self.classifier.heads[0]  # type: ignore[assignment]  # as every head is
        return head.in_features


def feature_network(
    name: str, channels: int, before: Callable[[Tensor], Tensor] | None = None
) -> FeatureNetwork:
    """Return the network of some features.

    Parameters
    ----------
    name : str
        ``"efficientnet_lite0"``, or the file of a classifier of medaug, whose own features are used then.
    channels : {1, 3}
        Channels of the images.
    before : callable, optional
        What is done to images first, see `medaug.quality.spoiling`.

    Raises
    ------
    SettingsError
        The classifier is for images of other channels.
    CheckpointError
        There is no such file, or it is no classifier.
    """
    if name == PRETRAINED:
        return FeatureNetwork(build_classifier(name, 1, channels).eval(), SMALLEST, LARGEST, before)
    classifier, info = load_classifier(Path(name))
    if classifier.settings["channels"] != channels:
        raise SettingsError(
            f"the classifier {name} is for images of {classifier.settings['channels']} channel(s), these "
            f"have {channels}; use features {PRETRAINED!r}, or name another file"
        )
    return FeatureNetwork(classifier, info.image_size, info.image_size, before)


@dataclass(frozen=True)
class SeenImages:
    """Rows of a store as vectors.

    Attributes
    ----------
    store : ImageStore
        Where they are from.
    rows : array of int64, (N,)
        Which they are.
    features : array of float32, (N, F)
        What the network sees in them.
    layout : array of float32, (N, G)
        What it sees where; small findings are told by it.
    pixels : array of float32, (N, P)
        Their pixels in grey levels, averaged to a side of at most 32.
    """

    store: ImageStore
    rows: IntArray
    features: FloatArray
    layout: FloatArray
    pixels: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: Array) -> SeenImages:
        """Return some of the images: positions or a mask."""
        vectors = (self.features, self.layout, self.pixels)
        return SeenImages(self.store, self.rows[chosen], *(v[chosen] for v in vectors))

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows of the store's table, numbered from 0."""
        return self.store.table.iloc[self.rows].reset_index(drop=True)

    @cached_property
    def units(self) -> IntArray:
        """Number of the patient of each image; a synthetic image is by itself."""
        if not len(self) or self.table["synthetic"].all():
            return np.arange(len(self), dtype=np.int64)
        return pd.factorize(self.table["patient_id"])[0].astype(np.int64)

    @cached_property
    def present(self) -> Array:
        """Whether each class is present, (images, classes): 1, 0, or NaN where it is not known.

        Where classes exclude one another, the one of largest weight is present.
        """
        labels = self.store.task.labels(self.table)
        if self.store.task.kind == "multilabel":
            return np.where(np.isnan(labels), np.nan, (labels >= 0.5).astype(np.float32))
        largest = np.nan_to_num(labels, nan=-1.0).argmax(axis=1)
        one_hot = np.eye(labels.shape[1], dtype=np.float32)[largest]
        return np.where(np.isnan(labels).all(axis=1, keepdims=True), np.nan, one_hot)


def see(
    network: FeatureNetwork,
    store: ImageStore,
    rows: IntArray,
    *,
    size: int,
    batch_size: int,
    device: torch.device | str,
) -> SeenImages:
    """Show rows of a store to a network; every process sees its share and gets all features."""
    seen = predict_logits(
        network.to(device), store, rows, image_size=size, batch_size=batch_size, device=device
    ).numpy()
    features, layout = seen[:, : network.width], seen[:, network.width :]
    return SeenImages(store, rows, features, layout, reduced_pixels(store, rows, size))


def reduced_pixels(store: ImageStore, rows: IntArray, size: int) -> FloatArray:
    """Return images as vectors (len(rows), side² · C) in grey levels, averaged to a side of at most 32."""
    side, images = min(size, REDUCED_SIDE), store.images(size)
    some = [rows[start : start + 1000] for start in range(0, len(rows), 1000)]
    pixels = (torch.from_numpy(images[part]).permute(0, 3, 1, 2).float() for part in some)
    reduced = [interpolate(p, size=(side, side), mode="area").flatten(1).numpy() for p in pixels]
    return np.concatenate(reduced) if reduced else np.zeros((0, side * side * store.channels), np.float32)


def common_size(real: ImageStore, synthetic: ImageStore) -> int:
    """Return the largest side in pixels that both stores have; a DataError where they cannot be compared."""
    shared = set(real.sizes) & set(synthetic.sizes)
    if not shared or real.channels != synthetic.channels:
        raise DataError(
            f"{real.path} (sizes {real.sizes}, {real.channels} channel(s)) and {synthetic.path} (sizes "
            f"{synthetic.sizes}, {synthetic.channels} channel(s)) have no size in common; make both anew "
            "with the same settings"
        )
    return max(shared)
