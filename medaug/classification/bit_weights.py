"""The published BiT weights (Kolesnikov et al., 2020; ``BiT-M-R152x2.npz`` and its kin) from a local file.

The files hold TensorFlow variables by name, kernels as (height, width, in, out). Units are numbered from one,
and the three layers of a unit are called a, b and c: normalisation a comes before convolution a.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from medaug.arrays import Array
from medaug.errors import CheckpointError

_HEAD = "resnet/head/"
_LAYER = re.compile(r"encoder\.stages\.(\d+)\.layers\.(\d+)\.(norm|conv)([123])\.(weight|bias)")
_SHORTCUT = re.compile(r"encoder\.stages\.(\d+)\.layers\.(\d+)\.downsample\.conv\.weight")
_NORM = {"weight": "group_norm/gamma", "bias": "group_norm/beta"}
_KERNEL = "standardized_conv2d/kernel"


def published_name(parameter: str) -> str:
    """Return the published name of a parameter of transformers' ``BitModel``.

    Examples
    --------
    >>> published_name("encoder.stages.0.layers.1.norm2.bias")
    'resnet/block1/unit02/b/group_norm/beta'
    """
    if parameter == "embedder.convolution.weight":
        return f"resnet/root_block/{_KERNEL}"
    if parameter.startswith("norm."):
        return f"resnet/{_NORM[parameter.removeprefix('norm.')]}"
    if match := _SHORTCUT.fullmatch(parameter):
        return f"{_unit(match)}/a/proj/{_KERNEL}"
    if match := _LAYER.fullmatch(parameter):
        letter = "abc"[int(match[4]) - 1]
        return f"{_unit(match)}/{letter}/{_NORM[match[5]] if match[3] == 'norm' else _KERNEL}"
    raise CheckpointError(f"a BiT network has no parameter {parameter!r}")


def load_bit_weights(network: nn.Module, path: Path) -> None:
    """Load published weights into a ``BitModel``, every one of them; the published head is left out.

    Raises
    ------
    CheckpointError
        The file cannot be read, lacks a weight, has one of another shape, or belongs to a deeper network.
    """
    published = _read(path)
    names = {parameter: published_name(parameter) for parameter in network.state_dict()}
    state = {
        parameter: _take(published, names[parameter], value, path)
        for parameter, value in network.state_dict().items()
    }
    left = {name for name in published if name.startswith("resnet/") and not name.startswith(_HEAD)}
    if left := left - set(names.values()):
        raise CheckpointError(f"{path} belongs to another network: there is no place for {min(left)!r}")
    network.load_state_dict(state)


def _unit(match: re.Match[str]) -> str:
    return f"resnet/block{int(match[1]) + 1}/unit{int(match[2]) + 1:02d}"


def _read(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            # Some of the published files number the variables: standardized_conv2d_17.
            return {
                re.sub(r"standardized_conv2d_\d+/", "standardized_conv2d/", name): file[name] for name in file
            }
    except FileNotFoundError:
        raise CheckpointError(
            f"there is no file {path}; download the BiT weights (.npz) there first"
        ) from None
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} cannot be read as published BiT weights (.npz): {error}") from error


def _take(published: Mapping[str, Array], name: str, value: Tensor, path: Path) -> Tensor:
    if name not in published:
        raise CheckpointError(f"{path} lacks the weights {name!r}; it is not a file for this BiT network")
    weight = torch.from_numpy(np.ascontiguousarray(_to_torch(published[name])))
    if weight.shape != value.shape:
        raise CheckpointError(
            f"{path} has {name!r} as {tuple(weight.shape)}, this network needs {tuple(value.shape)}"
        )
    return weight


def _to_torch(weight: Array) -> Array:
    """Kernels (height, width, in, out) become (out, in, height, width)."""
    return weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight
