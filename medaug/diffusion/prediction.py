"""What a network is trained to predict, and the noise that its prediction stands for.

Whatever it is, samplers and guidance are given noise. A noisy image is x = a · image + s · noise with
a² + s² = 1; ``epsilon`` is the noise (Ho et al. 2020), ``x`` the image, and ``v`` = a · noise - s · image
(Salimans and Ho 2022, arXiv 2202.00512), whose error counts alike at all levels of noise.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from medaug.errors import SettingsError

Prediction = Literal["epsilon", "v", "x"]
LossWeight = Literal["none", "min_snr", "bounded"]

PREDICTIONS: tuple[Prediction, ...] = ("epsilon", "v", "x")

LARGEST_WEIGHT = 5.0
"""Largest weight of an image's squared error (Hang et al. 2023, arXiv 2303.09556, Section 3.4)."""


def check_prediction(name: str) -> None:
    """Raise a SettingsError unless this is something that a network can predict."""
    if name not in PREDICTIONS:
        raise SettingsError(f"there is no prediction {name!r}; there are: {', '.join(PREDICTIONS)}")


def target(
    kind: Prediction, image: Tensor, noise: Tensor, image_scale: Tensor, noise_scale: Tensor
) -> Tensor:
    """Return what a network is to predict from ``image_scale * image + noise_scale * noise``."""
    if kind == "epsilon":
        return noise
    return image if kind == "x" else image_scale * noise - noise_scale * image


def noise_of(
    kind: Prediction, predicted: Tensor, x: Tensor, image_scale: Tensor, noise_scale: Tensor
) -> Tensor:
    """Return the noise in `x` that a prediction stands for."""
    if kind == "epsilon":
        return predicted
    if kind == "x":
        return (x - image_scale * predicted) / noise_scale
    return noise_scale * x + image_scale * predicted


def loss_weight(name: LossWeight, kind: Prediction, image_scale: Tensor, noise_scale: Tensor) -> Tensor:
    """Return the weight of the squared error of a prediction.

    Parameters
    ----------
    name : {"none", "min_snr", "bounded"}
        ``none`` is 1. With the signal-to-noise ratio SNR = image_scale² / noise_scale² the others give the
        error of the *image* the weight min(SNR, 5) (Min-SNR, Hang et al. 2023, Section 3.4), or
        min(SNR + 1, 5): that of ``v``, bounded alike, which also counts where there is mostly noise.
    kind : {"epsilon", "v", "x"}
        What is predicted.
    image_scale, noise_scale : Tensor
        Of the noisy image.
    """
    if name == "none":
        return torch.ones_like(image_scale)
    snr = (image_scale / noise_scale) ** 2
    of_image = (snr if name == "min_snr" else snr + 1).clamp(max=LARGEST_WEIGHT)
    if kind == "x":
        return of_image
    return of_image / (snr if kind == "epsilon" else snr + 1)
