"""How a network is laid onto its device: precision, memory layout, compilation, where noise is drawn.

None of it changes what is computed but by rounding, and all of it is off on a CPU, whose results are exactly
repeatable. On a GPU all is on that the card can do, so that a training uses it without a word of the user.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from monai.inferers.inferer import Inferer
from torch import Tensor, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import apply_activation_checkpointing

from medaug.engine.distributed import is_first, wrap
from medaug.errors import SettingsError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Acceleration:
    """What is done for speed and memory.

    Parameters
    ----------
    amp : bool
        The network computes in bfloat16 where precision allows (autocast). Its range is that of float32, so
        that no gradient has to be scaled.
    tf32 : bool
        What stays in float32 is multiplied in TensorFloat-32.
    channels_last : bool
        Weights and images lie in memory as convolutions on a GPU read them.
    compile : bool
        ``torch.compile``: fuses group norms, activations and changes of precision or layout into the layers
        around them, those of MONAI's attention among them.
    fused_optimizer : bool
        The optimiser's step is one kernel.
    noise_on_device : bool
        Noise is drawn where it is used, see `medaug.engine.philox`.
    augment_on_device : bool
        A classifier's images are augmented where they are used, in the same way.
    cuda_graphs : bool
        What is compiled is recorded on its first steps and replayed as a whole, so that a GPU is not told
        each kernel. A result is overwritten by the next: who keeps one copies it.
    gradient_checkpointing : bool
        Blocks are computed again on the way back, instead of being kept: less memory, a third more compute.

    Examples
    --------
    >>> Acceleration.of(torch.device("cpu"), {"amp": True, "compile": None}).amp
    True
    """

    amp: bool = False
    tf32: bool = False
    channels_last: bool = False
    compile: bool = False
    fused_optimizer: bool = False
    noise_on_device: bool = False
    augment_on_device: bool = False
    cuda_graphs: bool = False
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        if self.cuda_graphs and not self.compile:
            raise SettingsError(
                "cuda_graphs replays a compiled network; set compile to true too, or leave cuda_graphs false"
            )

    @classmethod
    def of(cls, device: torch.device, given: Mapping[str, bool | None]) -> Acceleration:
        """Return what is given, and where that is None, what is usual on the device."""
        return replace(cls._usual(device), **{k: v for k, v in given.items() if v is not None})

    @classmethod
    def _usual(cls, device: torch.device) -> Acceleration:
        if device.type != "cuda":
            return cls()
        return cls(
            amp=torch.cuda.is_bf16_supported(including_emulation=False),
            tf32=True,
            channels_last=True,
            compile=find_spec("triton") is not None,  # what torch.compile needs on a GPU
            fused_optimizer=True,
            noise_on_device=True,
            augment_on_device=True,
        )

    def facts(self, device: torch.device) -> dict[str, Any]:
        """Return what was chosen and the name of the device, to be recorded."""
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return {"device": name, **asdict(self)}

    def trained(
        self, network: nn.Module, device: torch.device, blocks: tuple[type[nn.Module], ...] = ()
    ) -> nn.Module:
        """Return a network on its device, ready to be trained by all processes.

        Parameters
        ----------
        network : Module
            Changed in place; the weights keep their names.
        device : device
            Where this process computes.
        blocks : tuple of type
            What is computed again under gradient checkpointing.
        """
        if self.gradient_checkpointing:
            apply_activation_checkpointing(network, check_fn=lambda module: isinstance(module, blocks))
        return self.compiled(wrap(self.laid_out(network, device), device))

    def laid_out(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Move a network to its device in the memory layout, and set how the device multiplies float32."""
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
            torch.backends.cudnn.allow_tf32 = self.tf32
            torch.backends.cudnn.benchmark = True
        network = network.to(device)
        return network.to(memory_format=torch.channels_last) if self.channels_last else network  # type: ignore[call-overload]

    def compiled(self, network: nn.Module) -> nn.Module:
        """Return the network compiled, if it is to be, and say what the first step will take."""
        if not self.compile:
            return network
        folder = _keep_compiled()
        if is_first():
            logger.info(
                "Compiling the network on its first step: minutes, once; later runs find it in %s", folder
            )
        return _replayed(network) if self.cuda_graphs else torch.compile(network)  # type: ignore[return-value]

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """Return the context in which a network computes."""
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.amp)


PLAIN = Acceleration()
"""Nothing of it: as on a CPU."""


class AcceleratedInferer(Inferer):
    """Calls a network as MONAI's `SimpleInferer` does, in the precision and layout of an `Acceleration`.

    The loss is computed outside, in float32.
    """

    def __init__(self, acceleration: Acceleration) -> None:
        super().__init__()
        self.acceleration = acceleration

    def __call__(self, inputs: Tensor, network: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what the network says of images (B, C, H, W)."""
        if self.acceleration.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with self.acceleration.autocast(inputs.device):
            return network(inputs, *args, **kwargs)


def _replayed(network: nn.Module) -> nn.Module:
    """Compile for CUDA graphs, which hold one shape each."""
    found: nn.Module = torch.compile(network, dynamic=False, options={"triton.cudagraphs": True})  # type: ignore[assignment]
    return found


def _keep_compiled() -> Path:
    """Have torch.compile keep what it makes where it lasts, not in its folder of temporary files."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache / "medaug" / "compiled")))
