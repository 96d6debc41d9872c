"""From a classifier and a store to the predictions table, where all evaluation starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from ignite import distributed as idist
from torch import Tensor, nn

from medaug.arrays import IntArray
from medaug.data.store import ImageStore
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
    network = unwrap(network)
    training = network.training
    network.eval()
    try:
        logits = _share_of_logits(network, store, rows, image_size, batch_size, torch.device(device))
    finally:
        network.train(training)
    # Each process filled its own rows and left the others zero, so that the sum is the whole.
    gathered = idist.all_reduce(logits) if idist.get_world_size() > 1 else logits
    return torch.as_tensor(gathered).cpu()


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


def _share_of_logits(
    network: nn.Module,
    store: ImageStore,
    rows: IntArray,
    image_size: int,
    batch_size: int,
    device: torch.device,
) -> Tensor:
    pixels, processes = store.images(image_size), idist.get_world_size()
    own = np.arange(idist.get_rank(), len(rows), processes)
    logits = torch.zeros(len(rows), len(store.task.classes), device=device)
    with torch.inference_mode(), Progress("Predicting", len(rows)) as bar:
        for first in range(0, len(own), batch_size):
            places = own[first : first + batch_size]
            batch = torch.from_numpy(pixels[rows[places]]).to(device)
            image = batch.permute(0, 3, 1, 2).contiguous().float().div_(255)
            logits[torch.from_numpy(places).to(device)] = network(image).float()
            bar.update(len(places) * processes)
    return logits
