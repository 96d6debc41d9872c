"""From a classifier and a store to the predictions table, where all evaluation starts."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
import pandas as pd
import torch
from ignite.engine import Engine, Events
from monai.engines.evaluator import SupervisedEvaluator
from torch import Tensor, nn

from medaug.arrays import IntArray
from medaug.data.sampling import Example, InOrder, StoreBatches, batch_loader
from medaug.data.store import ImageStore
from medaug.engine import distributed
from medaug.engine.acceleration import untried_convolutions
from medaug.engine.distributed import unwrap
from medaug.errors import DataError
from medaug.progress import Progress
from medaug.task import ATTRIBUTE_PREFIX, Task

_KEPT = ["image_id", "patient_id", "domain", "split"]


def predict(
    network: nn.Module,
    store: ImageStore,
    splits: Sequence[str],
    task: Task,
    *,
    image_size: int,
    batch_size: int,
    device: torch.device | str,
    method: str,
    seed: int,
) -> pd.DataFrame:
    """Predict all images of some splits.

    Every process predicts its share of the images, and all of them get the whole table.

    Parameters
    ----------
    network : nn.Module
        Images (B, C, H, W) in [0, 1] to logits (B, classes); left in the mode (training or not) it came in.
    store : ImageStore
        Images and labels.
    splits : sequence of str
        For example ``("id_test", "ood_test")``.
    task : Task
        What the network was trained for; its classes must be the store's.
    image_size, batch_size : int
        Side in pixels; images of a batch in one process.
    method, seed : str, int
        Written into the table, to tell it from others.

    Returns
    -------
    DataFrame
        One row an image, in the order of the store: ``image_id``, ``patient_id``, ``domain``, ``split``,
        ``score:<class>`` (probability, float32), ``label:<class>``, ``attr:<name>``, ``seed``, ``method``.
    """
    if store.task.classes != task.classes:
        raise DataError(
            f"the classifier predicts {', '.join(task.classes)}; {store.path} has labels for "
            f"{', '.join(store.task.classes)}"
        )
    rows = store.rows(*splits)
    logits = predict_logits(network, store, rows, image_size=image_size, batch_size=batch_size, device=device)
    return predictions_table(store, rows, probabilities(logits, task), task, method=method, seed=seed)


def predict_logits(
    network: nn.Module,
    store: ImageStore,
    rows: IntArray,
    *,
    image_size: int,
    batch_size: int,
    device: torch.device | str,
) -> Tensor:
    """Return the logits (N, classes), float32 on the CPU, of rows of a store, the same in every process."""
    if not len(rows):
        return torch.zeros(0, len(store.task.classes))
    gather = GatherLogits(rows)
    loader = batch_loader(StoreBatches(store, image_size, {}), InOrder(rows, batch_size), workers=0)
    evaluator = SupervisedEvaluator(
        device=torch.device(device),
        val_data_loader=loader,
        network=unwrap(network),
        prepare_batch=prepare_image,
        val_handlers=[gather],
        non_blocking=True,
        decollate=False,
    )
    with untried_convolutions():  # the last batch of each set is of another size
        evaluator.run()
    return gather.logits


def prepare_image(
    batch: Example, device: torch.device | str | None = None, non_blocking: bool = False, **kwargs: Any
) -> tuple[Tensor, None]:
    """Return the image in [0, 1] and no label; for the ``prepare_batch`` of MONAI's evaluator.

    Pixels that are uint8 travel to the device as such and become float32 there; others stay as they are.
    """
    image: Tensor = batch["image"].to(device=device, non_blocking=non_blocking, **kwargs)
    return image.contiguous().float().div_(255) if image.dtype == torch.uint8 else image, None


class GatherLogits:
    """Handler of MONAI's evaluator that gathers what the network says of some rows, from all processes.

    Parameters
    ----------
    rows : sized
        N of them, asked for when the run begins; ``position`` of a batch says which of them it holds, what
        lies behind the last is left out.

    Attributes
    ----------
    logits : Tensor
        After the run: (N, classes), float32 on the CPU, the same in every process.
    """

    logits: Tensor

    def __init__(self, rows: Sized) -> None:
        self.rows = rows

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.COMPLETED, self._gather)

    def _begin(self, engine: Engine) -> None:
        self._progress = Progress("Predicting", len(self.rows)).__enter__()
        self._share: Tensor | None = None

    def _collect(self, engine: Engine) -> None:
        batch: Example = engine.state.batch  # type: ignore[assignment]  # Ignite says int
        output: Example = engine.state.output  # type: ignore[assignment]
        found, positions = output["pred"].detach().float(), batch["position"]
        if self._share is None:  # with room for those behind the last row
            self._share = found.new_zeros(len(self.rows) + distributed.processes(), found.shape[1])
        self._share[positions.to(found.device, non_blocking=True)] = found
        self._progress.update(len(positions) * distributed.processes())

    def _gather(self, engine: Engine) -> None:
        self._progress.__exit__()
        if self._share is not None:
            # Each process filled its own rows and left the others zero, so that the sum is the whole.
            self.logits = distributed.sum_over_processes(self._share)[: len(self.rows)].cpu()
            self._share = None


def probabilities(logits: Tensor, task: Task) -> Tensor:
    """Return probabilities (N, classes): each class by itself, or summing to one."""
    return logits.sigmoid() if task.kind == "multilabel" else logits.softmax(dim=1)


def predictions_table(
    store: ImageStore, rows: IntArray, scores: Tensor, task: Task, *, method: str, seed: int
) -> pd.DataFrame:
    """Put scores (N, classes) beside what the store knows of the images."""
    attributes = [column for column in store.table if str(column).startswith(ATTRIBUTE_PREFIX)]
    table = store.table.iloc[rows][[*_KEPT, *task.label_columns, *attributes]].reset_index(drop=True)
    for place, name in enumerate(task.classes):
        table.insert(len(_KEPT) + place, f"score:{name}", scores[:, place].numpy().astype(np.float32))
    return table.assign(seed=seed, method=method)
