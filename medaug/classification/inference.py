"""Parts that a bundle composes with MONAI's ``SupervisedEvaluator`` to predict new images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from ignite import distributed as idist
from ignite.engine import Engine, Events
from torch.utils.data import DataLoader, Sampler

from medaug.classification.classifier import ClassifierInfo
from medaug.classification.predict import predictions_table, probabilities
from medaug.data.sampling import Batch, Example, StoreBatches, batch_loader
from medaug.data.store import ImageStore
from medaug.engine.distributed import is_first
from medaug.evaluation.predictions import write_predictions
from medaug.progress import Progress


class InOrder(Sampler[Batch]):
    """Gives each of n processes every n-th row once, `batch_size` at a time."""

    def __init__(self, rows: int, batch_size: int) -> None:
        rank, processes = idist.get_rank(), idist.get_world_size()
        # A process without a row of its own repeats one: MONAI's engines need something to run on.
        self.rows = np.arange(rank, max(rows, processes), processes, dtype=np.int64) % rows
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for first in range(0, len(self.rows), self.batch_size):
            rows = self.rows[first : first + self.batch_size]
            yield Batch(rows, rows)


def inference_dataset(store: ImageStore, image_size: int) -> StoreBatches:
    """Return batches with ``image`` (B, C, H, W), float32 in [0, 1]; ``position`` is the row of the store."""
    return StoreBatches(store, image_size, {}, _to_unit_range)


def inference_loader(dataset: StoreBatches, batch_size: int) -> DataLoader[Example]:
    """Return a loader over all images of a dataset, once and in order; each process has its share."""
    return batch_loader(dataset, InOrder(len(dataset), batch_size), workers=0)


class WritePredictions:
    """Handler that gathers the logits of all processes and writes the table of predictions at the end.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.parquet``; whole or not there.
    store : ImageStore
        What is predicted.
    info : ClassifierInfo
        What the network predicts and how it is called.
    """

    def __init__(self, path: Path | str, store: ImageStore, info: ClassifierInfo) -> None:
        self.path, self.store, self.info = Path(path), store, info

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _begin(self, engine: Engine) -> None:
        self._sums = torch.zeros(len(self.store), len(self.info.task.classes))
        self._counts = torch.zeros(len(self.store), 1)
        self._progress = Progress("Predicting", len(self.store)).__enter__()

    def _collect(self, engine: Engine) -> None:
        batch: Example = engine.state.batch  # type: ignore[assignment]  # Ignite says int
        output: Example = engine.state.output  # type: ignore[assignment]
        rows = batch["position"].cpu()
        self._sums[rows] = output["pred"].detach().float().cpu()
        self._counts[rows] = 1
        self._progress.update(len(rows) * idist.get_world_size())

    def _write(self, engine: Engine) -> None:
        self._progress.__exit__()
        logits = _over_processes(self._sums) / _over_processes(self._counts)
        if is_first():
            info, rows = self.info, np.arange(len(self.store))
            scores = probabilities(logits, info.task)
            table = predictions_table(self.store, rows, scores, info.task, method=info.method, seed=info.seed)
            write_predictions(table.assign(phantom=self.store.phantom or info.phantom), self.path)
        idist.barrier()


def _over_processes(values: torch.Tensor) -> torch.Tensor:
    if idist.get_world_size() == 1:
        return values
    return torch.as_tensor(idist.all_reduce(values.to(idist.device()))).cpu()


def _to_unit_range(example: Example) -> Example:
    return {**example, "image": example["image"].contiguous().float().div_(255)}
