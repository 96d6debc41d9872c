from __future__ import annotations

import pytest

from medaug.data.real import need_real, open_real, open_synthetic
from medaug.data.store import StoreWriter
from medaug.errors import DataError


@pytest.fixture
def write_store(tmp_path, task, make_table, make_images):
    def write(synthetic):
        writer = StoreWriter(tmp_path / "store", task, make_table(4, synthetic=synthetic), (4,), 1)
        writer.write(range(4), make_images(range(4), (4,)))
        return writer.finish({}).path

    return write


@pytest.mark.parametrize("synthetic", [[True] * 4, [False, True, False, False]])
def test_synthetic_rows_do_not_pass_for_patients_whatever_the_folder_is_called(write_store, synthetic):
    path = write_store(synthetic)
    renamed = path.rename(path.with_name("data"))
    with pytest.raises(DataError, match=f"{sum(synthetic)} of 4 images say that they are synthetic"):
        open_real(renamed)


def test_real_rows_do_not_pass_for_synthetic(write_store):
    with pytest.raises(DataError, match="3 of 4 images are real"):
        open_synthetic(write_store([False, True, False, False]))


def test_what_is_what_it_says_is_opened(write_store, make_table):
    assert len(open_real(write_store(False))) == 4
    need_real(make_table(3), "table")
