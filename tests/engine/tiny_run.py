"""A small training run with everything that has a state; as a program, runs killed at given moments."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Events
from ignite.handlers import EMAHandler
from monai.engines import SupervisedTrainer
from torch import nn

from medaug.data.sampling import BatchSampler, PermutedRows, batch_loader
from medaug.engine import handlers
from medaug.engine.distributed import wrap
from medaug.engine.handlers import training_handlers
from medaug.engine.resume import Resume
from medaug.engine.tensorboard import TensorBoard
from medaug.randomness import torch_generator

EPOCHS, EPOCH_LENGTH, BATCH = 3, 5, 8
MOMENTS = ("first batch", "second epoch", "while saving", "before product", "after product")


class Examples(torch.utils.data.Dataset):
    def __getitem__(self, batch):
        drawn = [torch.randn(4, generator=torch_generator(0, "example", int(p))) for p in batch.positions]
        image = torch.stack(drawn)
        return {"image": image, "label": image.sum(1, keepdim=True)}


def build(folder: Path, *, width=8, seed=0, dropout=0.5, more=(), loss=None, **changed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, 1))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * EPOCH_LENGTH)
    ema = EMAHandler(network, momentum=0.1)
    settings = {"seed": seed, "batch_size": BATCH, **changed}
    parts = {"scheduler": scheduler, "ema": ema.ema_model}
    resume = Resume(folder / "resume.pt", network, optimizer, settings=settings, parts=parts)
    product = folder / "product.pt"
    folder.mkdir(parents=True, exist_ok=True)

    def save():
        torch.save({"network": network.state_dict(), "ema": ema.ema_model.state_dict()}, product)

    sampler = BatchSampler(PermutedRows(np.arange(20), seed), BATCH, EPOCHS * EPOCH_LENGTH)
    return SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=EPOCHS,
        train_data_loader=batch_loader(Examples(), sampler, 0),
        network=wrap(network, torch.device("cpu")),
        optimizer=optimizer,
        loss_function=loss or nn.MSELoss(),
        epoch_length=EPOCH_LENGTH,
        decollate=False,
        train_handlers=training_handlers(
            description="Training",
            product=product,
            save=save,
            resume=resume,
            tensorboard=TensorBoard(folder / "logs", BATCH, settings=settings),
            seed=seed,
            scheduler=scheduler,
            more=[ema, *more],
        ),
    )


def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def half_a_file(content, path):
    Path(path).write_bytes(b"half a file")
    kill()


def run_until(moment: str, folder: Path):
    trainer = build(folder)
    if moment == "first batch":
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), kill)
    if moment == "second epoch":
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=EPOCH_LENGTH + 3), kill)
    if moment == "while saving":
        breaks = Events.ITERATION_COMPLETED(once=2 * EPOCH_LENGTH)
        trainer.add_event_handler(breaks, lambda: setattr(torch, "save", half_a_file))
    if moment == "before product":
        handlers.Finish._finish = kill
        trainer = build(folder)
    if moment == "after product":
        Resume.remove = kill
    trainer.run()


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in MOMENTS:  # forked, so that torch is imported once
        child = os.fork()
        if child == 0:
            run_until(name, Path(sys.argv[1]) / name)
            os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
