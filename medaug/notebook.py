"""The few things that people want in a notebook; `medaug` itself offers them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from monai.bundle.workflows import ConfigWorkflow

from medaug.arrays import UInt8Array
from medaug.data.store import ImageStore
from medaug.diffusion.diffusion_model import load_model
from medaug.diffusion.generation import Cascade
from medaug.diffusion.image_noise import GeneratorNoise
from medaug.presets import SamplerName, Sampling
from medaug.stages.command_line import check_options, foreseen


def open_store(path: Path | str) -> ImageStore:
    """Open an image store: a table and the pixels of its rows.

    Parameters
    ----------
    path : Path
        Folder of the store, for example ``output/data`` or ``output/synthetic``.

    Returns
    -------
    ImageStore
        ``store.table`` has a row an image, ``store.images(64)`` is a memory map uint8 (N, 64, 64, C).

    Raises
    ------
    DataError
        There is no whole store.

    Examples
    --------
    >>> store = open_store("output/data")  # doctest: +SKIP
    >>> store.images()[store.rows("ood_test")].mean()  # doctest: +SKIP
    """
    return ImageStore.open(path)


def generate(
    model: Path | str,
    table: pd.DataFrame,
    *,
    upsampler: Path | str | None = None,
    sampler: SamplerName = "ddpm",
    steps: int = 25,
    guidance: float = 1.0,
    seed: int = 0,
    device: str = "cpu",
) -> UInt8Array:
    """Draw one synthetic image for each row of a table.

    Parameters
    ----------
    model, upsampler : Path
        Files that ``train_diffusion.json`` and ``train_upsampler.json`` wrote.
    table : DataFrame
        What to draw: ``label:<class>`` in [0, 1] for every class of the model, and the attributes that it is
        conditioned on (``attr:<name>``, ``domain``). What is missing is unknown.
    sampler, steps, guidance
        See `medaug.presets.Sampling`.
    seed : int
        Image i depends on (seed, i) alone.
    device : str
        Where to compute.

    Returns
    -------
    ndarray of uint8, (rows, H, W, C)
        Synthetic images: say so wherever you show them.

    Raises
    ------
    CheckpointError
        A file is not such a model.
    DataError
        A column is missing.

    Examples
    --------
    >>> asked = pd.DataFrame({"label:edema": [0, 1], "attr:sex": ["F", "F"]})
    >>> generate("output/models/diffusion.pt", asked).shape  # doctest: +SKIP
    (2, 64, 64, 1)
    """
    how = Sampling(sampler=sampler, steps=steps, guidance=guidance, batch_size=len(table))
    low = None if upsampler is None else load_model(Path(upsampler), device)
    cascade = Cascade(load_model(Path(model), device), low, how)
    conditions = torch.from_numpy(cascade.base.encoder.encode(table)).to(device)
    with torch.inference_mode():
        images = cascade.sample(conditions, GeneratorNoise(seed, range(len(table))))
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).cpu().numpy())


def run(config: Path | str, **settings: Any) -> Any:
    """Run a config of a bundle, as ``python -m monai.bundle run`` does.

    Parameters
    ----------
    config : Path
        For example ``bundles/chexpert/train.json``; it makes first what it lacks.
    **settings
        As on the command line; the bundle's guide lists them.

    Returns
    -------
    object
        The stage, see `medaug.stages`: its ``settings``, its ``product``, its ``run``.

    Raises
    ------
    MedaugError
        As the command says it in one sentence: there is no such setting, a product was made with others, a
        table or file cannot be used.

    Examples
    --------
    >>> stage = run("bundles/chexpert/prepare.json", output_dir="try")  # doctest: +SKIP
    >>> open_store(stage.product).task.classes  # doctest: +SKIP
    ('atelectasis', 'cardiomegaly', 'consolidation', 'edema', 'effusion')
    """
    config = Path(config)
    check_options(settings, json.loads(config.read_text(encoding="utf-8")), config.parent)
    workflow = ConfigWorkflow(str(config), workflow_type="train", logging_file=False, **settings)
    try:
        workflow.initialize()
        workflow.run()
        workflow.finalize()
        return workflow.parser.get_parsed_content("stage")
    except RuntimeError as error:  # of MONAI, about an expression
        if (cause := foreseen(error)) is None:
            raise
        raise cause from None
