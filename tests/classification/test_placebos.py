import pickle
from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats

from medaug.classification.mixture import MixedStoreBatches
from medaug.classification.placebos import PLACEBOS
from medaug.data.sampling import Batch, StoreBatches


@pytest.fixture
def source(synthetic):
    labels = synthetic.task.labels(synthetic.table)
    return StoreBatches(synthetic, 16, {"label": labels, "weight": np.ones(len(synthetic), np.float32)})


def batch(*rows):
    return Batch(np.arange(len(rows)), np.array(rows))


def placebo(name, source, seed=0, rows=None):
    return PLACEBOS[name](source, np.arange(10) if rows is None else rows, seed)


def test_none_is_what_there_is(source):
    assert placebo("none", source) is source


def test_noise_is_uniform_and_belongs_to_the_image(source):
    noise = placebo("noise", source)
    example = noise[batch(*range(10))]
    pixels, alone = example["image"], noise[batch(7, 2)]["image"]
    assert (pixels.shape, pixels.dtype) == ((10, 1, 16, 16), torch.uint8)
    assert torch.equal(alone, pixels[[7, 2]])
    counts = np.bincount(pixels.numpy().ravel() // 16, minlength=16)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert len({image.numpy().tobytes() for image in pixels}) == 10
    assert not torch.equal(placebo("noise", source, seed=1)[batch(7, 2)]["image"], alone)


def test_noise_keeps_the_labels(source):
    assert torch.equal(placebo("noise", source)[batch(3, 4)]["label"], source[batch(3, 4)]["label"])


def test_shuffled_labels_are_those_of_other_images_and_images_stay(source):
    rows, every = np.array([0, 2, 4, 6, 8]), batch(*range(10))
    shuffled, before = placebo("shuffled", source, rows=rows)[every], source[every]
    assert torch.equal(shuffled["image"], before["image"])
    assert sorted(shuffled["label"][rows].tolist()) == sorted(before["label"][rows].tolist())
    assert shuffled["label"][1::2].tolist() == before["label"][1::2].tolist()


def test_shuffling_follows_from_the_seed(source):
    source.columns["label"] = np.arange(10, dtype=np.float32)
    orders = [placebo("shuffled", source, seed)[batch(*range(10))]["label"].tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert orders[0] != list(range(10))


@pytest.mark.parametrize("name", ["noise", "shuffled"])
def test_in_a_mixture_real_examples_stay(store, synthetic, name):
    change = partial(PLACEBOS[name], rows=synthetic.rows("train"), seed=0)
    rows = batch(len(store) + 1, 3, len(store) + 6, 5)
    plain = MixedStoreBatches(store, synthetic, 16)[rows]
    changed = MixedStoreBatches(store, synthetic, 16, placebo=change)
    example = pickle.loads(pickle.dumps(changed))[rows]
    for key in ("image", "label"):
        assert torch.equal(example[key][1::2], plain[key][1::2])
    assert torch.equal(example["image"], plain["image"]) == (name == "shuffled")
    assert len(changed) == len(store) + len(synthetic)
