import importlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image

import medaug.data.decoding as module
from medaug.data.decoding import CRASHED, decode_files
from medaug.data.pixels import Recipe
from medaug.errors import DataError

RECIPE = Recipe((8,), 1, "pad")


CRASHING = """
import os
from medaug.data.pixels import decode

def decode_or_die(paths, recipe):
    if any(path.name == "13.png" for path in paths):
        os._exit(11)
    return decode(paths, recipe)
"""


@pytest.fixture
def paths(tmp_path):
    for i in range(40):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(tmp_path / f"{i}.png")
    return [tmp_path / f"{i}.png" for i in range(40)]


def test_rows_come_with_their_images_in_order(paths):
    rows = list(range(39, -1, -2))
    found = list(decode_files(rows, paths, RECIPE, 2))
    assert [row for row, _ in found] == rows
    assert [int(images[8][0, 0, 0]) for _, images in found] == rows


def test_a_file_that_ends_the_process_is_found_and_the_rest_decoded(paths, monkeypatch):
    # The processes import this module by its name: one file ends them as a crash in a C library would.
    (paths[0].parent / "crashing_decoder.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(paths[0].parent)
    monkeypatch.setattr(module, "decode", importlib.import_module("crashing_decoder").decode_or_die)
    found = dict(decode_files(range(40), paths, RECIPE, 2))
    assert found.pop(13) == CRASHED
    assert {row: int(images[8][0, 0, 0]) for row, images in found.items()} == {
        i: i for i in range(40) if i != 13
    }


def test_processes_that_cannot_start_are_no_fault_of_the_files(paths, monkeypatch):
    spawn = multiprocessing.get_context("spawn")
    dying = partial(ProcessPoolExecutor, mp_context=spawn, initializer=os._exit, initargs=(1,))
    monkeypatch.setattr(module, "start_pool", dying)
    with pytest.raises(DataError, match="cannot start; put what your script does under"):
        list(decode_files(range(40), paths, RECIPE, 2))
