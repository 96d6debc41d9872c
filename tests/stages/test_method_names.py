import pytest

from medaug.stages import ClassifierSettings, Run


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"real_fraction": 1.0}, "100% real"),
        ({"real_fraction": 0.0}, "100% synthetic"),
        ({"real_fraction": 0.25}, "25% real + 75% synthetic"),
        ({"real_fraction": 0.999, "augmentation": "heuristic"}, "99.9% real + 0.1% synthetic, heuristic"),
        ({"real_fraction": 0.25, "order": "synthetic_first"}, "75% synthetic, then 25% real"),
        ({"real_fraction": 0.0, "order": "synthetic_first"}, "100% synthetic"),
        ({"only_agreed": True}, "50% real + 50% agreed synthetic"),
        ({"exclude": ["edema"]}, "50% real + 50% synthetic without edema"),
        ({"placebo": "noise"}, "50% real + 50% noise (placebo)"),
        (
            {"placebo": "shuffled", "order": "synthetic_first"},
            "50% shuffled synthetic (placebo), then 50% real",
        ),
        ({"real_fraction": 1.0, "placebo": "noise", "only_agreed": True}, "100% real"),
        ({"weigh_by": "sex"}, "50% real + 50% synthetic, weighted by sex"),
        ({"real_fraction": 1.0, "oversample": "sex"}, "100% real, oversampled by sex"),
        (
            {"real_fraction": 1.0, "oversample": "sex", "oversample_within_class": True},
            "100% real, oversampled by sex within each class",
        ),
        ({"real_fraction": 1.0, "network_name": "small_resnet"}, "100% real"),
        ({"real_fraction": 1.0, "network_name": "resnet50"}, "100% real, resnet50"),
        (
            {"real_fraction": 1.0, "network_name": "efficientnet_lite0"},
            "100% real, pretrained efficientnet_lite0",
        ),
        (
            {"real_fraction": 1.0, "network_name": "bit_50x1", "pretrained_weights": "w.npz"},
            "100% real, pretrained bit_50x1",
        ),
        ({"real_fraction": 1.0, "choose_epoch_on": "ood_val"}, "100% real, epoch chosen on ood_val"),
        ({"method": "ours", "placebo": "noise"}, "ours"),
    ],
)
def test_methods_are_named_by_what_they_were_trained_on(settings, name):
    run = Run.of(bundle_root=".", modality="radiology", output_dir="o", data_dir="d")
    assert ClassifierSettings.of(run, **settings).method == name
