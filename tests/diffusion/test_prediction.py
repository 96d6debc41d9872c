import pytest
import torch
from torch import nn

from medaug.diffusion.guidance import predicting_noise
from medaug.diffusion.noisy_examples import WeightedSquaredError
from medaug.diffusion.prediction import PREDICTIONS, loss_weight, noise_of, target
from medaug.diffusion.schedule import NoiseSchedule

T = torch.tensor([0, 1, 50, 400, 999])


@pytest.fixture
def noisy():
    generator = torch.Generator().manual_seed(0)
    image, noise = (torch.randn(5, 1, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    return image, noise, NoiseSchedule().scales(T, image)


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_a_perfect_prediction_gives_back_the_noise(kind, noisy):
    image, noise, scales = noisy
    x = scales[0] * image + scales[1] * noise
    torch.testing.assert_close(noise_of(kind, target(kind, image, noise, *scales), x, *scales), noise)


def test_the_targets_are_those_of_diffusers(noisy):
    diffusers = pytest.importorskip("diffusers")
    image, noise, scales = noisy
    theirs = diffusers.DDPMScheduler(1000, 1e-4, 0.02, "linear").get_velocity(image, noise, T)
    torch.testing.assert_close(target("v", image, noise, *scales), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["min_snr", "bounded"])
def test_a_weight_gives_the_error_of_the_image_the_same_weight_whatever_is_predicted(name, noisy):
    image, noise, (a, s) = noisy
    x = a * image + s * noise
    wrong = image + 0.1
    wrong_noise = (x - a * wrong) / s
    losses = []
    for kind in PREDICTIONS:
        error = (target(kind, wrong, wrong_noise, a, s) - target(kind, image, noise, a, s)) ** 2
        losses.append(loss_weight(name, kind, a, s) * error)
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(losses[1], losses[2])
    snr = (a / s).flatten() ** 2
    expected = torch.minimum(snr if name == "min_snr" else snr + 1, torch.tensor(5.0, dtype=torch.float64))
    torch.testing.assert_close(loss_weight(name, "x", a, s).flatten(), expected)
    assert (loss_weight("none", "v", a, s) == 1).all()


def test_the_loss_is_the_weighted_mean_of_squared_errors():
    wanted = torch.arange(8.0).reshape(2, 1, 2, 2)
    weights = torch.tensor([2.0, 0.5])
    found = WeightedSquaredError()(torch.zeros(2, 1, 2, 2), (wanted, weights))
    assert found.item() == pytest.approx((2 * (0 + 1 + 4 + 9) + 0.5 * (16 + 25 + 36 + 49)) / 8)
    even = WeightedSquaredError()(torch.zeros(2, 1, 2, 2), (wanted, torch.ones(2)))
    assert even.item() == pytest.approx(nn.MSELoss()(torch.zeros(2, 1, 2, 2), wanted).item())


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_a_network_of_any_kind_is_asked_for_noise_in_the_precision_of_its_input(kind, noisy):
    image, noise, scales = noisy
    x = (scales[0] * image + scales[1] * noise).float()
    wanted = target(kind, image, noise, *scales)

    def network(x, *, timesteps, class_labels):
        assert (timesteps == T).all()
        assert class_labels == "asked"
        return wanted.float()

    found = predicting_noise(network, kind, NoiseSchedule())(x, timesteps=T, class_labels="asked")
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), noise, atol=2e-4, rtol=1e-4)
