from __future__ import annotations

import re

import pytest
import torch
from monai.networks.nets import DiffusionModelUNet

from medaug.diffusion.unet import build_unet
from medaug.errors import CheckpointError, SettingsError


def randomise(network):
    """Fill every weight, as fresh networks predict zero whatever the rest."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def inputs(network, size, batch=3):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, network.in_channels, size, size, generator=generator)
    return x, torch.tensor([0, 500, 999])[:batch]


def test_output_has_the_shape_of_the_image():
    network = build_unet(16, 3, 6, 4, (8, 16), 1, 8)
    x, t = inputs(network, 16)
    assert network(x, timesteps=t, class_labels=torch.rand(3, 4)).shape == (3, 3, 16, 16)


def test_output_depends_on_every_slot_of_the_condition():
    network = randomise(build_unet(8, 1, 1, 3, (8, 16), 1, 8))
    x, t = inputs(network, 8)
    condition = torch.zeros(3, 3, requires_grad=True)
    network(x, timesteps=t, class_labels=condition).sum().backward()
    assert (condition.grad.abs() > 0).all()


@pytest.mark.parametrize(
    ("size", "channels", "attention"),
    [
        (64, (8, 8, 8, 8), [False, True, True, True]),
        (224, (8,) * 6, [False, False, False, True, True, True]),
        (96, (8,) * 5, [False, False, True, True, True]),
        (16, (8, 8), [True, True]),
    ],
)
def test_attention_at_levels_of_side_32_and_less(size, channels, attention):
    assert list(build_unet(size, 1, 1, 2, channels, 1, 8).attention_levels) == attention


@pytest.mark.parametrize(("patch", "side"), [(1, [True, True]), (2, [True, True]), (4, [True, True])])
def test_patches_are_pixels_put_into_channels_and_back(patch, side):
    network = build_unet(16, 3, 6, 4, (8, 16), 1, 8, patch=patch)
    x, t = torch.randn(2, 6, 16, 16), torch.tensor([3, 9])
    assert network(x, timesteps=t, class_labels=torch.rand(2, 4)).shape == (2, 3, 16, 16)
    assert network.conv_in.conv.weight.shape[1] == 6 * patch**2
    assert list(network.attention_levels) == side


def test_a_network_of_patches_is_that_of_the_image_cut_up():
    """Against a network without patches, of the same weights, on squares cut by hand."""
    network = randomise(build_unet(8, 1, 1, 2, (8, 16), 1, 8, patch=2))
    inner = build_unet(4, 4, 4, 2, (8, 16), 1, 8).eval()
    inner.load_state_dict(network.state_dict())
    x = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    arguments = {"timesteps": torch.tensor([5]), "class_labels": torch.ones(1, 2)}
    cut = torch.stack([x[:, 0, down::2, right::2] for down in (0, 1) for right in (0, 1)], dim=1)
    with torch.no_grad():
        found, pieces = network(x, **arguments), inner(cut, **arguments)
    for place, (down, right) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        torch.testing.assert_close(found[:, 0, down::2, right::2], pieces[:, place])


def test_attention_can_be_kept_to_small_sides():
    network = build_unet(64, 1, 1, 2, (8, 8), 1, 8, patch=4, attention_side=8)
    assert list(network.attention_levels) == [False, True]


def test_dropout_acts_in_training_only_and_keeps_the_names_of_the_weights():
    plain = randomise(build_unet(8, 1, 1, 2, (8, 16), 1, 8))
    dropping = build_unet(8, 1, 1, 2, (8, 16), 1, 8, dropout=0.5)
    dropping.load_state_dict(plain.state_dict())
    x, t = inputs(plain, 8)
    arguments = {"timesteps": t, "class_labels": torch.ones(3, 2)}
    with torch.no_grad():
        assert torch.equal(dropping.eval()(x, **arguments), plain(x, **arguments))
        assert not torch.equal(dropping.train()(x, **arguments), plain(x, **arguments))


def test_patches_that_do_not_fit_are_refused():
    with pytest.raises(SettingsError, match="side 30 cannot be cut into patches of side 4"):
        build_unet(30, 1, 1, 2, (8, 8), 1, 8, patch=4)


def test_sizes_that_are_odd_at_the_last_level_work():
    network = build_unet(28, 1, 1, 2, (8, 8, 8), 1, 8)
    x, t = inputs(network, 28, 1)
    assert network(x, timesteps=t, class_labels=torch.zeros(1, 2)).shape == (1, 1, 28, 28)


def test_sizes_that_cannot_be_halved_are_refused():
    with pytest.raises(SettingsError, match="side 30 cannot be halved 2 times"):
        build_unet(30, 1, 1, 2, (8, 8, 8), 1, 8)


@pytest.mark.parametrize(
    ("channels", "groups"),
    [((192, 384), 32), ((128, 128, 256), 32), ((96, 192), 24), ((32, 64), 8), ((16, 32), 4), ((6, 9), 1)],
)
def test_norm_groups_divide_and_hold_at_least_four_channels(channels, groups):
    network = build_unet(8, 1, 1, 2, channels, 1, 3)
    assert network.out[0].num_groups == groups


def old_network(**arguments):
    """MONAI's own network: what that of monai-generative computes, with or without classes."""
    return randomise(
        DiffusionModelUNet(
            spatial_dims=2,
            out_channels=1,
            channels=(8, 16),
            num_res_blocks=1,
            num_head_channels=(8, 8),
            norm_num_groups=2,
            include_fc=False,
            use_combined_linear=False,
            **arguments,
        )
    )


