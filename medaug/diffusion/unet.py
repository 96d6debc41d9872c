"""The network of the generative models: MONAI's diffusion UNet, told a condition vector.

MONAI's `class_labels` are integers that look up an embedding. Here the lookup is a small network from the
condition vector to the embedding, so that labels may be soft, several, or unknown (zeros).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

import torch
import torch.nn.functional as F
from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet, DiffusionUNetResnetBlock
from torch import Tensor, nn

from medaug.errors import CheckpointError, SettingsError
from medaug.randomness import derive_seed

ATTENTION_SIDE = 32
"""Attention at every level whose side is at most this (Table E1 names 32, 16, 8)."""

LARGEST_NORM_GROUPS = 32
CHANNELS_IN_A_NORM_GROUP = 4


class ConditionalUNet(DiffusionModelUNet):
    """MONAI's `DiffusionModelUNet` with ``class_labels`` a float condition vector (B, condition_size).

    Build it with `build_unet`, which keeps its arguments in `arguments`.
    """

    def __init__(self, condition_size: int, arguments: Mapping[str, Any], **unet: Any) -> None:
        super().__init__(num_class_embeds=1, **unet)
        width = self.class_embedding.embedding_dim
        lookup = nn.Sequential(nn.Linear(condition_size, width), nn.SiLU(), nn.Linear(width, width))
        self.class_embedding = lookup  # type: ignore[assignment]  # called alike, with a vector
        self.condition_size = condition_size
        self.arguments = dict(arguments)
        self.patch = int(arguments.get("patch", 1))

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Compute MONAI's network on patches of pixels: each becomes the channels of one place."""
        if self.patch == 1:
            return super().forward(x, *args, **kwargs)
        return F.pixel_shuffle(super().forward(F.pixel_unshuffle(x, self.patch), *args, **kwargs), self.patch)

    def load_old_state_dict(self, old_state_dict: Mapping[str, Tensor], verbose: bool = False) -> None:
        """Load the weights of a `DiffusionModelUNet` of monai-generative 0.2.3.

        A network without classes is loaded so that the condition adds nothing (fine-tuning starts from
        there); one with K classes so that a one-hot condition of K slots stands for the class. Either way
        the output is that of the old network.

        Raises
        ------
        CheckpointError
            The weights belong to another architecture.
        """
        old = dict(old_state_dict)
        classes = old.pop("class_embedding.weight", None)
        embedding = self._no_condition() if classes is None else self._one_hot_condition(classes)
        try:
            super().load_old_state_dict(old | embedding, verbose)
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(f"the weights do not fit the UNet {self.arguments}: {reason}") from None

    def _no_condition(self) -> dict[str, Tensor]:
        weights = {
            f"class_embedding.{key}": value for key, value in self.class_embedding.state_dict().items()
        }
        last = {key: torch.zeros_like(value) for key, value in weights.items() if ".2." in key}
        return weights | last

    def _one_hot_condition(self, classes: Tensor) -> dict[str, Tensor]:
        """Weights that make Linear-SiLU-Linear a lookup, because SiLU(v) - SiLU(-v) = v."""
        count, width = classes.shape
        if count != self.condition_size or 2 * count > width:
            raise CheckpointError(
                f"the weights have {count} classes; build the network with condition_size={count} "
                f"and at least {2 * count} embedding channels (there are {width})"
            )
        first, last = classes.new_zeros(width, count), classes.new_zeros(width, width)
        first[:count], first[count : 2 * count] = torch.eye(count), -torch.eye(count)
        last[:, :count], last[:, count : 2 * count] = classes.T, -classes.T
        zeros = classes.new_zeros(width)
        values = {"0.weight": first, "0.bias": zeros, "2.weight": last, "2.bias": zeros}
        return {f"class_embedding.{key}": value for key, value in values.items()}


