"""What TensorBoard shows of a training run, in one folder that a resumed run goes on writing to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events
from monai.engines.trainer import SupervisedTrainer
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from medaug.engine import distributed
from medaug.engine.event_files import EventWriter

Draw = Callable[[SummaryWriter, int], None]
"""Adds pictures to a writer; the number is the iteration."""


class TensorBoard:
    """Handler that writes loss, learning rate, images/s, metrics, pictures and hyper-parameters.

    Only the first process writes. After a kill, what was written later than the state that training goes
    on from is hidden.

    Parameters
    ----------
    folder : Path
        Folder of the event files, one a run.
    batch_size : int
        Images of one iteration in all processes together.
    settings : mapping
        Hyper-parameters, shown as they are.
    draw : sequence of callable
        Each is called after an epoch as ``draw(writer, iteration)``.
    every : int
        Iterations between two points; use that of the `LossMonitor`.
    """

    def __init__(
        self,
        folder: Path | str,
        batch_size: int,
        *,
        settings: Mapping[str, Any],
        draw: Sequence[Draw] = (),
        every: int = 10,
    ) -> None:
        self.folder, self.batch_size, self.every = Path(folder), batch_size, every
        self.settings, self.draw = dict(settings), tuple(draw)
        self._writer: SummaryWriter | None = None
        self._since = (0, 0.0)

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer, after the handlers that set its metrics."""
        if distributed.is_first():
            engine.add_event_handler(Events.EPOCH_STARTED, self._open)
            engine.add_event_handler(Events.ITERATION_COMPLETED(every=self.every), self._write_iteration)
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._write_epoch)
            engine.add_event_handler(Events.COMPLETED, self._close)

    def _open(self, engine: SupervisedTrainer) -> None:
        iteration = engine.state.iteration
        self._since = iteration, time.perf_counter()
        if self._writer is None:
            self._writer = EventWriter(str(self.folder), purge_step=iteration + 1 if iteration else None)
            self._write_settings(self._writer)

    def _write_settings(self, writer: SummaryWriter) -> None:
        """As `SummaryWriter.add_hparams`, which would open a folder of its own."""
        shown = {k: v if isinstance(v, (bool, int, float)) else _text(v) for k, v in self.settings.items()}
        file: Any = writer._get_file_writer()  # type: ignore[no-untyped-call]
        for summary in hparams(shown, {"train/loss": 0.0}):  # type: ignore[no-untyped-call]
            file.add_summary(summary)

    def _write_iteration(self, engine: SupervisedTrainer) -> None:
        iteration, now = engine.state.iteration, time.perf_counter()
        images = (iteration - self._since[0]) * self.batch_size
        values = {
            "train/loss": engine.state.metrics["loss"],
            "train/learning_rate": engine.optimizer.param_groups[0]["lr"],
            "train/images_per_second": images / (now - self._since[1]),
        }
        self._since = iteration, now
        self._add(values, iteration)

    def _write_epoch(self, engine: SupervisedTrainer) -> None:
        iteration = engine.state.iteration
        self._add({name: v for name, v in engine.state.metrics.items() if name != "loss"}, iteration)
        if self._writer is not None:
            for draw in self.draw:
                draw(self._writer, iteration)
            self._writer.flush()

    def _add(self, values: Mapping[str, Any], iteration: int) -> None:
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, iteration)

    def _close(self, engine: SupervisedTrainer) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
