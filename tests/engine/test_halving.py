import logging

import numpy as np
import pytest
import torch

from medaug.engine.halving import Halving
from medaug.errors import SettingsError

SHORT = {
    "torch": torch.OutOfMemoryError("CUDA out of memory"),
    "cuBLAS": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "cuDNN": RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
}


def fitting(most, asked, error=SHORT["torch"]):
    """Squares, as long as no more than so many are asked for at once."""

    def work(things, batch_size):
        asked.append((len(things), batch_size))
        if batch_size > most:
            raise error
        return torch.from_numpy(things) ** 2

    return work


@pytest.mark.parametrize("most", [16, 8, 5, 1])
def test_all_is_done_in_order_in_batches_that_fit(most, caplog):
    asked, things = [], np.arange(13)
    squares = Halving(fitting(most, asked), 8)
    with caplog.at_level(logging.WARNING):
        assert squares(things).tolist() == (things**2).tolist()
        size = squares.batch_size
        assert size == 2 ** int(np.log2(min(most, 8)))
        asked.clear()
        assert squares(things[:3]).tolist() == [0, 1, 4]
    assert {batch_size for _, batch_size in asked} == {size}  # what was found to fit is kept
    assert len(caplog.records) == np.log2(8 / size)
    if most == 5:
        assert caplog.messages == [
            "The memory of the GPU is too small for 8 images at once; going on with 4 (batch_size)"
        ]


@pytest.mark.parametrize("error", SHORT.values(), ids=list(SHORT))
def test_libraries_tell_of_short_memory_in_their_own_words(error):
    assert Halving(fitting(2, [], error), 8)(np.arange(5)).tolist() == [0, 1, 4, 9, 16]


def test_where_not_even_one_fits_there_is_a_way_out():
    with pytest.raises(SettingsError, match=r"too small for one image; use a smaller --preset"):
        Halving(fitting(0, []), 2)(np.arange(2))


@pytest.mark.parametrize("error", [ValueError("shape"), RuntimeError("shape")])
def test_other_errors_stay_what_they_are(error):
    def broken(things, batch_size):
        raise error

    with pytest.raises(type(error), match="shape"):
        Halving(broken, 4)(np.arange(2))
