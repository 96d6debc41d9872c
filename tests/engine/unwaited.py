"""A stand-in for a GPU that must not be waited for: the device "meta", whose tensors have no values.

Torch itself makes an error of every look at a value there. What it lets pass, but waits for on a GPU, is
found by `unwaited`: operations whose result has a size that values decide, or whose success is read back, and
copies to the device for which the program stops.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")
READ_BACK = {
    *("_local_scalar_dense", "nonzero", "masked_select", "bincount", "histc", "repeat_interleave"),
    *("_unique2", "unique_consecutive", "unique_dim", "_linalg_check_errors", "is_nonzero", "equal"),
}


class Waiting(AssertionError):
    """A GPU would have been waited for."""


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = tree_leaves((args, kwargs))
        devices = {thing.device for thing in given if isinstance(thing, torch.Tensor)}
        devices |= {thing for thing in given if isinstance(thing, torch.device)}
        if META in devices:
            _look(func, args, kwargs, from_cpu=torch.device("cpu") in devices)
        return func(*args, **kwargs)


def _look(func, args, kwargs, from_cpu):
    name = func._schema.name.removeprefix("aten::")
    named = dict(zip([argument.name for argument in func._schema.arguments], args, strict=False)) | kwargs
    if name in READ_BACK or _has_mask(named.get("indices")):
        raise Waiting(f"{name} reads values")
    if name in ("_to_copy", "copy_") and from_cpu and not named.get("non_blocking"):
        raise Waiting(f"{name} from the CPU waits until it is done")


def _has_mask(indices):
    return isinstance(indices, (list, tuple)) and any(
        index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices
    )


class _Calls(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        values = func in (torch.tensor, torch.as_tensor) and not isinstance(args[0], torch.Tensor)
        if values and str(kwargs.get("device")) == "meta":
            raise Waiting("a list of values is copied to the device, which waits until it is done")
        return func(*args, **kwargs)


@contextmanager
def unwaited() -> Iterator[None]:
    """Make an error of whatever a GPU would be waited for."""
    with _Operations(), _Calls():
        yield
