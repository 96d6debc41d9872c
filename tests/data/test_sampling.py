import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ignite import distributed as idist

from medaug.data.orders import mixed
from medaug.data.sampling import BatchSampler, InOrder, PermutedRows, SharedRows, StoreBatches, batch_loader
from medaug.data.store import StoreWriter
from medaug.errors import DataError, SettingsError

rows_of = st.lists(st.integers(0, 1000), min_size=1, max_size=40, unique=True).map(np.array)


@pytest.fixture
def store(tmp_path, task, make_table, make_images):
    writer = StoreWriter(tmp_path / "store", task, make_table(10), (8, 4), 3)
    writer.write(range(10), make_images(range(10), (8, 4), channels=3))
    return writer.finish({})


@settings(deadline=None)
@given(rows_of, st.integers(0, 5))
def test_every_pass_has_every_row_once(rows, number):
    n = len(rows)
    found = PermutedRows(rows, 0, "test").rows(np.arange(number * n, (number + 1) * n))
    assert sorted(found) == sorted(rows)


@settings(deadline=None)
@given(rows_of, st.lists(st.integers(0, 500), min_size=1, max_size=60).map(np.array))
def test_a_row_depends_on_its_position_alone(rows, positions):
    together = PermutedRows(rows, 3, "test").rows(positions)
    alone = [PermutedRows(rows, 3, "test").rows(positions[i : i + 1])[0] for i in range(len(positions))]
    assert together.tolist() == alone


def test_passes_seeds_and_keys_have_different_orders():
    rows = np.arange(100)
    orders = [
        PermutedRows(rows, 0, "a").rows(np.arange(100)),
        PermutedRows(rows, 0, "a").rows(np.arange(100, 200)),
        PermutedRows(rows, 1, "a").rows(np.arange(100)),
        PermutedRows(rows, 0, "b").rows(np.arange(100)),
    ]
    assert len({tuple(order) for order in orders}) == 4


def test_no_rows_is_an_error():
    with pytest.raises(DataError, match="no rows to draw"):
        PermutedRows(np.array([], np.int64), 0)


def test_resuming_gives_the_same_batches():
    stream = PermutedRows(np.arange(7), 0, "test")
    whole = list(BatchSampler(stream, 4, 10))
    resumed = BatchSampler(stream, 4, 10)
    resumed.start = 6
    assert len(resumed) == 4
    for expected, found in zip(whole[6:], resumed, strict=True):
        np.testing.assert_array_equal(found.positions, expected.positions)
        np.testing.assert_array_equal(found.rows, expected.rows)


def test_processes_share_a_batch_without_changing_it(monkeypatch):
    stream = PermutedRows(np.arange(11), 0, "test")
    alone = list(BatchSampler(stream, 6, 5))
    monkeypatch.setattr(idist, "get_world_size", lambda: 3)
    shares = []
    for rank in range(3):
        monkeypatch.setattr(idist, "get_rank", lambda rank=rank: rank)
        shares.append(list(BatchSampler(stream, 6, 5)))
    for batch, parts in zip(alone, zip(*shares, strict=True), strict=True):
        positions = np.concatenate([part.positions for part in parts])
        rows = np.concatenate([part.rows for part in parts])
        order = np.argsort(positions)
        np.testing.assert_array_equal(positions[order], batch.positions)
        np.testing.assert_array_equal(rows[order], batch.rows)


def test_a_batch_that_cannot_be_shared_is_an_error(monkeypatch):
    monkeypatch.setattr(idist, "get_world_size", lambda: 4)
    with pytest.raises(SettingsError, match="batch_size 6 cannot be shared by 4 processes"):
        BatchSampler(PermutedRows(np.arange(3), 0), 6, 1)


@pytest.mark.parametrize(("count", "processes", "size"), [(10, 1, 4), (10, 3, 2), (2, 3, 4), (1, 1, 1)])
def test_in_order_every_row_comes_once_over_all_processes(count, processes, size, monkeypatch):
    rows = np.arange(count) * 7 % 100
    monkeypatch.setattr(idist, "get_world_size", lambda: processes)
    positions, found = [], []
    for rank in range(processes):
        monkeypatch.setattr(idist, "get_rank", lambda rank=rank: rank)
        batches = list(InOrder(rows, size))
        assert len(batches) == len(InOrder(rows, size)) >= 1
        assert all(len(batch.rows) <= size for batch in batches)
        assert all(np.all(np.diff(batch.positions) == processes) for batch in batches)
        positions += [p for batch in batches for p in batch.positions]
        found += [r for batch in batches for r in batch.rows]
    assert sorted(positions) == list(range(max(count, processes)))
    assert all(row == rows[p] for p, row in zip(positions, found, strict=True) if p < count)


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_hold_the_rows_of_the_store(store, workers):
    columns = {"labels": store.task.labels(store.table), "number": np.arange(10, dtype=np.int32)}
    sampler = BatchSampler(PermutedRows(np.array([2, 4, 5, 9]), 0, "test"), 3, 4)
    dataset = StoreBatches(store, 4, columns, transform=lambda example: {**example, "extra": 1})
    if workers:
        dataset.transform = None
    batches = list(batch_loader(dataset, sampler, workers))
    for expected, batch in zip(sampler, batches, strict=True):
        rows = torch.from_numpy(expected.rows)
        assert batch["image"].shape == (3, 3, 4, 4)
        assert batch["image"].dtype == torch.uint8
        assert torch.equal(batch["image"][:, 2, 1, 3].long(), rows)
        assert torch.equal(batch["number"], rows)
        assert batch["labels"].dtype == torch.float32
        np.testing.assert_array_equal(batch["labels"], columns["labels"][expected.rows])
        assert batch["position"].tolist() == expected.positions.tolist()
        assert ("extra" in batch) == (workers == 0)


def test_a_dataset_travels_without_its_pixels(store):
    dataset = StoreBatches(store, None, {})
    batch = next(iter(BatchSampler(PermutedRows(np.arange(10), 0), 2, 1)))
    expected = dataset[batch]["image"]
    travelled = pickle.loads(pickle.dumps(dataset))
    assert travelled._images is None
    assert torch.equal(travelled[batch]["image"], expected)


def test_a_column_of_another_length_is_an_error(store):
    with pytest.raises(DataError, match="column 'x' has 3 values for 10 images"):
        StoreBatches(store, None, {"x": np.zeros(3)})


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_two_streams_have_their_exact_share_whatever_the_batches(share):
    first, second = PermutedRows(np.arange(5), 0, "a"), PermutedRows(np.arange(5, 12), 0, "b")
    stream = SharedRows(first if share else None, second if share < 1 else None, mixed(share))
    rows = stream.rows(np.arange(70))
    for end in range(1, 71):
        assert (rows[:end] < 5).sum() == int(Fraction(str(share)) * end)
    np.testing.assert_array_equal(np.concatenate([stream.rows(p) for p in np.split(np.arange(70), 7)]), rows)
    np.testing.assert_array_equal(rows[rows < 5], first.rows(np.arange((rows < 5).sum())))
    np.testing.assert_array_equal(rows[rows >= 5], second.rows(np.arange((rows >= 5).sum())))
