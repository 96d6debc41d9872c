"""The network of the generative models: MONAI's diffusion UNet, told a condition vector.

MONAI's `class_labels` are integers that look up an embedding. Here the lookup is a small network from the
condition vector to the embedding, so that labels may be soft, several, or unknown (zeros).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

import torch
from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
from torch import Tensor, nn

from medaug.errors import CheckpointError, SettingsError
from medaug.randomness import derive_seed

LARGEST_ATTENTION_SIDE = 32
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
    seed: int = 0,
) -> ConditionalUNet:
    """Build the UNet of Table E1.

    Parameters
    ----------
    image_size : int
        Side in pixels of the images that it makes; divisible by 2 once for each level but the last.
    image_channels : int
        Channels of the images, 1 or 3; also of the output, the predicted noise.
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
    seed : int
        The run's seed; the first weights follow from it alone and the global random state is left as it was.

    Returns
    -------
    ConditionalUNet
        ``network(x, timesteps=t, class_labels=condition)`` predicts the noise: x (B, in_channels, H, W),
        t (B,), condition float (B, condition_size).

    Raises
    ------
    SettingsError
        The image cannot be halved as often as there are levels.
    """
    arguments = {
        "image_size": image_size,
        "image_channels": image_channels,
        "in_channels": in_channels,
        "condition_size": condition_size,
        "channels": list(channels),
        "residual_blocks": residual_blocks,
        "head_channels": head_channels,
    }
    if image_size % 2 ** (len(channels) - 1):
        raise SettingsError(f"images of side {image_size} cannot be halved {len(channels) - 1} times")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "unet"))
        return _build(condition_size, arguments)


def _build(condition_size: int, arguments: dict[str, Any]) -> ConditionalUNet:
    image_size, channels = arguments["image_size"], arguments["channels"]
    head_channels = arguments["head_channels"]
    return ConditionalUNet(
        condition_size,
        arguments,
        spatial_dims=2,
        in_channels=arguments["in_channels"],
        out_channels=arguments["image_channels"],
        channels=tuple(channels),
        num_res_blocks=arguments["residual_blocks"],
        attention_levels=[image_size // 2**k <= LARGEST_ATTENTION_SIDE for k in range(len(channels))],
        num_head_channels=[gcd(head_channels, width) for width in channels],
        norm_num_groups=_norm_groups(channels),
        # As in monai-generative, whose checkpoints stay loadable.
        include_fc=False,
        use_combined_linear=False,
        use_flash_attention=True,
    )


def _norm_groups(channels: Sequence[int]) -> int:
    """Most groups that divide every width; one channel a group would normalise brightness away."""
    common = gcd(*channels)
    most = max(1, min(LARGEST_NORM_GROUPS, min(channels) // CHANNELS_IN_A_NORM_GROUP))
    return max(groups for groups in range(1, most + 1) if common % groups == 0)
