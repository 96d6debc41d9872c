"""Batches from an image store against MONAI's CacheDataset and DataLoader.

MONAI's images are all in memory before the clock starts, converted already; medaug gathers them from the
memory map of the store, and converts them, as it goes. Both loaders shuffle and run in this process. Large
float32 images cost little but the writing of the batch to memory, which is the same for all.
"""

from __future__ import annotations

from argparse import Namespace, _ArgumentGroup
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import CacheDataset
from monai.data import DataLoader as MonaiLoader
from monai.transforms import Compose, EnsureChannelFirstd, EnsureTyped, LoadImaged, ScaleIntensityRanged
from PIL import Image

from benchmarks.contest import Contest, clocked, quiet
from benchmarks.store import random_store
from medaug.classification.mixture import MixedStoreBatches
from medaug.data.sampling import Batch, BatchSampler, PermutedRows, StoreBatches, batch_loader
from medaug.data.store import ImageStore

TARGET = "batches of the store 10 times as fast as MONAI's CacheDataset, float32 not slower"


def add_options(parser: _ArgumentGroup) -> None:
    """Add the settings of this benchmark."""
    parser.add_argument("--image_sizes", type=int, nargs="+", default=[64, 224], help="sides in pixels")
    parser.add_argument("--stored_images", type=int, default=1024, help="images of the store")
    parser.add_argument("--loader_batch_size", type=int, default=64, help="images a batch")


def contests(settings: Namespace, folder: Path) -> Iterator[Contest]:
    """Yield three contests for each size: each as it keeps images, both float32, both uint8."""
    for size in settings.image_sizes:
        store = random_store(folder / f"store-{size}", settings.stored_images, size)
        stored = StoreBatches(store, size, {"label": _labels(store).numpy()})
        converted = MixedStoreBatches(store, None, size)  # as the classifier is trained
        batch_size = settings.loader_batch_size
        title = f"{size} x {size}, batches of {batch_size}"
        floats, integers = _peers(store, size, "float32"), _peers(store, size, "uint8")
        yield _contest(f"{title}, as kept: uint8 against float32", store, stored, floats, batch_size)
        yield _contest(f"{title}, both float32", store, converted, floats, batch_size)
        yield _contest(f"{title}, both uint8", store, stored, integers, batch_size)


def _contest(
    title: str, store: ImageStore, dataset: Any, peers: Mapping[str, CacheDataset], batch_size: int
) -> Contest:
    batches = len(store) // batch_size
    sampler = BatchSampler(PermutedRows(store.rows(), 0, "benchmark"), batch_size, batches)
    runs = {f"medaug {type(dataset).__name__}": clocked(lambda: _use(batch_loader(dataset, sampler, 0)))}
    for name, peer in peers.items():
        _check_same(dataset, peer)
        runs[name] = clocked(lambda peer=peer: _use(_loader(peer, batch_size)))
    return Contest(title, "images/s", batches * batch_size, runs)


def _peers(store: ImageStore, size: int, kind: str) -> dict[str, CacheDataset]:
    return {
        "MONAI CacheDataset, from PNG files": _from_files(store, size, kind),
        "MONAI CacheDataset, plain tensors": _from_arrays(store, size, kind),
    }


def _from_files(store: ImageStore, size: int, kind: str) -> CacheDataset:
    """Load as MONAI's tutorials do: tensors that carry what is known of their file."""
    folder = store.path / f"png-{kind}"
    folder.mkdir()
    items = []
    for number, (image, label) in enumerate(zip(store.images(size), _labels(store), strict=True)):
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png", compress_level=1)
        items.append({"image": str(folder / f"{number}.png"), "label": label})
    with quiet():  # about decoders for DICOM that are not there
        load = LoadImaged("image", reader="PILReader", reverse_indexing=False, dtype=torch.uint8)
        transform = Compose([load, EnsureChannelFirstd("image"), *_scaled(kind)])
        return CacheDataset(items, transform, progress=False)


def _from_arrays(store: ImageStore, size: int, kind: str) -> CacheDataset:
    """Keep nothing but tensors: as fast as it can be."""
    typed = EnsureTyped("image", track_meta=False)
    items = [
        {"image": image.transpose(2, 0, 1).copy(), "label": label}
        for image, label in zip(np.asarray(store.images(size)), _labels(store), strict=True)
    ]
    return CacheDataset(items, Compose([*_scaled(kind), typed]), progress=False)


def _scaled(kind: str) -> list[ScaleIntensityRanged]:
    return [] if kind == "uint8" else [ScaleIntensityRanged("image", 0, 255, 0, 1)]


def _labels(store: ImageStore) -> torch.Tensor:
    return torch.tensor(store.task.labels(store.table))


def _loader(dataset: CacheDataset, batch_size: int) -> MonaiLoader:
    return MonaiLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True)


def _use(loader: Iterable[Any]) -> None:
    for batch in loader:
        del batch


def _check_same(ours: Any, peer: CacheDataset) -> None:
    """Make sure that both give the same images and labels."""
    rows = np.arange(min(8, len(peer)))
    batch = ours[Batch(rows, rows)]
    for key in ("image", "label"):
        expected = torch.stack([torch.as_tensor(peer[int(row)][key]) for row in rows])
        in_grey_levels = batch[key].dtype == torch.uint8 and expected.is_floating_point()
        found = batch[key] / 255 if in_grey_levels else batch[key]
        torch.testing.assert_close(found, expected)
