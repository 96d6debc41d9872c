"""Pictures of a generator while it learns: some synthetic images of each class, from the same noise."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from medaug.arrays import Array
from medaug.data.store import ImageStore
from medaug.diffusion.diffusion_model import DiffusionModel
from medaug.diffusion.generation import SCHEDULE, predictor
from medaug.diffusion.guidance import clipped
from medaug.diffusion.samplers import sample_ddpm
from medaug.engine.acceleration import PLAIN, Acceleration, untried_convolutions
from medaug.engine.tensorboard import Draw
from medaug.randomness import torch_generator
from medaug.transforms.degradation import degrade

STEPS = 12
"""Ancestral steps: few, but their fresh noise heals the errors of a network that is still learning."""

IMAGES_OF_A_CLASS = 2

LARGEST_SHARE = 0.01
"""Of the compute of a training, for all its previews; drawing the figures takes about as long again."""

LARGEST_SHARE_OF_TIME = 0.02
"""Of a training on a GPU, see `Sparing`."""

PASSES_OF_A_STEP = 3
"""A training step costs about three passes of the network: one forwards, and backwards twice as much."""


class Preview:
    """Draws a grid of synthetic images into TensorBoard: call it with a writer and the iteration.

    Each row of the grid is a class; its images have the condition vectors of training images that show the
    class, so co-occurring labels are as in the data. An upsampler is shown beside what it was given: a
    training image, reduced.

    Parameters
    ----------
    model : DiffusionModel
        The model to sample (the moving average).
    store : ImageStore
        Training images.
    guidance : float
        Guidance scale.
    seed : int
        Seed of the run; decides the noise.
    acceleration : Acceleration
        Of the training; a preview is not worth compiling.
    """

    def __init__(
        self,
        model: DiffusionModel,
        store: ImageStore,
        guidance: float,
        seed: int,
        acceleration: Acceleration = PLAIN,
    ) -> None:
        self.model, self.store, self.guidance, self.seed = model, store, guidance, seed
        self.acceleration = acceleration
        self.rows = example_rows(store)

    @property
    def passes(self) -> int:
        """Images that pass through the network for one grid."""
        return sum(map(len, self.rows.values())) * STEPS * (1 if self.guidance == 1 else 2)

    def __call__(self, writer: SummaryWriter, iteration: int) -> None:
        """Sample and draw."""
        images = {name: self.sample(rows) for name, rows in self.rows.items()}
        source = " from phantom data" if self.store.phantom else ""
        title = f"Synthetic images{source}, iteration {iteration:,}"
        writer.add_figure("synthetic images", _grid(images, title), iteration)

    @torch.no_grad()
    def sample(self, rows: Sequence[int]) -> Tensor:
        """Return synthetic images in [0, 1], (B, C, H, W), under the conditions of these rows of the store.

        Those of an upsampler are twice as wide: on the left what it was given.
        """
        device, size = next(self.model.network.parameters()).device, self.model.image_size
        condition = torch.from_numpy(self.model.encoder.encode(self.store.table.iloc[list(rows)])).to(device)
        noise = torch.stack([self._noise(place, size) for place in range(len(rows))]).to(device)
        low = None if self.model.kind == "base" else self._low(rows, size).to(device)
        predict_noise = clipped(predictor(self.model, condition, self.guidance, low), SCHEDULE)
        generator = torch_generator(self.seed, "preview", "steps")

        def draw() -> Tensor:
            return torch.randn(noise.shape, generator=generator).to(device)

        with self.acceleration.autocast(device), untried_convolutions():
            images = sample_ddpm(predict_noise, noise, SCHEDULE, STEPS, draw)
        shown = images if low is None else torch.cat([low, images], dim=3)
        return (shown.clamp(-1, 1) + 1).div(2).cpu()

    def _noise(self, place: int, size: int) -> Tensor:
        generator = torch_generator(self.seed, "preview", place)
        return torch.randn(self.store.channels, size, size, generator=generator)

    def _low(self, rows: Sequence[int], size: int) -> Tensor:
        """Return training images that lost their detail, in [-1, 1], (B, C, size, size)."""
        pixels = torch.from_numpy(self.store.images(size)[list(rows)]).permute(0, 3, 1, 2) / 255
        return degrade(pixels, self.model.info["low_size"], antialias=True, noise=None, blur_sigma=0.0)


class Sparing:
    """Draws only while drawing takes a small share of the time, where compute says little about time.

    On a GPU a figure takes longer than hundreds of steps. The first and the last drawing are always made.

    Parameters
    ----------
    draw : callable
        What draws.
    last : int
        Iteration of the last drawing.
    clock : callable
        Seconds since any moment.
    """

    def __init__(self, draw: Draw, last: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.draw, self.last, self.clock = draw, last, clock
        self._begun, self._spent, self._drawn = clock(), 0.0, 0

    def __call__(self, writer: SummaryWriter, iteration: int) -> None:
        """Draw, or not."""
        now = self.clock()
        with_another = self._spent * (1 + 1 / max(self._drawn, 1))
        if iteration < self.last and with_another > LARGEST_SHARE_OF_TIME * (now - self._begun):
            return
        self.draw(writer, iteration)
        self._spent, self._drawn = self._spent + self.clock() - now, self._drawn + 1


def moments(passes: int, batch_size: int, iterations: int, epochs: int) -> list[int]:
    """Return the iterations at which to draw: ends of epochs, evenly, the last of them in any case.

    There are so many that all previews together cost at most `LARGEST_SHARE` of the training, but one.

    Parameters
    ----------
    passes : int
        Images that pass through the network for one preview.
    batch_size : int
        Images of an iteration.
    iterations, epochs : int
        Length of the training.

    Examples
    --------
    >>> moments(passes=120, batch_size=32, iterations=500, epochs=5)
    [200, 300, 400, 500]
    """
    affordable = int(LARGEST_SHARE * PASSES_OF_A_STEP * batch_size * iterations / passes)
    count = min(max(affordable, 1), epochs)
    return [-(-epochs * place // count) * (iterations // epochs) for place in range(1, count + 1)]


def example_rows(store: ImageStore) -> dict[str, list[int]]:
    """Return the first training images that show each class; a class without any is left out.

    A store without labels gives its first images, whose condition is unknown.
    """
    rows = store.rows("train", "unlabelled")
    labels = store.task.labels(store.table.iloc[rows])
    found = {
        name: [int(row) for row in rows[column >= 0.5][:IMAGES_OF_A_CLASS]]
        for name, column in zip(store.task.classes, labels.T, strict=True)
    }
    shown = {name: some for name, some in found.items() if some}
    return shown or {"unknown": [int(row) for row in rows[:IMAGES_OF_A_CLASS]]}


def _grid(images: dict[str, Tensor], title: str) -> Figure:
    """Draw one row of images a class."""
    columns = max(len(some) for some in images.values())
    _, _, height, width = next(iter(images.values())).shape
    figure = Figure(
        figsize=(1.5 * columns * width / height + 1.2, 1.5 * len(images) + 0.4), layout="constrained"
    )
    figure.suptitle(title)
    axes = figure.subplots(len(images), columns, squeeze=False)
    for row, (name, some) in zip(axes, images.items(), strict=True):
        for place, image in zip(row, some, strict=False):
            place.imshow(_picture(image), cmap="gray", vmin=0, vmax=1)
        for place in row:
            place.set(xticks=[], yticks=[], frame_on=False)
        row[0].set_ylabel(name)
    return figure


def _picture(image: Tensor) -> Array:
    picture: Array = image.permute(1, 2, 0).numpy()
    return picture[..., 0] if picture.shape[-1] == 1 else picture
