"""How the threads of a calculation wait for each other."""

from __future__ import annotations

import os

from medaug.parallel import usable_cores

OWN_WORK = 30
"""Seconds of a processor after which the machine's load may be this program's own."""


def spinning_hurts() -> bool:
    """Say whether threads that wait for each other should sleep and do not.

    By default they spin, which is fastest while no one else wants the core. Beside other programs on all
    cores a thread spins while the one it waits for is kept from working: on two cores with three busy
    programs a training step of two threads took 1.1 s, and 0.16 s with ``OMP_WAIT_POLICY=PASSIVE``.

    Only a program that has just begun can tell: later the load is its own.

    Examples
    --------
    >>> spinning_hurts()  # doctest: +SKIP
    False
    """
    chosen = any(name in os.environ for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS"))
    user, system, of_children, by_children, _ = os.times()
    has_worked = user + system + of_children + by_children > OWN_WORK
    if chosen or has_worked or not hasattr(os, "getloadavg"):
        return False
    return os.getloadavg()[0] >= usable_cores()
