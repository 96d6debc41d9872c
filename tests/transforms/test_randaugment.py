import pytest
import torch

from medaug.errors import SettingsError
from medaug.transforms import randaugment
from medaug.transforms.randaugment import RandAugmentation, RandRandAugment, RandRandAugmentd


def image(channels=1, seed=0):
    return torch.rand(channels, 32, 32, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_every_draw_gives_an_image(channels):
    transform = RandRandAugment().set_random_state(seed=0)
    for seed in range(40):
        augmented = transform(image(channels, seed))
        assert augmented.shape == (channels, 32, 32)
        assert augmented.dtype == torch.float32
        assert augmented.min() >= 0
        assert augmented.max() <= 1


def test_what_was_drawn_can_be_replayed():
    transform = RandRandAugment().set_random_state(seed=3)
    first = transform(image())
    kept = transform.parameters
    others = [transform(image()) for _ in range(5)]
    assert any(not torch.equal(first, other) for other in others)
    assert torch.equal(transform.operations(image(), kept), first)
    assert torch.equal(RandRandAugment().set_random_state(seed=3)(image()), first)


def test_global_random_state_is_neither_used_nor_changed():
    torch.manual_seed(0)
    first = RandRandAugment().set_random_state(seed=1)(image())
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(0)))
    torch.manual_seed(9)
    assert torch.equal(RandRandAugment().set_random_state(seed=1)(image()), first)


def test_strength_moves_the_image_further(monkeypatch):
    # One operation whose strength is plain to see; some (solarize) get weaker as m grows.
    policy = [[("brightness", 1.0, 2.0)]]
    monkeypatch.setattr(randaugment, "default_policy", policy)
    dark = image() / 4
    change = [(RandAugmentation(1, m)(dark, 0) - dark).abs().mean().item() for m in (1, 15, 29)]
    assert change[0] < change[1] < change[2]


def test_all_keys_get_the_same_operations():
    data = {"image": image(), "other": image(), "label": 1}
    found = RandRandAugmentd(["image", "other"]).set_random_state(seed=3)(data)
    assert torch.equal(found["image"], found["other"])
    assert torch.equal(found["image"], RandRandAugment().set_random_state(seed=3)(image()))
    assert found["label"] == 1


@pytest.mark.parametrize(("n", "m"), [(0, 9), (15, 9), (2, 0), (2, 30)])
def test_settings_out_of_range_are_refused(n, m):
    with pytest.raises(SettingsError, match=f"n={n}, m={m}"):
        RandRandAugment(n, m)
