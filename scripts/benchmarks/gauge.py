"""Times, FLOPs and memory of steps on a device."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

Work = Callable[[], Any]
"""One step, or one batch of images."""


@dataclass(frozen=True)
class Entrant:
    """Somebody who takes part.

    Parameters
    ----------
    name : str
        Library, and what of it.
    images : int
        Images of one step.
    flops : float
        Floating-point operations of an image, counted.
    begin : callable
        Builds all that is needed and returns the work.
    """

    name: str
    images: int
    flops: float
    begin: Callable[[], Work]


@dataclass
class Result:
    """What was measured of an entrant so far; speeds are of whole rounds."""

    case: str
    name: str
    images: int
    flops: float
    first_step_seconds: float
    peak_gib: float = 0.0
    images_per_second: list[float] = field(default_factory=list)

    def row(self, matrix_tflops: float, of_first: float | None) -> dict[str, Any]:
        """Return the figures of a table."""
        speed = median(self.images_per_second)
        tflops = speed * self.flops / 1e12
        return {
            **asdict(self),
            "rounds": len(self.images_per_second),
            "images_per_second": speed,
            "slowest": min(self.images_per_second),
            "fastest": max(self.images_per_second),
            "step_ms": 1e3 * self.images / speed,
            "tflops": tflops,
            "share_of_matrix_rate": tflops / matrix_tflops,
            "medaug_is": None if of_first is None else of_first / speed,
        }


class Clock:
    """Seconds on a device, waiting for what it was told to do."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def now(self) -> float:
        """Wait for the device and look at the clock."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return perf_counter()

    def seconds(self, work: Work, times: int = 1) -> float:
        """Return how long some repetitions take."""
        begun = self.now()
        for _ in range(times):
            work()
        return self.now() - begun

    def peak_gib(self, work: Work) -> float:
        """Return the most memory that tensors take during the work, those of others too."""
        if self.device.type != "cuda":
            work()
            return 0.0
        torch.cuda.reset_peak_memory_stats(self.device)
        work()
        return torch.cuda.max_memory_allocated(self.device) / 2**30

    def gib(self) -> float:
        """Return the memory that tensors take; 0 where it is not counted."""
        return torch.cuda.memory_allocated(self.device) / 2**30 if self.device.type == "cuda" else 0.0


def matrix_tflops(device: torch.device, side: int) -> float:
    """Return the rate of a product of square matrices in bfloat16, the best of some."""
    clock, first = Clock(device), torch.randn(side, side, device=device, dtype=torch.bfloat16)
    second = torch.randn_like(first)
    clock.seconds(lambda: first @ second, 3)
    return max(2e-12 * side**3 * 10 / clock.seconds(lambda: first @ second, 10) for _ in range(5))


def flops_of_image(
    network: nn.Module, call: Callable[[nn.Module, int], torch.Tensor], backward: bool
) -> float:
    """Count the operations of an image in a network that is not compiled; products only, as is usual."""
    with FlopCounterMode(display=False) as counter:
        output = call(network, 1)
        if backward:
            output.float().square().mean().backward()
    network.zero_grad(set_to_none=True)
    return float(counter.get_total_flops())


def write_results(path: Path, content: dict[str, Any]) -> None:
    """Write all that is known so far, whole."""
    aside = path.with_suffix(".partial")
    aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    aside.replace(path)