def old_state(network):
    """Name the weights as monai-generative 0.2.3 did; its attention has a projection that it never uses."""
    names = ((r"\.attn\.to_([qkv])\.", r".to_\1."), ("postconv", "conv"))
    state = network.state_dict()
    for new, old in names:
        state = {re.sub(new, old, name): value for name, value in state.items()}
    unused = {
        n.replace(".to_q.", ".proj_attn."): 9 * torch.ones_like(v) for n, v in state.items() if ".to_q." in n
    }
    return state | unused


@pytest.mark.parametrize("in_channels", [1, 2], ids=["base", "upsampler"])
def test_unconditional_networks_of_monai_generative_give_the_same_output(in_channels):
    old = old_network(in_channels=in_channels, attention_levels=(False, True))
    new = build_unet(64, 1, in_channels, 5, (8, 16), 1, 8).eval()
    new.load_old_state_dict(old_state(old))
    x, t = inputs(new, 64)
    with torch.no_grad():
        found = new(x, timesteps=t, class_labels=torch.rand(3, 5))
        torch.testing.assert_close(found, old(x, t), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("in_channels", [1, 2], ids=["base", "upsampler"])
def test_class_conditional_networks_of_monai_generative_give_the_same_output(in_channels):
    old = old_network(in_channels=in_channels, attention_levels=(True, True), num_class_embeds=4)
    new = build_unet(16, 1, in_channels, 4, (8, 16), 1, 8).eval()
    new.load_old_state_dict(old_state(old))
    x, t = inputs(new, 16)
    classes = torch.tensor([3, 0, 2])
    with torch.no_grad():
        expected = old(x, t, class_labels=classes)
        found = new(x, timesteps=t, class_labels=torch.nn.functional.one_hot(classes, 4).float())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert found.abs().max() > 0.1


def test_weights_of_another_network_are_refused():
    old = old_network(in_channels=1, attention_levels=(False, True), num_class_embeds=4)
    with pytest.raises(CheckpointError, match="4 classes"):
        build_unet(64, 1, 1, 5, (8, 16), 1, 8).load_old_state_dict(old_state(old))
    with pytest.raises(CheckpointError, match="do not fit"):
        build_unet(64, 1, 1, 4, (8, 8), 1, 8).load_old_state_dict(old_state(old))
