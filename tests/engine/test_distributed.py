import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import tiny_run
import torch
from torch import nn

from medaug.engine import distributed
from medaug.errors import SettingsError

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import tiny_run
from medaug.engine import distributed
distributed.start("cpu")
distributed.start("cpu")
trainer = tiny_run.build(Path(sys.argv[2]), dropout=0.0)
assert distributed.unwrap(trainer.network) is not trainer.network
trainer.run()
distributed.end()
"""


def test_two_processes_train_as_one(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        str(tmp_path / "program.py"),
    ]
    arguments = [str(Path(__file__).parent), str(tmp_path / "two")]
    subprocess.run([sys.executable, *command, *arguments], check=True, timeout=200)
    tiny_run.build(tmp_path / "one", dropout=0.0).run()
    one, two = (torch.load(tmp_path / n / "product.pt", weights_only=True) for n in ("one", "two"))
    for part in ("network", "ema"):
        for name, value in one[part].items():
            torch.testing.assert_close(two[part][name], value, atol=1e-5, rtol=0)
    assert not (tmp_path / "two" / "resume.pt").exists()


def test_alone_nothing_is_started():
    distributed.start()
    distributed.barrier()
    assert distributed.is_first()
    distributed.end()


def test_wrap_alone_is_the_network():
    network = nn.Linear(2, 2)
    assert distributed.wrap(network, torch.device("cpu")) is network
    assert distributed.unwrap(network) is network


def test_unwrap_sees_through_compile():
    network = nn.Linear(2, 2)
    assert distributed.unwrap(torch.compile(network)) is network


@pytest.mark.parametrize("compiled_first", [True, False])
def test_unwrap_sees_through_both_in_either_order(compiled_first, monkeypatch):
    class Wrapped(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    monkeypatch.setattr(distributed, "DistributedDataParallel", Wrapped)
    network = nn.Linear(2, 1)
    wrapped = Wrapped(torch.compile(network)) if compiled_first else torch.compile(Wrapped(network))
    assert distributed.unwrap(wrapped) is network


def test_device_names():
    assert distributed.device("cpu") == torch.device("cpu")
    with pytest.raises(SettingsError, match="no device 'gpu'"):
        distributed.device("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_absent_gpu_is_said():
    assert distributed.device("auto") == torch.device("cpu")
    with pytest.raises(SettingsError, match="--device_name cpu"):
        distributed.device("cuda")


@pytest.mark.parametrize("processes", [1, 3, 8])
def test_shares_are_the_whole(processes, monkeypatch):
    monkeypatch.setattr(distributed.idist, "get_world_size", lambda: processes)
    shares = []
    for rank in range(processes):
        monkeypatch.setattr(distributed.idist, "get_rank", lambda rank=rank: rank)
        assert (distributed.rank(), distributed.processes()) == (rank, processes)
        shares.append(distributed.own_share(list("abcdef")))
        assert distributed.own_share(np.arange(6)).tolist() == list(range(6))[rank::processes]
    assert sorted(chain.from_iterable(shares)) == list("abcdef")
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone_a_sum_is_what_it_was():
    values = torch.rand(3)
    assert distributed.sum_over_processes(values) is values


def test_processes_of_a_machine_share_its_cores(monkeypatch):
    monkeypatch.setattr(distributed, "usable_cores", lambda: 7)
    assert distributed.own_cores() == 7
    monkeypatch.setattr(distributed.idist, "get_nproc_per_node", lambda: 2)
    assert distributed.own_cores() == 3
