import os
import time

from medaug.data.processes import CRASHED, for_each, usable_cores


def test_results_carry_their_number_and_a_crash_is_found():
    # The processes know functions by their module: these are the library's.
    things = ["0", "1", "2", "3"]
    assert dict(for_each(int, things, 2)) == {0: 0, 1: 1, 2: 2, 3: 3}
    assert dict(for_each(os._exit, [1, 1, 1], 2)) == {0: CRASHED, 1: CRASHED, 2: CRASHED}


def test_one_process_is_enough():
    assert list(for_each(int, ["5", "6"], 0)) == [(0, 5), (1, 6)]
    assert list(for_each(int, [], 2)) == []


def test_what_is_done_first_comes_first():
    assert [number for number, _ in for_each(time.sleep, [2.0, 0.0], 2)] == [1, 0]


def test_there_are_cores():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
