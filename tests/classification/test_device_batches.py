import pytest
import torch
from unwaited import unwaited

from medaug.classification.device_batches import AugmentedBatches
from medaug.transforms.counted_augmentation import counted_augmentation


def batch(count, channels=3, side=16):
    random = torch.Generator().manual_seed(0)
    return {
        "image": torch.randint(256, (count, channels, side, side), dtype=torch.uint8, generator=random),
        "label": torch.ones(count, 2),
        "weight": torch.ones(count),
        "position": torch.arange(100, 100 + count),
    }


def test_bytes_become_augmented_images():
    whole, augment = batch(5), counted_augmentation("randaugment+heuristic", "dermatology", 3)
    images, (labels, weights) = AugmentedBatches(augment)(whole, "cpu")
    torch.testing.assert_close(images, augment(whole["image"] / 255, whole["position"]))
    assert torch.equal(labels, whole["label"])
    assert torch.equal(weights, whole["weight"])


@pytest.mark.parametrize("modality", ["histopathology", "radiology", "dermatology"])
def test_a_batch_is_made_without_waiting_for_the_device(modality, meta):
    prepare = AugmentedBatches(counted_augmentation("randaugment+heuristic", modality, 3))
    with unwaited():
        images, (labels, weights) = prepare(batch(40), meta, non_blocking=True)
    assert {tensor.device for tensor in (images, labels, weights)} == {meta}
    assert images.shape == (40, 3, 16, 16)


def test_convolutions_are_not_tried_for_the_images_that_one_operation_happens_to_get(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    seen = []

    def augment(images, positions):
        seen.append(torch.backends.cudnn.benchmark)
        return images

    AugmentedBatches(augment)(batch(2), "cpu")
    assert seen == [False]
    assert torch.backends.cudnn.benchmark
