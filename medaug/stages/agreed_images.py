"""Which synthetic images a classifier that was trained on real ones agrees with."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.tensorboard import SummaryWriter

from medaug.arrays import BoolArray
from medaug.classification.classifier import load_classifier
from medaug.classification.predict import predict
from medaug.data.store import ImageStore
from medaug.engine.distributed import is_first
from medaug.errors import DataError
from medaug.evaluation.agreed import agreed, rejected_table
from medaug.files import write_aside

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AgreedImages:
    """What is left of a synthetic set.

    Attributes
    ----------
    rows : ndarray of bool, (rows of the synthetic store,)
        Which images are used.
    rejected : DataFrame
        How many are not, see `medaug.evaluation.agreed.rejected_table`.
    """

    rows: BoolArray
    rejected: pd.DataFrame

    def write(self, path: Path) -> None:
        """Write the table of what was rejected as CSV, and say it in the log; in the first process only."""
        if not is_first():
            return
        with write_aside(path) as aside:
            self.rejected.to_csv(aside, index=False)
        counts = zip(*(self.rejected[c] for c in ("by", "name", "rejected", "images")), strict=True)
        shares = (f"{by} {name}: {rejected} of {images}" for by, name, rejected, images in counts)
        logger.info("Rejected synthetic images: %s", "; ".join(shares))

    def draw(self, writer: SummaryWriter, iteration: int) -> None:
        """Show the rejected shares in TensorBoard."""
        for by, name, share in zip(*(self.rejected[c] for c in ("by", "name", "share")), strict=True):
            writer.add_scalar(f"rejected/{by}/{name}", share, iteration)


def agreed_images(
    classifier: Path, real: ImageStore, synthetic: ImageStore, batch_size: int, device: torch.device
) -> AgreedImages:
    """Ask a classifier about every synthetic image, with thresholds from the real split ``id_val``.

    Raises
    ------
    DataError
        It agrees with none of them.
    """
    network, info = load_classifier(classifier, device)
    tables = [
        predict(
            network,
            store,
            [split],
            info.task,
            image_size=info.image_size,
            batch_size=batch_size,
            device=device,
            method=info.method,
            seed=info.seed,
        )
        for store, split in ((real, "id_val"), (synthetic, "train"))
    ]
    asked = tables[1]
    same = agreed(pd.concat(tables, ignore_index=True), info.task)[len(tables[0]) :]
    if not same.any():
        raise DataError(
            f"the classifier {classifier}, trained on real images, agrees with none of the {len(same)} "
            "images that are asked about: the generator does not show what it is asked for; train it longer, "
            "or use all images with --only_agreed false"
        )
    rows = np.zeros(len(synthetic), bool)
    rows[synthetic.rows("train")] = same
    return AgreedImages(rows, rejected_table(asked, same, info.task))
