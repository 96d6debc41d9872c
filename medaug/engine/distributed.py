"""One process or many: what ``torchrun`` needs, and nothing where it was not used."""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import Any, TypeVar

import torch
from ignite import distributed as idist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from medaug.errors import SettingsError
from medaug.parallel import usable_cores

Shared = TypeVar("Shared", bound=Any)

logger = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(hours=12)
"""One process may write a store or a report for long while the others wait for it."""


def start(name: str = "auto") -> None:
    """Join the other processes of ``torchrun``; do nothing in a program that runs alone.

    Parameters
    ----------
    name : str
        Device to train on (see `device`); decides between NCCL (one GPU a process) and Gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or idist.backend() is not None:
        return
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    on_gpus = name != "cpu" and torch.cuda.is_available() and torch.cuda.device_count() >= here
    idist.initialize("nccl" if on_gpus else "gloo", timeout=LONGEST_WAIT)


def end() -> None:
    """Leave the other processes; do nothing in a program that runs alone."""
    if idist.backend() is not None:
        idist.finalize()


def device(name: str = "auto") -> torch.device:
    """Return this process's device.

    Parameters
    ----------
    name : str
        ``"auto"`` (a GPU where there is one for each process), ``"cuda"`` (this process's GPU), or any name
        that torch knows, for example ``"cpu"`` or ``"cuda:1"``.

    Raises
    ------
    SettingsError
        There is no such device here.

    Examples
    --------
    >>> device("cpu")
    device(type='cpu')
    """
    gpu = torch.cuda.is_available() and idist.backend() != "gloo"
    if name == "auto":
        name = "cuda" if gpu else "cpu"
    try:
        found = torch.device(name)
    except RuntimeError:
        raise SettingsError(f"there is no device {name!r}; use 'auto', 'cpu' or 'cuda'") from None
    if found.type == "cuda" and not gpu:
        raise SettingsError(
            f"the device {name!r} was asked for but no GPU can be used; use --device_name cpu"
        )
    if name == "cuda":
        return torch.device("cuda", idist.get_local_rank())
    return found


def wrap(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, and average its gradients over all processes if there are several.

    With a batch shared evenly, the gradients are those of the whole batch in one process up to rounding.
    Unlike Ignite's ``auto_model`` this never spreads one process over several GPUs. The number of trainable
    parameters goes to the log.
    """
    network = network.to(device)
    if is_first():
        parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
        logger.info("The network has %s parameters", f"{parameters:,}")
    if processes() == 1:
        return network
    # No static_graph: torch.compile does without it, and there are no unused parameters to look for.
    return DistributedDataParallel(
        network,
        device_ids=[device] if device.type == "cuda" else None,
        gradient_as_bucket_view=True,  # no second copy of all gradients
    )


def unwrap(network: nn.Module) -> nn.Module:
    """Return the network inside `wrap` and ``torch.compile``, whose state has the plain names."""
    compiled: nn.Module | None = getattr(network, "_orig_mod", None)
    inner = network.module if isinstance(network, DistributedDataParallel) else compiled
    return network if inner is None else unwrap(inner)


def processes() -> int:
    """Return how many processes there are, on all machines together."""
    return int(idist.get_world_size())


def rank() -> int:
    """Return the number of this process, from 0."""
    return int(idist.get_rank())


def is_first() -> bool:
    """Say whether this is the process that writes files."""
    return rank() == 0


def own_share(things: Shared) -> Shared:
    """Return every n-th of some things (a list, an array), so that n processes have them all."""
    share: Shared = things[rank() :: processes()]
    return share


def own_cores() -> int:
    """Return the cores of this machine that fall to this process; 0 where there are fewer than processes."""
    return usable_cores() // int(idist.get_nproc_per_node())


def sum_over_processes(values: Tensor) -> Tensor:
    """Return the sum of the tensors of all processes, the same in each of them."""
    return values if processes() == 1 else torch.as_tensor(idist.all_reduce(values))


def of_first(value: bool) -> bool:
    """Return what the first process says, in all of them: of a file that another run may make meanwhile."""
    return bool(idist.broadcast(float(value)))


def barrier() -> None:
    """Wait for all processes."""
    idist.barrier()
