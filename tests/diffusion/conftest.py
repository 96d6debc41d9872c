from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel
from medaug.diffusion.unet import build_unet
from medaug.task import Attribute, Task


@pytest.fixture
def task():
    attributes = (Attribute("sex", groups=("F", "M")), Attribute("age", bins=(0.0, 40.0, 60.0, math.inf)))
    return Task("multilabel", ("edema", "effusion"), attributes=attributes)


@pytest.fixture
def encoder(task):
    return ConditionEncoder(task, ("sex",))


@pytest.fixture
def make_model(encoder):
    """Small untrained models whose output depends on everything, unlike a fresh network's."""

    def make(kind="base", size=8, seed=0, **info):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = build_unet(size, 1, 2 if kind == "upsampler" else 1, encoder.size, (8, 8), 1, 8)
            for parameter in network.parameters():
                if not parameter.any():
                    torch.nn.init.normal_(parameter, std=0.1)
        return DiffusionModel(network.eval(), encoder, kind, info)

    return make


@pytest.fixture
def plan():
    rows = 7
    return pd.DataFrame(
        {
            "image_id": [f"synthetic-{i}" for i in range(rows)],
            "domain": "synthetic",
            "split": "train",
            "synthetic": True,
            "label:edema": np.arange(rows, dtype=np.float32) % 2,
            "label:effusion": np.float32(1),
            "attr:sex": ["F", "M", "F", "M", "F", "M", "F"],
            "attr:age": np.nan,
        }
    )
