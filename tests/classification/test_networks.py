import pytest
import torch
from torch import nn

from medaug.classification import networks
from medaug.classification.networks import BACKBONES, build_classifier
from medaug.errors import SettingsError


@pytest.mark.parametrize(
    "name", ["small_resnet", "resnet50", "densenet121", "efficientnet_lite0", "bit_50x1"]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_logits_and_penultimate_layer_have_the_promised_shapes(name, channels):
    network = build_classifier(name, classes=3, channels=channels).eval()
    image = torch.rand(2, channels, 64, 64)
    with torch.no_grad():
        features = network.features(image)
        logits = network(image)
    assert features.shape == (2, network.heads[0].in_features)
    assert logits.shape == (2, 3)
    expected = torch.stack([head(features)[:, 0] for head in network.heads], dim=1)
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize(
    ("name", "parameters", "features"),
    [("resnet152", 58_143_808, 2048), ("bit_152x2", 232_238_208, 4096), ("bit_101x3", 381_789_888, 6144)],
)
def test_large_networks_have_the_size_of_the_published_ones(name, parameters, features):
    # Listed by torchvision and timm with 1,000 classes: 60.19, 236.34 and 387.93 million, here without head.
    with torch.device("meta"):
        backbone = BACKBONES[name](3)
    assert sum(p.numel() for p in backbone.network.parameters()) == parameters
    assert backbone.features == features


def test_a_grey_image_is_repeated_for_bit():
    network = build_classifier("bit_50x1", classes=1, channels=1).eval()
    grey = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(grey), network(grey.repeat(1, 3, 1, 1)))


def test_images_reach_the_backbone_between_minus_one_and_one(monkeypatch):
    seen = []

    class Spy(nn.Module):
        def forward(self, image):
            seen.append((image.min().item(), image.max().item()))
            return image.flatten(1)

    monkeypatch.setattr(networks, "BACKBONES", {"spy": lambda channels: networks._Backbone(Spy(), 4)})
    build_classifier("spy", classes=1, channels=1)(torch.tensor([[[[0.0, 1.0], [0.5, 0.5]]]]))
    assert seen == [(-1.0, 1.0)]


def test_first_weights_follow_from_the_seed_alone_and_leave_the_global_state():
    torch.manual_seed(1)
    first = build_classifier("small_resnet", 2, 1, seed=3)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    torch.manual_seed(2)
    again = build_classifier("small_resnet", 2, 1, seed=3)
    other = build_classifier("small_resnet", 2, 1, seed=4)
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.heads[0].weight, other.heads[0].weight)


def test_conditions_share_the_backbone_and_nothing_else():
    network = build_classifier("small_resnet", 2, 1)
    network(torch.rand(1, 1, 64, 64))[:, 0].sum().backward()
    assert network.heads[0].weight.grad is not None
    assert not network.heads[1].weight.grad.any()
    assert network.backbone.conv1.weight.grad.abs().sum() > 0


def test_a_small_resnet_image_does_not_depend_on_its_batch():
    network = build_classifier("small_resnet", 2, 1)
    image = torch.rand(4, 1, 64, 64)
    torch.testing.assert_close(network(image)[:1], network(image[:1]))


def test_dropout_acts_on_the_features_in_training_only():
    network = build_classifier("small_resnet", 1, 1, dropout=0.9)
    image = torch.rand(1, 1, 64, 64)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


def test_unknown_name_lists_what_there_is():
    with pytest.raises(SettingsError, match=r"'resnet9'.*small_resnet"):
        build_classifier("resnet9", 1, 1)


def test_weights_are_for_bit_only(tmp_path):
    with pytest.raises(SettingsError, match=r"bit_.*'small_resnet'"):
        build_classifier("small_resnet", 1, 1, weights=tmp_path / "weights.npz")
