"""What holds for all tests."""

import os

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch: more threads disturb others

settings.register_profile("medaug", deadline=None)  # no test depends on the clock
settings.load_profile("medaug")


@pytest.fixture
def meta(monkeypatch):
    """The device without values, where torch does not know autocast."""
    import torch

    known = torch.autocast
    monkeypatch.setattr(
        torch, "autocast", lambda name, *a, **how: known("cpu" if name == "meta" else name, *a, **how)
    )
    return torch.device("meta")
