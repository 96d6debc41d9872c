from dataclasses import fields

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from medaug.engine.philox import CounterRandom
from medaug.errors import DataError, SettingsError
from medaug.transforms import colour, photograph, radiograph
from medaug.transforms.augmentation import AUGMENTATIONS, HEURISTICS
from medaug.transforms.batches import by_kind, spread
from medaug.transforms.counted_augmentation import (
    BATCH_AUGMENTATIONS,
    BATCH_HEURISTICS,
    CountedAugmentation,
    counted_augmentation,
)

SEED = 3
SINGLE = {
    "histopathology": (colour.ColourParameters, colour.jitter_colours, colour.draw_parameters),
    "radiology": (
        radiograph.RadiographParameters,
        radiograph.augment_radiograph,
        radiograph.draw_parameters,
    ),
    "dermatology": (
        photograph.PhotographParameters,
        photograph.augment_photograph,
        photograph.draw_parameters,
    ),
}
NOTHING = {"brightness": 0.0, "saturation": 1.0, "hue": 0.0, "contrast": 1.0}


def images(count, channels=3, side=24):
    random = np.random.default_rng(0).random((count, channels, side, side))
    smooth = ndimage.gaussian_filter(random, (0, 0, 2, 2), mode="wrap")
    return torch.from_numpy((smooth - smooth.min()) / (smooth.max() - smooth.min())).float()


@pytest.mark.parametrize("modality", list(SINGLE))
def test_each_image_is_augmented_as_the_single_way_does(modality):
    kind, apply, _ = SINGLE[modality]
    whole, transform = images(12), BATCH_HEURISTICS[modality]
    columns = transform.draw(torch.rand(12, transform.numbers, generator=torch.Generator().manual_seed(0)))
    assert list(columns)
    assert set(columns) == {field.name for field in fields(kind)}
    found = transform.apply(whole, columns)
    for place, image in enumerate(whole):
        own = kind(**{name: column[place].item() for name, column in columns.items()})
        torch.testing.assert_close(found[place], apply(image, own), atol=2e-6, rtol=0)


@pytest.mark.parametrize("modality", list(SINGLE))
def test_parameters_have_the_distributions_of_the_single_way(modality):
    _, _, draw = SINGLE[modality]
    transform, random = BATCH_HEURISTICS[modality], np.random.RandomState(0)
    columns = transform.draw(CounterRandom.of(0, "test").uniform(torch.arange(1500), 0, transform.numbers))
    one_by_one = [vars(draw(random)) for _ in range(1500)]
    for name, column in columns.items():
        expected = np.array([parameters[name] for parameters in one_by_one], float)
        assert stats.ks_2samp(column.double().numpy(), expected).pvalue > 1e-3, name


@pytest.mark.parametrize("channels", [1, 3])
def test_what_happens_to_an_image_depends_on_its_position_alone(channels):
    name = "randaugment+heuristic"
    augment = counted_augmentation(name, "dermatology" if channels == 3 else "radiology", SEED)
    whole, positions = images(24, channels), torch.arange(100, 124)
    together = augment(whole, positions)
    for size in (1, 7, 24):
        parts = [
            augment(whole[first : first + size], positions[first : first + size])
            for first in range(0, 24, size)
        ]
        torch.testing.assert_close(torch.cat(parts), together, atol=1e-5, rtol=0)
    other = counted_augmentation(name, "radiology", SEED + 1)(whole, positions)
    assert (other - together).abs().mean() > 0.01
    assert together.min() >= 0
    assert together.max() <= 1
    assert (together - whole).abs().flatten(1).amax(1).gt(0.01).float().mean() > 0.9


@pytest.mark.parametrize("modality", list(SINGLE))
def test_no_device_is_asked_for_a_value(modality):
    """On the device "meta" there are no values: whoever looks at one gets an error."""
    augment = counted_augmentation("randaugment+heuristic", modality, SEED)
    found = augment(torch.empty(40, 3, 16, 16, device="meta"), torch.arange(40))
    assert found.shape == (40, 3, 16, 16)
    assert found.device.type == "meta"


def test_without_change_the_images_stay():
    whole = images(3)
    one = torch.ones(3, dtype=torch.float64)
    flips = dict.fromkeys(("flip_horizontal", "flip_vertical"), one * 0)
    plain = {name: one * value for name, value in NOTHING.items()}
    found = photograph.PHOTOGRAPHS.apply(whole, flips | plain | {"angle": one * 0, "blur": one * 0.001})
    torch.testing.assert_close(found, whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(colour.COLOURS.apply(whole, plain), whole, atol=1e-5, rtol=0)
    assert counted_augmentation("none", "radiology", 0)(whole, torch.arange(3)) is whole


def test_names_are_those_of_the_single_way():
    assert set(BATCH_AUGMENTATIONS) == set(AUGMENTATIONS)
    assert set(BATCH_HEURISTICS) == set(HEURISTICS)
    with pytest.raises(SettingsError, match="no augmentation 'mixup'"):
        counted_augmentation("mixup", "radiology", 0)
    with pytest.raises(DataError, match="colours need 3"):
        counted_augmentation("heuristic", "dermatology", 0)(images(2, channels=1), torch.arange(2))


def test_a_step_has_numbers_of_its_own():
    seen = []

    class Kept:
        numbers = 2

        def __call__(self, whole, numbers):
            seen.append(numbers)
            return whole

    CountedAugmentation((Kept(), Kept()), SEED)(images(4), torch.arange(4))
    assert not torch.equal(*seen)


def test_images_of_a_kind_go_together():
    whole, kinds = torch.arange(5.0).reshape(5, 1, 1, 1), torch.tensor([2, 0, 2, 1, 0])
    sizes = []

    def tens(some, places):
        sizes.append(len(some))
        return some + 10 * kinds[places].reshape(-1, 1, 1, 1)

    assert by_kind(whole, kinds, tens).flatten().tolist() == [20, 1, 22, 13, 4]
    assert sorted(sizes) == [1, 2, 2]
    assert spread(torch.tensor([[0.25]]), {"hue": (-2.0, 2.0)})["hue"].item() == -1
