import os

import pytest

from medaug import threads


@pytest.mark.parametrize(
    ("load", "chosen", "worked", "hurts"),
    [
        (0.9, {}, 10, False),
        (2.0, {}, 10, True),
        (2.0, {}, 100, False),
        (9.0, {"OMP_NUM_THREADS": "1"}, 10, False),
    ],
)
def test_threads_should_sleep_beside_other_programs_on_all_cores(load, chosen, worked, hurts, monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)
    monkeypatch.setattr(os, "times", lambda: os.times_result((worked, 0.0, 0.0, 0.0, 0.0)))
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    assert threads.spinning_hurts() is hurts
