"""What happens around each iteration of training: small handlers for MONAI's trainers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from ignite.engine import Events
from monai.engines.trainer import SupervisedTrainer
from monai.engines.utils import IterationEvents
from monai.handlers.lr_schedule_handler import LrScheduleHandler
from torch.optim.lr_scheduler import LRScheduler

from medaug.engine import distributed
from medaug.engine.resume import Resume
from medaug.errors import TrainingError
from medaug.progress import Progress
from medaug.randomness import derive_seed


class Finish:
    """Writes the product at the end and deletes the resume file; a finished run does nothing again.

    Parameters
    ----------
    product : Path
        The file that the run is for; while it exists, the trainer returns at once.
    save : callable
        Writes `product`, whole or not at all. Only the first process calls it; the others wait.
    resume : Resume
        Handler that owns the resume file.
    """

    def __init__(self, product: Path | str, save: Callable[[], None], resume: Resume) -> None:
        self.product = Path(product)
        self.save = save
        self.resume = resume

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer, before every other handler."""
        engine.add_event_handler(Events.STARTED, self._skip_if_finished)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _skip_if_finished(self, engine: SupervisedTrainer) -> None:
        finished = self.product.exists()
        if finished:
            engine.terminate(skip_completed=True)
            if distributed.is_first():
                self.resume.remove()
        distributed.barrier()  # nobody finishes before all have looked

    def _finish(self, engine: SupervisedTrainer) -> None:
        if distributed.is_first():
            self.save()
            self.resume.remove()
        distributed.barrier()


class IterationSeed:
    """Reseeds torch's global generator at each iteration, so that dropout does not depend on the past."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(Events.ITERATION_STARTED, self._reseed)

    def _reseed(self, engine: SupervisedTrainer) -> None:
        torch.manual_seed(derive_seed(self.seed, "iteration", engine.state.iteration, distributed.rank()))


class ClipGradients:
    """Scales the gradients down to a total norm of at most `largest_norm` (Euclidean)."""

    def __init__(self, largest_norm: float) -> None:
        self.largest_norm = largest_norm

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self._clip)

    def _clip(self, engine: SupervisedTrainer) -> None:
        if engine.scaler is not None:  # the norm is meant in the unit of the loss
            engine.scaler.unscale_(engine.optimizer)
        torch.nn.utils.clip_grad_norm_(engine.network.parameters(), self.largest_norm)


class Snapshot:
    """Saves something once, after an iteration; a run that goes on after a kill saves the same again.

    Parameters
    ----------
    iteration : int
        After which it is saved, from 1.
    save : callable
        Writes it, whole or not at all. Only the first process calls it.
    """

    def __init__(self, iteration: int, save: Callable[[], None]) -> None:
        self.iteration, self.save = iteration, save

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer, after the handlers that change what is saved."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save_once)

    def _save_once(self, engine: SupervisedTrainer) -> None:
        if engine.state.iteration == self.iteration and distributed.is_first():
            self.save()


class LossMonitor:
    """Reads the losses now and then, all at once, since each look makes the GPU wait.

    The mean over the last iterations and all processes becomes ``engine.state.metrics["loss"]``.

    Parameters
    ----------
    every : int
        Iterations between two looks; the end of an epoch is looked at too, before anything is saved.

    Raises
    ------
    TrainingError
        A loss is not finite; the sentence names its iteration.
    """

    def __init__(self, every: int = 10) -> None:
        self.every = every
        self._losses: list[torch.Tensor] = []

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer, before handlers that show the loss."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._look)

    def _collect(self, engine: SupervisedTrainer) -> None:
        self._losses.append(engine.state.output["loss"].detach())
        if engine.state.iteration % self.every == 0:
            self._look(engine)

    def _look(self, engine: SupervisedTrainer) -> None:
        if not self._losses:
            return
        losses = torch.stack(self._losses).float()
        self._losses.clear()
        losses = distributed.sum_over_processes(losses) / distributed.processes()
        self._check(losses.isfinite().tolist(), engine)
        engine.state.metrics["loss"] = float(losses.mean())

    def _check(self, finite: list[bool], engine: SupervisedTrainer) -> None:
        if all(finite):
            return
        iteration = engine.state.iteration - len(finite) + finite.index(False) + 1
        raise TrainingError(
            f"the loss is not a finite number at iteration {iteration}; lower the learning rate "
            f"(now {engine.optimizer.param_groups[0]['lr']:g}) or switch mixed precision off, "
            "and start again with --fresh true"
        )


class ShowProgress:
    """Shows the iterations done, their rate and the loss."""

    def __init__(self, description: str) -> None:
        self.description = description
        self._progress: Progress | None = None

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._open)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._update)
        engine.add_event_handler(Events.COMPLETED, self._close)

    def _open(self, engine: SupervisedTrainer) -> None:
        if self._progress is None:
            total = engine.state.max_epochs * engine.state.epoch_length
            done = engine.state.iteration
            self._progress = Progress(self.description, total, done=done, unit="iteration").__enter__()

    def _update(self, engine: SupervisedTrainer) -> None:
        if self._progress is not None:
            loss = engine.state.metrics.get("loss")
            self._progress.update(note="" if loss is None else f"loss {loss:.4f}")

    def _close(self, engine: SupervisedTrainer) -> None:
        if self._progress is not None:
            self._progress.__exit__()
            self._progress = None


class Handler(Protocol):
    """Anything that a MONAI trainer takes as a handler."""

    def attach(self, engine: Any) -> None:
        """Attach to the trainer."""
        ...


class Together:
    """Attaches several handlers in order; as one component it fits into a list that others append to.

    MONAI reads ``train::handlers`` of a config as a list of components, and adds its own for tracking.
    """

    def __init__(self, handlers: Sequence[Handler]) -> None:
        self.handlers = handlers

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach all of them to the trainer."""
        for handler in self.handlers:
            handler.attach(engine)


def training_handlers(
    *,
    description: str,
    product: Path | str,
    save: Callable[[], None],
    resume: Resume,
    tensorboard: Handler,
    seed: int,
    largest_norm: float = 1.0,
    scheduler: LRScheduler | None = None,
    more: Sequence[Handler] = (),
) -> list[Handler]:
    """Return the handlers of a training run in the order in which a trainer needs them.

    Parameters
    ----------
    description : str
        Shown beside the progress.
    product, save : Path, callable
        The file that the run is for, and what writes it (see `Finish`).
    resume : Resume
        Owns the resume file; give it `scheduler` and all of `more` that has a state as `parts`.
    tensorboard : Handler
        A `TensorBoard`.
    seed : int
        Seed of the run.
    largest_norm : float
        See `ClipGradients`.
    scheduler : LRScheduler, optional
        Stepped after each iteration.
    more : sequence of Handler
        Moving average, validation: they come before what shows their results.
    """
    schedule = [] if scheduler is None else [_each_iteration(scheduler)]
    return [
        Finish(product, save, resume),
        resume,
        IterationSeed(seed),
        ClipGradients(largest_norm),
        LossMonitor(),
        *schedule,
        *more,
        ShowProgress(description),
        tensorboard,
    ]


def _each_iteration(scheduler: LRScheduler) -> Handler:
    handler: Handler = LrScheduleHandler(
        scheduler,  # type: ignore[arg-type]  # MONAI names the older base class
        print_lr=False,
        epoch_level=False,
    )
    return handler
