"""Going on after a kill: the whole state of a training run in one file, written once an epoch.

To resume, run the same command again. The data order and the noise are functions of the position in the
run, so a resumed run ends in the same weights, bit for bit on one CPU thread, as one that was not stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from ignite.engine import Events
from monai.engines.trainer import SupervisedTrainer
from torch import nn
from torch.optim import Optimizer

from medaug.checkpoints import CheckpointFormat
from medaug.engine import distributed
from medaug.errors import CheckpointError, TrainingError

START_AGAIN = "delete it to start this training again, or name another --output_dir"
FORMAT = CheckpointFormat("medaug-resume-2", "resume file", START_AGAIN)
WAY_OUT = f"go on with the old settings, {START_AGAIN}"


class Stateful(Protocol):
    """Anything whose state can be taken and put back: a scheduler, the best network so far."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return tensors and plain Python values."""
        ...

    def load_state_dict(self, state_dict: Any, /) -> Any:
        """Take the state back."""
        ...


class Resume:
    """Handler that loads the state of an interrupted run at its start and saves it after each epoch.

    It saves after every other handler of the epoch (validation among them). The first process writes, all
    read. Saved are epoch and iteration, network, optimiser, `parts`, and the gradient scaler of mixed
    precision; the sampler of the trainer's loader is told where to start.

    Parameters
    ----------
    path : Path
        The resume file.
    network : Module
        The network without wrappers.
    optimizer : Optimizer
        Its optimiser.
    settings : mapping
        What must not change on the way (plain values): seed, batch size, identity of the data ...
    defaults : mapping
        What a run was begun with whose file is older than a setting.
    parts : mapping of Stateful
        What else has a state: ``{"scheduler": ..., "ema": ema_handler.ema_model}``.

    Raises
    ------
    CheckpointError
        At the start: the file is damaged, or of another network or other settings.
    TrainingError
        At the end of an epoch: a weight is not finite. The file from before stays.
    """

    def __init__(
        self,
        path: Path | str,
        network: nn.Module,
        optimizer: Optimizer,
        *,
        settings: Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
        parts: Mapping[str, Stateful] | None = None,
    ) -> None:
        self.path = Path(path)
        self.settings = _plain(settings)
        self.defaults = {name: v for name, v in _plain(defaults or {}).items() if name in self.settings}
        self.parts: dict[str, Stateful] = {"network": network, "optimizer": optimizer, **(parts or {})}

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(Events.STARTED, self.load)

    def load(self, engine: SupervisedTrainer) -> None:
        """Take the state of the interrupted run, if there was one."""
        if not engine.has_event_handler(self.save, Events.EPOCH_COMPLETED):
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)  # now, to be the last of the epoch
        if self.path.exists():
            self._put_back(FORMAT.read(self.path), engine)
        distributed.barrier()  # nobody deletes the file before all have read it

    def save(self, engine: SupervisedTrainer) -> None:
        """Write the state, unless it holds a number that is not finite."""
        content: dict[str, Any] = {
            "settings": self.settings,
            "epoch": engine.state.epoch,
            "iteration": engine.state.iteration,
            "parts": {name: dict(part.state_dict()) for name, part in self._parts(engine).items()},
        }
        _check_finite(content["parts"], engine.state.iteration)
        if distributed.is_first():
            FORMAT.write(self.path, content)

    def remove(self) -> None:
        """Delete the file: the run is complete."""
        self.path.unlink(missing_ok=True)

    def _parts(self, engine: SupervisedTrainer) -> dict[str, Stateful]:
        scaler = getattr(engine, "scaler", None)  # MONAI makes a new one in each run
        return self.parts if scaler is None else {**self.parts, "scaler": scaler}

    def _put_back(self, content: Mapping[str, Any], engine: SupervisedTrainer) -> None:
        _compare(self.defaults | content["settings"], self.settings, self.path)
        parts = self._parts(engine)
        if set(parts) != set(content["parts"]):
            missing = ", ".join(sorted(set(parts) ^ set(content["parts"])))
            raise CheckpointError(f"{self.path} was saved by a run that differs in: {missing}; {WAY_OUT}")
        for name, part in parts.items():
            try:
                _load(part, content["parts"][name])
            except (RuntimeError, ValueError, KeyError) as error:
                reason = " ".join(str(error).split())[:200]
                raise CheckpointError(f"{self.path} holds another {name}: {reason}; {WAY_OUT}") from None
        engine.state.epoch, engine.state.iteration = content["epoch"], content["iteration"]
        loader: Any = engine.data_loader
        loader.sampler.start = content["iteration"]


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(dict(settings), default=str)))


def _load(part: Stateful, state: Mapping[str, Any]) -> None:
    if isinstance(part, Optimizer):
        _load_optimizer(part, state)
    else:
        part.load_state_dict(state)


def _load_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Load what was saved on any device: whether a step is one kernel is this run's own, so is the layout.

    One kernel takes a weight and its moments in one layout only.
    """
    saved, own = state["param_groups"], optimizer.param_groups
    groups = [{**group, "fused": mine.get("fused")} for group, mine in zip(saved, own, strict=True)]
    optimizer.load_state_dict({**state, "param_groups": groups})
    for weight, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape and name != "step":
                values[name] = torch.empty_like(weight, requires_grad=False).copy_(value)


def _compare(saved: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    keys = sorted(set(saved) | set(now))
    differing = [
        f"{k} was {saved.get(k)!r} and is {now.get(k)!r}" for k in keys if saved.get(k) != now.get(k)
    ]
    if differing:
        raise CheckpointError(f"{path} was saved with other settings: {'; '.join(differing)}; {WAY_OUT}")


def _check_finite(parts: Mapping[str, Any], iteration: int) -> None:
    for name, tensor in _tensors(parts, ""):
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise TrainingError(
                f"{name} is not finite after iteration {iteration}, so nothing was saved; lower the learning "
                "rate or switch mixed precision off, and start again with --fresh true"
            )


def _tensors(value: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _tensors(item, f"{name}.{key}" if name else str(key))
