"""The network of medaug, and peers of the same size."""

from __future__ import annotations

from typing import Any

import torch
from monai.networks.nets import DiffusionModelUNet
from torch import nn

from medaug.diffusion.unet import ConditionalUNet, build_unet
from medaug.presets import GeneratorPreset

Device = torch.device | str


def medaug_unet(
    row: GeneratorPreset, in_channels: int, condition_size: int, device: Device = "cpu"
) -> ConditionalUNet:
    """Build the network of a preset for grey images, on a device: on a GPU that takes no time."""
    shape = (row.channels, row.residual_blocks, row.head_channels)
    with torch.device(device):
        return build_unet(
            row.image_size, 1, in_channels, condition_size, *shape, attention_side=row.attention_side
        )


def monai_unet(like: ConditionalUNet, device: Device = "cpu") -> DiffusionModelUNet:
    """Build MONAI's own class with the arguments of ours, but without a condition."""
    with torch.device(device):
        return DiffusionModelUNet(
            spatial_dims=2,
            in_channels=like.arguments["in_channels"],
            out_channels=1,
            channels=like.block_out_channels,
            num_res_blocks=like.num_res_blocks,
            attention_levels=like.attention_levels,
            num_head_channels=like.num_head_channels,
            norm_num_groups=like.out[0].num_groups,
            include_fc=False,
            use_flash_attention=True,
        )


def diffusers_unet(like: ConditionalUNet, device: Device = "cpu") -> Any:
    """Build the network of diffusers with the arguments of ours, without a condition."""
    from diffusers import UNet2DModel

    arguments, attends = like.arguments, like.attention_levels
    with torch.device(device):
        return UNet2DModel(
            sample_size=arguments["image_size"],
            in_channels=arguments["in_channels"],
            out_channels=1,
            layers_per_block=arguments["residual_blocks"],
            block_out_channels=tuple(arguments["channels"]),
            down_block_types=[f"{'Attn' * a}DownBlock2D" for a in attends],
            up_block_types=[f"{'Attn' * a}UpBlock2D" for a in reversed(attends)],
            attention_head_dim=arguments["head_channels"],
            norm_num_groups=like.out[0].num_groups,
        )


def weights(network: nn.Module) -> str:
    """Return the size of a network in words."""
    return f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} M weights"
