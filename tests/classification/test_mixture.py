import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medaug.classification.device_batches import AugmentedBatches
from medaug.classification.mixture import MixedPixels, MixedRows, MixedStoreBatches
from medaug.data.orders import synthetic_first
from medaug.data.sampling import Batch, BatchSampler, batch_loader
from medaug.errors import DataError, SettingsError
from medaug.task import Task
from medaug.transforms.augmentation import augmentation
from medaug.transforms.counted_augmentation import counted_augmentation
from medaug.transforms.radiograph import RandRadiograph


@given(fraction=st.integers(0, 1000), positions=st.integers(1, 2000))
def test_the_share_of_real_examples_is_exact_at_every_length(store, synthetic, fraction, positions):
    rows = MixedRows(store, synthetic, fraction / 1000, seed=0).rows(np.arange(positions))
    assert (rows < len(store)).sum() == positions * fraction // 1000


def test_a_position_is_real_iff_the_whole_part_grows(store, synthetic):
    rows = MixedRows(store, synthetic, 0.3, seed=0).rows(np.arange(100))
    expected = [(p + 1) * 3 // 10 > p * 3 // 10 for p in range(100)]
    assert (rows < len(store)).tolist() == expected


def test_of_synthetic_first_each_part_goes_through_its_own_rows(store, synthetic):
    order = synthetic_first(0.5, iterations=10, batch_size=4)
    rows = MixedRows(store, synthetic, 0.5, seed=0, order=order).rows(np.arange(40))
    mixed = MixedRows(store, synthetic, 0.5, seed=0).rows(np.arange(40))
    assert (rows[:20] >= len(store)).all()
    assert (rows[20:] < len(store)).all()
    assert rows[:20].tolist() == mixed[mixed >= len(store)].tolist()
    assert rows[20:].tolist() == mixed[mixed < len(store)].tolist()


def test_training_rows_of_both_stores_come_in_whole_passes(store, synthetic):
    rows = MixedRows(store, synthetic, 0.5, seed=0).rows(np.arange(48))
    real, made = rows[rows < len(store)], rows[rows >= len(store)]
    assert sorted(real) == store.rows("train").tolist()
    assert sorted(made[:10] - len(store)) == sorted(made[10:20] - len(store)) == list(range(10))
    assert made[:10].tolist() != made[10:20].tolist()


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_a_row_depends_on_seed_and_position_only(store, synthetic, positions):
    positions = np.array(positions)
    together = MixedRows(store, synthetic, 0.37, seed=1).rows(positions)
    alone = [
        MixedRows(store, synthetic, 0.37, seed=1).rows(positions[i : i + 1])[0] for i in range(len(positions))
    ]
    assert together.tolist() == alone


@pytest.mark.parametrize(("fraction", "real"), [(0.0, False), (1.0, True)])
def test_the_ends_are_purely_synthetic_and_purely_real(store, synthetic, fraction, real):
    rows = MixedRows(store, synthetic, fraction, seed=0).rows(np.arange(64))
    assert ((rows < len(store)) == real).all()


def test_a_share_outside_of_zero_to_one_is_refused(store, synthetic):
    for fraction in (-0.1, 1.1, math.nan):
        with pytest.raises(SettingsError, match=r"real_fraction must be between 0 and 1"):
            MixedRows(store, synthetic, fraction, seed=0)


def test_missing_synthetic_images_are_said(store, make, tmp_path):
    assert MixedRows(store, None, 1.0, seed=0).rows(np.arange(3)).max() < len(store)
    with pytest.raises(SettingsError, match=r"real_fraction 0.5 needs synthetic images"):
        MixedRows(store, None, 0.5, seed=0)
    with pytest.raises(DataError, match=r"no images in the split 'train'"):
        MixedRows(make(tmp_path / "s", counts={"id_val": 3}), None, 1.0, seed=0)


def test_synthetic_images_that_are_not_usable_are_never_drawn(store, synthetic):
    usable = np.arange(len(synthetic)) % 3 > 0
    rows = MixedRows(store, synthetic, 0.5, seed=0, usable=usable).rows(np.arange(60))
    made = rows[rows >= len(store)] - len(store)
    assert set(made) == set(np.flatnonzero(usable))
    assert (rows < len(store)).sum() == 30
    with pytest.raises(DataError, match=r"none of the synthetic images in .* can be used"):
        MixedRows(store, synthetic, 0.5, seed=0, usable=np.zeros(len(synthetic), bool))


def test_a_batch_holds_the_images_and_labels_of_its_rows(store, synthetic):
    rows = np.array([len(store) + 3, 2, len(store), 5, 2])
    example = MixedStoreBatches(store, synthetic, 16)[Batch(np.arange(5), rows)]
    assert example["image"].shape == (5, 1, 16, 16)
    assert example["image"].dtype == example["label"].dtype == torch.float32
    assert example["position"].tolist() == list(range(5))
    sources = [(synthetic, 3), (store, 2), (synthetic, 0), (store, 5), (store, 2)]
    for i, (source, row) in enumerate(sources):
        pixels = source.images(16)[row, :, :, 0]
        np.testing.assert_array_equal(example["image"][i, 0].numpy(), pixels.astype(np.float32) / 255)
        np.testing.assert_array_equal(example["label"][i], source.task.labels(source.table)[row])


def test_augmentation_depends_on_seed_and_position_only(store, synthetic):
    rows, positions = np.array([1, len(store), 4]), np.array([7, 8, 9])
    dataset = MixedStoreBatches(store, synthetic, 16, augmentation("heuristic", "radiology"), seed=3)
    together = dataset[Batch(positions, rows)]["image"]
    for i in (2, 0, 1):
        alone = dataset[Batch(positions[i : i + 1], rows[i : i + 1])]["image"][0]
        assert torch.equal(alone, together[i])
    plain = MixedStoreBatches(store, synthetic, 16)[Batch(positions, rows)]["image"]
    other = MixedStoreBatches(store, synthetic, 16, RandRadiograph(), seed=4)[Batch(positions, rows)]["image"]
    assert not torch.equal(plain, together)
    assert not torch.equal(other, together)


def test_bytes_become_the_same_images_where_they_are_used(store, synthetic):
    rows, positions = np.array([1, len(store), 4]), np.array([7, 8, 9])
    weights = np.arange(len(store), dtype=np.float32)
    batch = MixedPixels(store, synthetic, 16, weights)[Batch(positions, rows)]
    expected = MixedStoreBatches(store, synthetic, 16, weights=weights)[Batch(positions, rows)]
    assert batch["image"].dtype == torch.uint8
    plain, (label, weight) = AugmentedBatches(counted_augmentation("none", "radiology", 3))(batch, "cpu")
    assert torch.equal(plain, expected["image"])
    assert torch.equal(label, expected["label"])
    assert torch.equal(weight, expected["weight"])
    augment = counted_augmentation("randaugment+heuristic", "radiology", 3)
    found, _ = AugmentedBatches(augment)(batch, "cpu", non_blocking=True)
    assert torch.equal(found, augment(plain, torch.from_numpy(positions)))
    assert not torch.equal(found, plain)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_do_not_change_the_batches(store, synthetic):
    dataset = MixedStoreBatches(
        store, synthetic, 16, augmentation("randaugment+heuristic", "radiology"), seed=3
    )
    stream = MixedRows(store, synthetic, 0.5, seed=3)
    here, there = (list(batch_loader(dataset, BatchSampler(stream, 4, 3), n)) for n in (0, 2))
    assert len(here) == len(there) == 3
    for a, b in zip(here, there, strict=True):
        assert all(torch.equal(a[key], b[key]) for key in ("image", "label", "position"))


def test_the_dataset_travels_to_workers_without_its_pixels(store, synthetic):
    dataset = MixedStoreBatches(store, synthetic, 16)
    batch = Batch(np.arange(2), np.array([0, len(store)]))
    before = dataset[batch]
    after = pickle.loads(pickle.dumps(dataset))[batch]
    assert torch.equal(before["image"], after["image"])


def test_stores_of_other_classes_or_channels_are_not_mixed(store, make, tmp_path):
    other = make(tmp_path / "classes", task=Task("multilabel", ("edema", "mass")))
    with pytest.raises(DataError, match=r"classes edema, mass; 1 channels\) cannot be mixed"):
        MixedStoreBatches(store, other, 16)
    with pytest.raises(DataError, match=r"3 channels\) cannot be mixed"):
        MixedStoreBatches(store, make(tmp_path / "colour", channels=3), 16)
