"""Write a store in child processes that are killed at random moments, then once more to the end.

Run with two folders: the first store is written without a kill. Forking here, in a process of its own, spares
every child the import of torch.
"""

import os
import random
import signal
import sys
import time

import numpy as np
import pandas as pd

from medaug.data.store import StoreWriter
from medaug.task import Task

COUNT, SIZES, KILLS = 300, (16, 8), 12


def write(path: str) -> None:
    number = [str(i) for i in range(COUNT)]
    table = pd.DataFrame(
        {"image_id": number, "file": number, "patient_id": number, "domain": "A", "label:x": 0.0}
    )
    writer = StoreWriter(path, Task("multilabel", ("x",)), table.assign(split="train"), SIZES, 1)
    for row in writer.pending():
        if row % 7 == 3:
            writer.reject(row, f"reason {row}")
            continue
        values = np.random.default_rng(row)
        writer.write([row], {s: values.integers(0, 256, (1, s, s, 1), np.uint8) for s in SIZES})
    writer.finish({"phantom": False})


def write_and_kill(path: str, seconds: float) -> None:
    child = os.fork()
    if child == 0:
        write(path)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main(whole: str, killed: str) -> None:
    began = time.monotonic()
    write(whole)
    duration = time.monotonic() - began
    kills = 0
    while kills < KILLS and not os.path.exists(killed):
        write_and_kill(killed, random.uniform(0, 0.5 * duration))
        kills += 1
    if not os.path.exists(killed):
        write(killed)
    print(kills)


if __name__ == "__main__":
    main(*sys.argv[1:])
