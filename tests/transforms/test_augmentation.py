import pytest
import torch

from medaug.errors import SettingsError
from medaug.transforms.augmentation import AUGMENTATIONS, HEURISTICS, augmentation
from medaug.transforms.colour import RandColour
from medaug.transforms.photograph import RandPhotograph
from medaug.transforms.radiograph import RandRadiograph


@pytest.mark.parametrize("modality", HEURISTICS)
@pytest.mark.parametrize("name", sorted(set(AUGMENTATIONS) - {"none"}))
def test_each_is_a_function_of_image_and_seed(name, modality):
    channels = 1 if modality == "radiology" else 3
    image = torch.rand(channels, 32, 32, generator=torch.Generator().manual_seed(0))
    results = [augmentation(name, modality).set_random_state(seed=seed)(image) for seed in (1, 1, 2, 3)]
    assert torch.equal(results[0], results[1])
    assert any(not torch.equal(results[0], other) for other in results[2:])
    for result in results:
        assert result.shape == image.shape
        assert 0 <= result.min() <= result.max() <= 1


def test_names():
    assert all(augmentation("none", modality) is None for modality in HEURISTICS)
    assert isinstance(augmentation("heuristic", "histopathology"), RandColour)
    assert isinstance(augmentation("heuristic", "radiology"), RandRadiograph)
    assert isinstance(augmentation("heuristic", "dermatology"), RandPhotograph)
    with pytest.raises(SettingsError, match=r"'mixup'.*none, heuristic"):
        augmentation("mixup", "radiology")
    with pytest.raises(SettingsError, match=r"'astronomy'.*histopathology, radiology, dermatology"):
        augmentation("heuristic", "astronomy")


def test_randaugment_comes_before_the_heuristic():
    names = [
        type(step).__name__ for step in augmentation("randaugment+heuristic", "histopathology").transforms
    ]
    assert names == ["RandRandAugment", "RandColour"]
