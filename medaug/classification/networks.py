"""Classifiers by name: one backbone shared by all conditions and one linear head for each (Section 3.2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from monai.networks.nets.densenet import DenseNet121
from monai.networks.nets.resnet import ResNet, resnet50, resnet152
from torch import Tensor, nn

from medaug.classification.bit_weights import load_bit_weights
from medaug.classification.efficientnet import FEATURES, EfficientNetLite0
from medaug.errors import SettingsError
from medaug.randomness import derive_seed


class Classifier(nn.Module):
    """A backbone that every condition shares, and a head for each condition.

    Parameters
    ----------
    backbone : nn.Module
        Takes images (B, C, H, W) in [-1, 1] and returns features (B, F).
    features : int
        F, the number of features.
    settings : mapping
        What `build_classifier` was called with: ``name``, ``classes``, ``channels``, ``dropout``. Saved
        beside the weights, so that the same network can be built again.
    """

    def __init__(self, backbone: nn.Module, features: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = dict(settings)
        self.backbone = backbone
        self.dropout = nn.Dropout(self.settings["dropout"])
        self.heads = nn.ModuleList(nn.Linear(features, 1) for _ in range(self.settings["classes"]))

    def features(self, image: Tensor) -> Tensor:
        """Return the penultimate layer (B, F) of images (B, C, H, W) in [0, 1], the space of Section F.3."""
        features: Tensor = self.backbone(image * 2 - 1)
        return features

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (B, classes), in the order of the task's classes, of images in [0, 1]."""
        features = self.dropout(self.features(image))
        return torch.cat([head(features) for head in self.heads], dim=1)


class BitBackbone(nn.Module):
    """BiT-ResNet (Kolesnikov et al., 2020): pre-activation, group normalisation, standardised weights.

    It always sees three channels, as the published weights do; a grey image is repeated.
    """

    def __init__(self, depths: tuple[int, ...], width: int) -> None:
        from transformers import BitConfig, BitModel  # here, since no other network needs it

        super().__init__()
        # The setting `width_factor` of transformers widens neither the stem nor the last norm.
        sizes = [width * size for size in (256, 512, 1024, 2048)]
        self.bit = BitModel(BitConfig(depths=depths, hidden_sizes=sizes, embedding_size=64 * width))

    def forward(self, image: Tensor) -> Tensor:
        """Return features (B, 2048 · width) of images (B, 1 or 3, H, W) in [-1, 1]."""
        pooled: Tensor = self.bit(image.expand(-1, 3, -1, -1)).pooler_output
        return pooled.flatten(1)


class _Backbone(NamedTuple):
    network: nn.Module
    features: int


def _small_resnet(channels: int) -> _Backbone:
    planes = [32, 64, 128, 256]
    network = ResNet(
        "basic",
        [1, 1, 1, 1],
        planes,
        spatial_dims=2,
        n_input_channels=channels,
        conv1_t_stride=2,
        feed_forward=False,
        bias_downsample=False,
    )
    return _Backbone(_with_group_norm(network, groups=8), planes[-1])


def _with_group_norm(network: nn.Module, groups: int) -> nn.Module:
    """Replace batch normalisation, so that an image's result does not depend on the others of its batch.

    The setting `norm` of MONAI 1.6.1's ResNet reaches its first layer only.
    """
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            network.set_submodule(name, nn.GroupNorm(groups, module.num_features))
    return network


def _monai_resnet(build: Callable[..., nn.Module]) -> Callable[[int], _Backbone]:
    def backbone(channels: int) -> _Backbone:
        network = build(
            spatial_dims=2,
            n_input_channels=channels,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
        return _Backbone(network, 2048)

    return backbone


def _densenet121(channels: int) -> _Backbone:
    network = DenseNet121(spatial_dims=2, in_channels=channels, out_channels=1)
    network.class_layers.out = nn.Identity()
    return _Backbone(network, 1024)


def _efficientnet_lite0(channels: int) -> _Backbone:
    return _Backbone(EfficientNetLite0(), FEATURES)


def _bit(depths: tuple[int, ...], width: int) -> Callable[[int], _Backbone]:
    return lambda _: _Backbone(BitBackbone(depths, width), 2048 * width)


BACKBONES: Mapping[str, Callable[[int], _Backbone]] = {
    "small_resnet": _small_resnet,
    "resnet50": _monai_resnet(resnet50),
    "resnet152": _monai_resnet(resnet152),
    "densenet121": _densenet121,
    "efficientnet_lite0": _efficientnet_lite0,
    "bit_50x1": _bit((3, 4, 6, 3), 1),
    "bit_101x3": _bit((3, 4, 23, 3), 3),
    "bit_152x2": _bit((3, 8, 36, 3), 2),
}
"""Backbones by name; adding one is adding a function from the number of channels to a backbone."""

PRETRAINED = frozenset({"efficientnet_lite0"})
"""Backbones that bring weights with them: those of ImageNet."""


def build_classifier(
    name: str,
    classes: int,
    channels: int,
    dropout: float = 0.0,
    weights: Path | str | None = None,
    seed: int = 0,
) -> Classifier:
    """Build a classifier (Table E1 (a), Section E.2).

    Parameters
    ----------
    name : str
        One of `BACKBONES`.
    classes : int
        Number of conditions, one head each.
    channels : {1, 3}
        Channels of the images.
    dropout : float
        Share of the features dropped before the heads in training.
    weights : path, optional
        Published BiT weights (``.npz``) for a ``bit_…`` backbone; the heads start fresh. Without them
        weights are random, but for the `PRETRAINED` backbones.
    seed : int
        The run's seed; the first weights follow from it alone and the global random state is left as it was.

    Examples
    --------
    >>> network = build_classifier("small_resnet", classes=5, channels=1)
    >>> network(torch.rand(2, 1, 64, 64)).shape
    torch.Size([2, 5])
    """
    if name not in BACKBONES:
        raise SettingsError(f"there is no classifier {name!r}; there are: {', '.join(BACKBONES)}")
    settings = {"name": name, "classes": classes, "channels": channels, "dropout": dropout}
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "classifier"))
        network = Classifier(*BACKBONES[name](channels), settings)
    if weights is not None:
        _load_weights(network, Path(weights))
    return network


def _load_weights(network: Classifier, path: Path) -> None:
    if not isinstance(network.backbone, BitBackbone):
        name = network.settings["name"]
        raise SettingsError(f"pretrained weights can be loaded into bit_* networks only, not into {name!r}")
    load_bit_weights(network.backbone.bit, path)
