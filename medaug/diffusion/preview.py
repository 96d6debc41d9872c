"""Pictures of a generator while it learns: some synthetic images of each class, from the same noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from medaug.arrays import Array
from medaug.data.store import ImageStore
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.guidance import clipped, guided, with_image
from medaug.diffusion.samplers import sample_ddpm
from medaug.diffusion.schedule import NoiseSchedule
from medaug.diffusion.unet import ConditionalUNet
from medaug.randomness import torch_generator
from medaug.transforms.degradation import degrade

STEPS = 12
"""Ancestral steps: few, but their fresh noise heals the errors of a network that is still learning."""

IMAGES_OF_A_CLASS = 3


class Preview:
    """Draws a grid of synthetic images into TensorBoard: call it with a writer and the iteration.

    Each row of the grid is a class; its images have the condition vectors of training images that show the
    class, so co-occurring labels are as in the data. An upsampler is shown beside what it was given: a
    training image, reduced.

    Parameters
    ----------
    network : ConditionalUNet
        The network to sample (the moving average).
    store : ImageStore
        Training images.
    encoder : ConditionEncoder
        Meaning of the condition vector.
    low_size : int or None
        Side in pixels of an upsampler's low-resolution images; None for a base model.
    guidance : float
        Guidance scale.
    seed : int
        Seed of the run; decides the noise.
    """

    def __init__(
        self,
        network: ConditionalUNet,
        store: ImageStore,
        encoder: ConditionEncoder,
        low_size: int | None,
        guidance: float,
        seed: int,
    ) -> None:
        self.network, self.store, self.encoder = network, store, encoder
        self.low_size, self.guidance, self.seed = low_size, guidance, seed
        self.rows = example_rows(store)

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
        device = next(self.network.parameters()).device
        condition = torch.from_numpy(self.encoder.encode(self.store.table.iloc[list(rows)])).to(device)
        size = int(self.network.arguments["image_size"])
        noise = torch.stack([self._noise(place, size) for place in range(len(rows))]).to(device)
        low = self._low(rows, size).to(device)
        network = self.network if self.low_size is None else with_image(self.network, low)
        schedule = NoiseSchedule()
        predict_noise = clipped(guided(network, condition, self.guidance), schedule)
        generator = torch_generator(self.seed, "preview", "steps")

        def draw() -> Tensor:
            return torch.randn(noise.shape, generator=generator).to(device)

        images = sample_ddpm(predict_noise, noise, schedule, STEPS, draw)
        shown = images if self.low_size is None else torch.cat([low, images], dim=3)
        return (shown.clamp(-1, 1) + 1).div(2).cpu()

    def _noise(self, place: int, size: int) -> Tensor:
        generator = torch_generator(self.seed, "preview", place)
        return torch.randn(self.store.channels, size, size, generator=generator)

    def _low(self, rows: Sequence[int], size: int) -> Tensor:
        """Return training images that lost their detail, in [-1, 1], (B, C, size, size)."""
        pixels = torch.from_numpy(self.store.images(size)[list(rows)]).permute(0, 3, 1, 2) / 255
        return degrade(pixels, self.low_size or size, antialias=True, noise=None, blur_sigma=0.0)


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
