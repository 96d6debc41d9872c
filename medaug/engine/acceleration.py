"""How a network is laid onto its device: precision, memory layout, compilation, where noise is drawn.

None of it changes what is computed but by rounding, and all of it is off on a CPU, whose results are exactly
repeatable. On a GPU all is on that the card can do, so that a training uses it without a word of the user.
"""

from __future__ import annotations

import logging
import os
import shutil
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from monai.inferers.inferer import Inferer
from torch import Tensor, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import apply_activation_checkpointing

from medaug.engine.distributed import is_first, wrap
from medaug.engine.philox import Cipher, philox
from medaug.errors import SettingsError

logger = logging.getLogger(__name__)

_KEPT = "TORCHINDUCTOR_CACHE_DIR"


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
        asked = {name: value for name, value in given.items() if value is not None}
        if device.type == "cuda" and "compile" not in asked:  # whoever has chosen needs no advice
            asked["compile"] = _can_compile(device)
        return replace(cls._usual(device), **asked)

    @classmethod
    def _usual(cls, device: torch.device) -> Acceleration:
        if device.type != "cuda":
            return cls()
        return cls(
            amp=torch.cuda.is_bf16_supported(including_emulation=False),
            tf32=True,
            channels_last=True,
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
        if not self.gradient_checkpointing:
            return self.compiled(wrap(self.laid_out(network, device), device))
        apply_activation_checkpointing(network, check_fn=lambda module: isinstance(module, blocks))
        # Several processes cut what is compiled around them into their buckets, which older torch cannot with
        # this (pytorch issue 104674).
        return wrap(self.compiled(self.laid_out(network, device)), device)

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
        _keep_compiled()
        if is_first():
            logger.info(
                "Compiling the network on its first step: minutes, once; later runs find it in %s",
                os.environ.get(_KEPT, "torch's folder of temporary files"),
            )
        # Each shape by itself: otherwise the second network of a program, an upsampler after a base model, is
        # taken for the first with another shape, and computed by slower kernels for any shape.
        options = {"triton.cudagraphs": True} if self.cuda_graphs else None
        return torch.compile(network, dynamic=False, options=options)  # type: ignore[return-value, arg-type]

    @property
    def cipher(self) -> Cipher:
        """What counts random words: compiled, one kernel instead of a dozen for each of ten rounds."""
        return torch.compile(philox, dynamic=True) if self.compile else philox

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
            return network(one_stride(inputs), *args, **kwargs)


def one_stride(images: Tensor) -> Tensor:
    """Return a view in which a single channel has the stride that its size gives it.

    Any stride is right for it, and what was done to images before decides which one it has; but a network is
    compiled for one.

    Examples
    --------
    >>> grey = torch.zeros(2, 1, 4, 4)
    >>> one_stride(grey.to(memory_format=torch.channels_last)).stride() == grey.stride()
    True
    """
    return images.view(images.shape)


@contextmanager
def untried_convolutions() -> Iterator[None]:
    """Have cuDNN choose its convolutions by rule, not by trying them, for shapes that do not come often.

    `Acceleration.laid_out` has it try, which pays in thousands of equal steps but takes seconds for a shape.
    """
    cudnn = torch.backends.cudnn
    before, cudnn.benchmark = cudnn.benchmark, False
    try:
        yield
    finally:
        cudnn.benchmark = before


def _can_compile(device: torch.device) -> bool:
    """Say whether torch.compile can work on a GPU; where it cannot, tell what is missing."""
    missing = [what for what, there in _needs_of_triton(device).items() if not there]
    if missing and is_first():
        logger.warning(
            "Networks are not compiled, which would be faster: there is no %s", " and no ".join(missing)
        )
    return not missing


def _needs_of_triton(device: torch.device) -> dict[str, bool]:
    """Say what there is of what Triton needs: it builds a small module of Python's in C wherever it runs."""
    scheme = sysconfig.get_default_scheme()
    include = sysconfig.get_path("include", "posix_prefix" if scheme == "posix_local" else scheme)
    return {
        "Triton": find_spec("triton") is not None,
        "C compiler": bool(os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")),
        "Python.h": Path(include, "Python.h").is_file(),
        "GPU of compute capability 7 or more": torch.cuda.get_device_capability(device) >= (7, 0),
    }


def _keep_compiled() -> None:
    """Have torch.compile keep what it makes where it lasts, not in its folder of temporary files."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "medaug", "compiled")
        cache.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a container may have no home, or none that can be written to
        return
    if os.access(cache, os.W_OK):
        os.environ.setdefault(_KEPT, str(cache))
