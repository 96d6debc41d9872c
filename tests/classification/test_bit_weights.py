import numpy as np
import pytest
import torch
from transformers import BitConfig, BitModel

from medaug.classification.bit_weights import load_bit_weights, published_name
from medaug.classification.networks import build_classifier
from medaug.errors import CheckpointError


def small_bit(seed, depths=(1, 2, 1, 1)):
    torch.manual_seed(seed)
    network = BitModel(
        BitConfig(depths=depths, hidden_sizes=(64, 96, 128, 160), embedding_size=32, num_groups=8)
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


def published_form(network):
    """What big_transfer publishes, spelt out unit by unit (bit_pytorch/models.py, load_from)."""
    state = {name: value.numpy() for name, value in network.state_dict().items()}

    def kernel(name):
        return state[name].transpose(2, 3, 1, 0)

    published = {
        "resnet/root_block/standardized_conv2d/kernel": kernel("embedder.convolution.weight"),
        "resnet/group_norm/gamma": state["norm.weight"],
        "resnet/group_norm/beta": state["norm.bias"],
        "resnet/head/conv2d/kernel": np.zeros((1, 1, 160, 10), np.float32),
        "resnet/head/conv2d/bias": np.zeros(10, np.float32),
    }
    for block, stage in enumerate(network.encoder.stages, start=1):
        for unit in range(1, len(stage.layers) + 1):
            own, prefix = f"encoder.stages.{block - 1}.layers.{unit - 1}", f"resnet/block{block}/unit0{unit}"
            for letter, number in zip("abc", "123", strict=True):
                published |= {
                    f"{prefix}/{letter}/standardized_conv2d/kernel": kernel(f"{own}.conv{number}.weight"),
                    f"{prefix}/{letter}/group_norm/gamma": state[f"{own}.norm{number}.weight"],
                    f"{prefix}/{letter}/group_norm/beta": state[f"{own}.norm{number}.bias"],
                }
            if unit == 1:
                published[f"{prefix}/a/proj/standardized_conv2d/kernel"] = kernel(
                    f"{own}.downsample.conv.weight"
                )
    return published


def write(path, content):
    np.savez(path, **content)
    return path


def test_a_network_with_published_weights_gives_the_same_output(tmp_path):
    source, target = small_bit(0), small_bit(1)
    path = write(tmp_path / "bit.npz", published_form(source))
    image = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        expected = source(image).pooler_output
        assert not torch.allclose(target(image).pooler_output, expected)
        load_bit_weights(target, path)
        assert torch.equal(target(image).pooler_output, expected)


def test_numbered_variables_are_understood(tmp_path):
    content = published_form(small_bit(0))
    name = "resnet/block1/unit01/a/standardized_conv2d/kernel"
    content[name.replace("conv2d/", "conv2d_7/")] = content.pop(name)
    load_bit_weights(small_bit(1), write(tmp_path / "bit.npz", content))


def test_a_missing_weight_is_named(tmp_path):
    content = published_form(small_bit(0))
    name = "resnet/block2/unit02/b/group_norm/beta"
    del content[name]
    with pytest.raises(CheckpointError, match=rf"bit\.npz lacks the weights '{name}'"):
        load_bit_weights(small_bit(1), write(tmp_path / "bit.npz", content))


def test_a_deeper_file_is_refused(tmp_path):
    path = write(tmp_path / "bit.npz", published_form(small_bit(0, depths=(1, 2, 2, 1))))
    with pytest.raises(CheckpointError, match=r"another network.*block3/unit02"):
        load_bit_weights(small_bit(1), path)


def test_another_shape_is_named(tmp_path):
    content = published_form(small_bit(0))
    content["resnet/group_norm/gamma"] = np.ones(7, np.float32)
    with pytest.raises(CheckpointError, match=r"'resnet/group_norm/gamma' as \(7,\).*\(160,\)"):
        load_bit_weights(small_bit(1), write(tmp_path / "bit.npz", content))


@pytest.mark.parametrize("content", [b"", b"not numbers", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "bit.npz"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"bit\.npz"):
        load_bit_weights(small_bit(0), path)


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "bit.npz"
    np.savez(path, **{"resnet/group_norm/gamma": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(CheckpointError, match=r"cannot be read"):
        load_bit_weights(small_bit(0), path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no file .*absent.npz"):
        load_bit_weights(small_bit(0), tmp_path / "absent.npz")


def test_a_parameter_of_no_bit_network_is_refused():
    with pytest.raises(CheckpointError, match=r"fc.weight"):
        published_name("fc.weight")


def test_build_classifier_passes_the_file_on(tmp_path):
    with pytest.raises(CheckpointError, match=r"absent\.npz"):
        build_classifier("bit_50x1", 1, 1, weights=tmp_path / "absent.npz")
