import os
import subprocess
import sys
import time

import pytest

from medaug import parallel
from medaug.errors import DataError
from medaug.parallel import CRASHED, as_done, in_order, usable_cores

# The processes know functions by their module: those of the library serve here.


def test_results_come_in_order_and_a_crash_is_found_among_them():
    assert list(in_order(int, [str(n) for n in range(100)], 2)) == list(range(100))
    assert list(in_order(time.sleep, [0.3, 0.0], 2)) == [None, None]
    assert list(in_order(os._exit, [1, 0, 1], 2)) == [CRASHED, CRASHED, CRASHED]


def test_only_the_thing_that_ends_its_process_is_lost(tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text(
        "import os\n\ndef square(n):\n    return os.abort() if n % 7 == 3 else n * n\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from deadly import square

    expected = [CRASHED if n % 7 == 3 else n * n for n in range(40)]
    assert list(in_order(square, range(40), 2)) == expected
    assert dict(as_done(square, range(40), 2)) == dict(enumerate(expected))


def test_what_is_done_first_comes_first():
    assert [number for number, _ in as_done(time.sleep, [2.0, 0.0], 2)] == [1, 0]


class Begun(list):
    """Knows the last thing that was asked for."""

    last = None

    def __getitem__(self, number):
        self.last = number
        return super().__getitem__(number)


def test_few_results_wait(monkeypatch):
    monkeypatch.setattr(parallel, "THINGS_A_WORKER", 3)
    things = Begun(range(50))
    results = in_order(int, things, 2)
    assert [next(results), things.last] == [0, 5]
    assert [next(results), things.last] == [1, 6]
    assert list(results) == list(range(2, 50))


@pytest.mark.parametrize("workers", [0, 2])
def test_nothing_is_nothing(workers):
    assert list(in_order(int, [], workers)) == list(as_done(int, [], workers)) == []


def test_this_process_is_enough(monkeypatch):
    monkeypatch.setattr(parallel, "ProcessPoolExecutor", None)
    assert list(in_order(int, ["5", "6"], 0)) == [5, 6]
    assert list(as_done(int, ["5", "6"], 0)) == [(0, 5), (1, 6)]


@pytest.mark.parametrize("way", [in_order, as_done])
def test_an_error_of_the_function_is_that_error(way):
    with pytest.raises(ValueError, match="invalid literal"):
        list(way(int, ["1", "x", "2"], 2))


@pytest.mark.parametrize("way", [in_order, as_done])
def test_processes_that_cannot_start_are_no_fault_of_the_things(way, monkeypatch):
    monkeypatch.setattr(parallel, "_start_worker", os.abort)
    with pytest.raises(DataError, match=r"cannot start.*under `if __name__ == '__main__':`.*workers=0"):
        list(way(int, range(100), 2))


def test_a_script_without_a_guard_gets_the_sentence(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from medaug.parallel import in_order\nprint(list(in_order(int, range(50), 2)))\n")
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert "DataError: processes cannot start" in ended.stderr
    assert ended.stdout == ""


def test_processes_need_no_torch():
    command = "import sys, medaug.parallel; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_there_are_cores():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
