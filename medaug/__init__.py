"""Learned augmentations for fairer medical classifiers: conditional diffusion on MONAI.

In a notebook:

>>> import pandas as pd
>>> import medaug
>>> table = pd.DataFrame({"score:edema": [0.1, 0.4, 0.4, 0.8], "label:edema": [0, 0, 1, 1]})
>>> float(medaug.evaluate(table, replicates=0).metrics.set_index("metric").loc["auc", "value"].iloc[0])
0.875

`evaluate` takes anyone's table of predictions, `open_store` opens an image store, `generate` draws from a
trained generator, and `run` runs a config of a bundle. All else has its room, and a room imports those before
it, never one after it: tabular, engine, transforms, data, phantoms, diffusion and classification and export,
evaluation, analysis and quality, report and study, stages, notebook and grid and sharing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medaug.lazy import lazy_names

if TYPE_CHECKING:
    from medaug.evaluation import evaluate
    from medaug.notebook import generate, open_store, run

__all__ = ["evaluate", "generate", "open_store", "run"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "evaluate": "evaluation",
        "generate": "notebook",
        "open_store": "notebook",
        "run": "notebook",
    },
)
