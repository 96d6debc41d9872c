import numpy as np
import pytest
import torch
from kornia.augmentation.auto import RandAugment
from kornia.augmentation.auto.rand_augment.rand_augment import default_policy
from scipy import stats

from medaug.errors import SettingsError
from medaug.transforms import batch_randaugment
from medaug.transforms.batch_randaugment import OPERATIONS_BY_NAME, BatchRandAugment

NAMES = [name for ((name, *_),) in default_policy]
SIGNED = {"rotate", "shear_x", "shear_y", "translate_x", "translate_y"}
MAGNITUDE = 11


def images(channels=3, count=4, height=20, width=24):
    """Smooth, so that rounding moves no pixel over a border between two levels far."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.random((count, channels, 5, 6))).float()
    large = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return large.clamp(0, 1)


def one_operation(name, magnitude=MAGNITUDE):
    """Kornia's own RandAugment with a single operation, and the parameters that it draws."""
    augment = RandAugment(1, magnitude, policy=[p for p in default_policy if p[0][0] == name])
    torch.manual_seed(5)
    return augment, augment.forward_parameters(torch.Size(images().shape))


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_is_kornias_with_the_same_parameters(name):
    augment, drawn = one_operation(name)
    values = drawn[0].data[0].data
    numbers = torch.rand(len(images()), generator=torch.Generator().manual_seed(1))
    if name in SIGNED:
        key = {"rotate": "degrees"}.get(name, name)
        assert 0 < (values[key] > 0).float().mean() < 1
        numbers = (values[key] > 0).float() * 0.75
    if name == "solarize_add":
        numbers = values["thresholds"]
    expected = augment(images(), params=drawn)
    strength = BatchRandAugment(1, MAGNITUDE)._strengths[name]
    found = OPERATIONS_BY_NAME[name](images(), strength, numbers)
    assert (found - images()).abs().max() > 0.01
    # Interpolated at places that differ by rounding; a pixel at a threshold may fall on either side of it.
    differs = (found - expected).abs() > 1e-4
    assert differs.float().mean() < 0.002


def test_what_is_drawn_is_what_kornia_draws():
    """Each of two different operations as often, either sign as often, any threshold."""
    augment = BatchRandAugment(2)
    count, pixel = 3000, torch.full((3000, 3, 1, 1), 0.25)
    seen = {name: [] for name in NAMES}

    def kept(name):
        def operation(some, strength, numbers):
            seen[name].append(numbers)
            return some

        return operation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_randaugment, "OPERATIONS_BY_NAME", {name: kept(name) for name in NAMES})
        numbers = torch.rand(count, augment.numbers, generator=torch.Generator().manual_seed(0))
        augment(pixel, numbers)
    often = [sum(map(len, found)) for found in seen.values()]
    assert sum(often) == 2 * count
    assert stats.chisquare(often).pvalue > 1e-3
    for found in seen.values():
        assert stats.kstest(torch.cat(found).numpy(), "uniform").pvalue > 1e-4


def test_no_operation_comes_twice_and_grey_images_have_no_saturation(monkeypatch):
    def marked(name):
        place = NAMES.index(name)
        return lambda some, strength, numbers: some + torch.eye(len(NAMES))[place]

    monkeypatch.setattr(batch_randaugment, "OPERATIONS_BY_NAME", {name: marked(name) for name in NAMES})
    augment = BatchRandAugment(3)
    for channels, missing in ((1, "color"), (3, None)):
        numbers = torch.rand(500, augment.numbers, generator=torch.Generator().manual_seed(2))
        times = augment(torch.zeros(500, channels, 1, len(NAMES)), numbers)[:, 0, 0]
        assert (times.sum(1) == 3).all()  # the marks are not above 1: each operation once
        assert [name for name, t in zip(NAMES, times.sum(0), strict=True) if t == 0] == (
            [missing] if missing else []
        )


@pytest.mark.parametrize(("n", "m"), [(0, 9), (15, 9), (2, 0), (2, 30)])
def test_settings_out_of_range_are_refused(n, m):
    with pytest.raises(SettingsError, match=f"n={n}, m={m}"):
        BatchRandAugment(n, m)
