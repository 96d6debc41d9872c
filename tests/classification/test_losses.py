import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.losses import FocalLoss
from torch.nn import functional as F

from medaug.classification.losses import (
    loss_function,
    masked_bce,
    masked_focal,
    soft_cross_entropy,
)
from medaug.errors import SettingsError

NAN = float("nan")
SHAPE = (6, 3)
logits_arrays = hnp.arrays(np.float32, SHAPE, elements=st.floats(-8, 8, width=32))
hard_targets = hnp.arrays(np.float32, SHAPE, elements=st.sampled_from([0.0, 1.0]))
soft_targets = hnp.arrays(np.float32, SHAPE, elements=st.floats(0, 1, width=32))
masks = hnp.arrays(np.bool_, SHAPE)


@given(logits_arrays, soft_targets, masks)
def test_bce_is_the_sum_over_known_labels_divided_by_all(logits, targets, unknown):
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    entries = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    expected = entries[~unknown].sum() / targets.size
    masked = np.where(unknown, np.float32(NAN), targets)
    found = masked_bce(torch.from_numpy(logits), torch.from_numpy(masked)).item()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


@given(logits_arrays, hard_targets, masks)
def test_focal_equals_monai_on_hard_labels(logits, targets, unknown):
    x, y = torch.from_numpy(logits), torch.from_numpy(targets)
    entries = FocalLoss(gamma=2.0, reduction="none", use_softmax=False, include_background=True)(x, y)
    expected = entries[torch.from_numpy(~unknown)].sum().item() / targets.size
    masked = torch.from_numpy(np.where(unknown, np.float32(NAN), targets))
    assert masked_focal(x, masked).item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@given(logits_arrays, soft_targets, hnp.arrays(np.bool_, SHAPE[0]))
def test_soft_cross_entropy_equals_torch_on_known_rows(logits, weights, unknown):
    targets = weights + np.float32(0.01)
    targets /= targets.sum(axis=1, keepdims=True)
    x, y = torch.from_numpy(logits), torch.from_numpy(targets)
    entries = F.cross_entropy(x, y, reduction="none")
    expected = entries[torch.from_numpy(~unknown)].sum().item() / len(targets)
    y[torch.from_numpy(unknown), 1] = NAN
    assert soft_cross_entropy(x, y).item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("loss", [masked_bce, masked_focal, soft_cross_entropy])
def test_an_unknown_label_gives_no_gradient_and_no_nan(loss):
    logits = torch.zeros(2, 2, requires_grad=True)
    loss(logits, torch.tensor([[NAN, NAN], [1.0, 0.0]])).backward()
    assert not logits.grad[0].any()
    assert logits.grad[1].abs().min() > 0


@pytest.mark.parametrize("loss", [masked_bce, masked_focal, soft_cross_entropy])
def test_the_mean_over_equal_shares_is_the_loss_of_the_whole_batch(loss):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(8, 3, generator=generator)
    targets = torch.softmax(torch.randn(8, 3, generator=generator), dim=1)
    targets[:3] = NAN
    shares = (loss(logits[0::2], targets[0::2]) + loss(logits[1::2], targets[1::2])) / 2
    torch.testing.assert_close(shares, loss(logits, targets))


@pytest.mark.parametrize("loss", [masked_bce, masked_focal, soft_cross_entropy])
def test_half_precision_logits_do_not_overflow(loss):
    logits = torch.tensor([[60000.0, -60000.0]], dtype=torch.float16)
    assert torch.isfinite(loss(logits, torch.tensor([[1.0, 0.0]])))


def test_losses_by_name():
    assert loss_function("focal") is masked_focal
    with pytest.raises(SettingsError, match=r"'hinge'.*bce, focal, soft_cross_entropy"):
        loss_function("hinge")
