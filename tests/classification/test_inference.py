from __future__ import annotations

import numpy as np
import pytest
from ignite import distributed as idist

from medaug.classification.inference import InOrder, inference_dataset, inference_loader


@pytest.mark.parametrize(("rows", "processes", "batch_size"), [(10, 1, 4), (10, 3, 2), (2, 3, 4), (1, 1, 1)])
def test_every_row_once_over_all_processes(
    rows: int, processes: int, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idist, "get_world_size", lambda: processes)
    seen = []
    for rank in range(processes):
        monkeypatch.setattr(idist, "get_rank", lambda rank=rank: rank)
        sampler = InOrder(rows, batch_size)
        batches = [batch.rows for batch in sampler]
        assert len(batches) == len(sampler) >= 1
        assert all(len(batch) <= batch_size for batch in batches)
        seen += np.concatenate(batches).tolist()

    assert set(seen) == set(range(rows))
    assert len(seen) == max(rows, processes)


def test_batches_hold_images_from_zero_to_one_in_order(store) -> None:
    size = store.sizes[0]
    batches = list(inference_loader(inference_dataset(store, size), 5))

    images = np.concatenate([batch["image"].numpy() for batch in batches])
    np.testing.assert_allclose(images, store.images(size).transpose(0, 3, 1, 2) / 255, rtol=1e-6)
    positions = np.concatenate([batch["position"].numpy() for batch in batches])
    np.testing.assert_array_equal(positions, np.arange(len(store)))
