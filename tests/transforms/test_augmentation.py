import pytest
import torch

from medaug.errors import SettingsError
from medaug.transforms.augmentation import AUGMENTATIONS, augmentation
from medaug.transforms.radiograph import RandRadiograph


@pytest.mark.parametrize("name", sorted(set(AUGMENTATIONS) - {"none"}))
def test_each_is_a_function_of_image_and_seed(name):
    image = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
    results = [augmentation(name).set_random_state(seed=seed)(image) for seed in (1, 1, 2, 3)]
    assert torch.equal(results[0], results[1])
    assert any(not torch.equal(results[0], other) for other in results[2:])


def test_names():
    assert augmentation("none") is None
    assert isinstance(augmentation("heuristic"), RandRadiograph)
    with pytest.raises(SettingsError, match=r"'mixup'.*none, heuristic"):
        augmentation("mixup")
