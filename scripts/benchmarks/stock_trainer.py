"""MONAI's own trainer of a diffusion model, as it comes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from ignite.handlers import EMAHandler
from monai.data import CacheDataset
from monai.data import DataLoader as MonaiLoader
from monai.engines import SupervisedTrainer
from monai.engines.utils import DiffusionPrepareBatch, IterationEvents
from monai.inferers import DiffusionInferer
from monai.networks.schedulers import DDPMScheduler
from torch import Tensor, nn

LARGEST_NORM = 1.0
EMA_DECAY = 0.999


def stock_trainer(
    dataset: CacheDataset,
    network: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    iterations: int,
    batch_size: int,
    learning_rate: float,
    device: torch.device,
) -> SupervisedTrainer:
    """Return a trainer of one epoch, with AdamW, gradient clipping and a moving average of the weights."""
    trainer = SupervisedTrainer(
        device=device,
        max_epochs=1,
        epoch_length=iterations,
        train_data_loader=MonaiLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True),
        network=network,
        optimizer=torch.optim.AdamW(network.parameters(), lr=learning_rate),
        loss_function=loss,
        inferer=DiffusionInferer(DDPMScheduler(num_train_timesteps=1000)),
        prepare_batch=DiffusionPrepareBatch(num_train_timesteps=1000),
        train_handlers=[EMAHandler(network, momentum=1 - EMA_DECAY)],
        decollate=False,
    )
    trainer.add_event_handler(
        IterationEvents.BACKWARD_COMPLETED,
        lambda: nn.utils.clip_grad_norm_(network.parameters(), LARGEST_NORM),
    )
    return trainer