def build_unet(
    image_size: int,
    image_channels: int,
    in_channels: int,
    condition_size: int,
    channels: Sequence[int],
    residual_blocks: int,
    head_channels: int,
    patch: int = 1,
    attention_side: int = ATTENTION_SIDE,
    dropout: float = 0.0,
    seed: int = 0,
) -> ConditionalUNet:
    """Build the UNet of Table E1.

    Parameters
    ----------
    image_size : int
        Side in pixels of the images that it makes; divisible by `patch`, and then by 2 once for each level
        but the last.
    image_channels : int
        Channels of the images, 1 or 3; also of the output.
    in_channels : int
        Channels of the input: `image_channels`, or twice as many for an upsampler, whose input is the
        noisy image and the low-resolution image.
    condition_size : int
        Length of the condition vector.
    channels : sequence of int
        Width of each level, from the image downwards.
    residual_blocks : int
        Residual blocks a level.
    head_channels : int
        Channels an attention head; narrower levels have one head.
    patch : int
        Side of the square of pixels that is one place of the network: 1, or 2 or 4 for that many times fewer
        places along each axis, at about the square of it less compute.
    attention_side : int
        Largest side, in places, of the levels with attention.
    dropout : float
        Probability that a value is dropped before the last convolution of a residual block, in training.
    seed : int
        The run's seed; the first weights follow from it alone and the global random state is left as it was.

    Returns
    -------
    ConditionalUNet
        ``network(x, timesteps=t, class_labels=condition)`` predicts what it was trained to predict:
        x (B, in_channels, H, W), t (B,), condition float (B, condition_size).

    Raises
    ------
    SettingsError
        The image cannot be cut into patches, or not be halved as often as there are levels.
    """
    arguments = {
        "image_size": image_size,
        "image_channels": image_channels,
        "in_channels": in_channels,
        "condition_size": condition_size,
        "channels": list(channels),
        "residual_blocks": residual_blocks,
        "head_channels": head_channels,
        "patch": patch,
        "attention_side": attention_side,
        "dropout": dropout,
    }
    if patch < 1 or image_size % patch:
        raise SettingsError(f"images of side {image_size} cannot be cut into patches of side {patch}")
    if image_size // patch % 2 ** (len(channels) - 1):
        raise SettingsError(
            f"images of side {image_size // patch} cannot be halved {len(channels) - 1} times"
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "unet"))
        return _build(condition_size, arguments)


def _build(condition_size: int, arguments: dict[str, Any]) -> ConditionalUNet:
    channels, head_channels, patch = (arguments[name] for name in ("channels", "head_channels", "patch"))
    side, attention_side = arguments["image_size"] // patch, arguments["attention_side"]
    network = ConditionalUNet(
        condition_size,
        arguments,
        spatial_dims=2,
        in_channels=arguments["in_channels"] * patch**2,
        out_channels=arguments["image_channels"] * patch**2,
        channels=tuple(channels),
        num_res_blocks=arguments["residual_blocks"],
        attention_levels=[side // 2**k <= attention_side for k in range(len(channels))],
        num_head_channels=[gcd(head_channels, width) for width in channels],
        norm_num_groups=_norm_groups(channels),
        # As in monai-generative, whose checkpoints stay loadable.
        include_fc=False,
        use_combined_linear=False,
        use_flash_attention=True,
    )
    network.out = _ExactOutput(*network.out)
    if arguments["dropout"]:
        _add_dropout(network, arguments["dropout"])
    return network


class _ExactOutput(nn.Sequential):
    """The last layer, in float32 under autocast too: what it rounds, no later layer evens out."""

    def forward(self, features: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            exact = features.to(next(self.parameters()).dtype)
            output: Tensor = super().forward(exact)  # type: ignore[no-untyped-call]
        return output


def _add_dropout(network: nn.Module, probability: float) -> None:
    """Drop values before the last convolution of each residual block, as Ho et al. (2020) do.

    The names of the weights stay as they are.
    """
    for block in network.modules():
        if isinstance(block, DiffusionUNetResnetBlock):
            layers = OrderedDict(dropout=nn.Dropout(probability), conv=block.conv2.get_submodule("conv"))
            block.conv2 = nn.Sequential(layers)


def _norm_groups(channels: Sequence[int]) -> int:
    """Most groups that divide every width; one channel a group would normalise brightness away."""
    common = gcd(*channels)
    most = max(1, min(LARGEST_NORM_GROUPS, min(channels) // CHANNELS_IN_A_NORM_GROUP))
    return max(groups for groups in range(1, most + 1) if common % groups == 0)
