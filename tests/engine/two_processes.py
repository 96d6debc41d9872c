"""Run the ``main`` of a script in two processes that know of each other as under ``torchrun``.

Most of what a tiny run under ``torchrun`` takes is importing torch and MONAI, in each process anew; these are
forked after one import. That ``torchrun`` itself is understood is checked in ``test_distributed.py``.

Run with the script and the arguments of its ``main``, which are texts.
"""

import multiprocessing
import os
import runpy
import socket
import sys
from collections.abc import Callable

import torch


def start(main: Callable[..., None], arguments: list[str], rank: int, port: int) -> None:
    torch.set_num_threads(1)
    known = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
    known |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in known.items()})
    main(*arguments)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


if __name__ == "__main__":
    script, *arguments = sys.argv[1:]
    main, port = runpy.run_path(script)["main"], free_port()
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=start, args=(main, arguments, rank, port)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    sys.exit(any(process.exitcode for process in processes))
