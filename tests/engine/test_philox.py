import shutil

import numpy as np
import pytest
import torch
from scipy import stats

from medaug.engine.acceleration import Acceleration
from medaug.engine.philox import CounterRandom, philox

# Salmon et al., Random123 1.14.0, tests/kat_vectors, "philox4x32 10": counter, key, result.
KNOWN_ANSWERS = [
    ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        (0xA4093822, 0x299F31D0),
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]
THINGS = torch.tensor([0, 1, 5, 2**40 + 5])


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_the_published_vectors(counter, key, expected):
    found = philox([torch.tensor([word]) for word in counter], [torch.tensor(word) for word in key])
    assert [int(word) for word in found] == expected


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_cipher_gives_the_same_words_in_one_compilation_for_all_streams_and_batches(device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    cipher = Acceleration(compile=True).cipher
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    for seed, things, count in ((0, THINGS, 9), (2**62 + 5, THINGS, 200), (3, THINGS[1:], 5)):
        words = CounterRandom(seed, cipher).words(things.to(device), 2, count)
        assert torch.equal(words.cpu(), CounterRandom(seed).words(things, 2, count))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_numbers_belong_to_a_thing_and_a_draw():
    random = CounterRandom.of(3, "image")
    together = random.normal(THINGS, 2, (1, 5, 5))
    for place, thing in enumerate(THINGS):
        assert torch.equal(random.normal(thing[None], 2, (1, 5, 5))[0], together[place])
    others = [random.normal(THINGS, 1, (1, 5, 5)), CounterRandom.of(4, "image").normal(THINGS, 2, (1, 5, 5))]
    others.append(CounterRandom.of(3, "noise").normal(THINGS, 2, (1, 5, 5)))
    flat = torch.cat([together, *others]).flatten(1)
    assert len(flat.unique(dim=0)) == len(flat)
    assert torch.corrcoef(flat).fill_diagonal_(0).abs().max() < 0.75


def test_a_longer_draw_begins_like_a_shorter_one():
    random = CounterRandom.of(0, "x")
    assert torch.equal(random.words(THINGS, 0, 9)[:, :6], random.words(THINGS, 0, 6))
    assert random.words(THINGS, 0, 9).max() < 2**32
    assert random.words(THINGS, 0, 9).min() >= 0


@pytest.mark.parametrize(("things", "count"), [(0, 5), (3, 0)])
def test_nothing_is_drawn_of_nothing(things, count):
    assert CounterRandom(0).words(torch.arange(things), 1, count).shape == (things, count)


def test_distributions():
    random, things = CounterRandom.of(1, "many"), torch.arange(2000)
    normal = random.normal(things, 0, (5, 3)).numpy().ravel()
    uniform = random.uniform(things, 1, 15).numpy().ravel()
    assert normal.dtype == uniform.dtype == np.float32
    assert stats.kstest(normal, "norm").pvalue > 1e-3
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert 0 <= uniform.min() < uniform.max() < 1
    assert abs(np.corrcoef(normal[:-1], normal[1:])[0, 1]) < 0.03
    assert random.normal(things, 2).shape == (2000,)
