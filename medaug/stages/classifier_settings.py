"""How a classifier is trained: the settings of its stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from medaug.classification.networks import PRETRAINED
from medaug.classification.placebos import PLACEBOS
from medaug.classification.validation import VALIDATION_SPLITS
from medaug.data.orders import ORDERS
from medaug.errors import SettingsError
from medaug.presets import ClassifierPreset
from medaug.stages.compute_settings import TrainingComputeSettings, usual_compile
from medaug.stages.method_names import method_name
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, free

FINE_TUNING_RATE = 1e-4
"""Largest learning rate of a pretrained network, unless a user says otherwise: with ten times as much the
units of EfficientNet-Lite0 died within 400 steps on images of 32 pixels, and all images got one score."""


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings(TrainingComputeSettings, ClassifierPreset):
    """How a classifier is trained.

    Parameters
    ----------
    image_size : int
        Side in pixels of its images, a size of the stores; without upsampler that of the base model.
    pretrained_weights : str or None
        File with published BiT weights (``.npz``) for a ``bit_…`` network; ``efficientnet_lite0`` brings
        those of ImageNet with it, and a learning rate of at most 1e-4 unless one is given; the other networks
        start with random weights.
    order : {"mixed", "synthetic_first"}
        Whether every step has its share of real and synthetic images, or the first steps have synthetic ones
        only and the rest real ones only (pretraining, fine-tuning): of as many steps in all, `real_fraction`
        are real. The learning rate follows one schedule through both.
    only_agreed : bool
        Use only synthetic images on which the run's baseline agrees with what was asked for: every condition
        on the right side of its threshold on ``id_val``, or the class of the largest score.
    exclude : tuple of str
        Dominant classes whose synthetic images are left out (w2 of Eq. 8, Section G.3.5).
    placebo : {"none", "noise", "shuffled"}
        What a gain must beat: uniform noise in place of the synthetic images, or their labels exchanged among
        them.
    weigh_by : str or None
        Attribute, or ``domain``, of which real examples of rare groups count more in the loss (w1, Eq. 9).
    equality_level : float
        How much more: 0 is not at all, 1 makes groups even within each class.
    oversample : str or None
        Attribute, or ``domain``, of which real examples of rare groups come more often, until groups are
        even.
    oversample_within_class : bool
        Until groups are even within each class: for groups that are entangled with the label.
    augmentation : {"none", "heuristic", "randaugment", "randaugment+heuristic"}
        Of real and synthetic training images.
    loss_name : {"bce", "focal", "soft_cross_entropy"}
        Unknown labels are left out of each.
    largest_gradient_norm : float
        Gradients are scaled down to it.
    warmup_iterations : int
        Steps in which the learning rate rises to its largest value, in a straight line; 0 starts there.
    choose_epoch_on : {"id_val", "ood_val"}
        Images that the best epoch is chosen on: of the hospitals trained on, or of the out-of-distribution
        validation hospital (Figure 3), on which results are too good then. Thresholds are chosen on
        ``id_val`` in any case.
    method : str
        How the classifier is called in tables and figures; by default by what it was trained on.
    accept_poor_synthetic : bool
        Train on synthetic images that failed the checks of ``quality.json`` too, instead of an error.
    workers : int
        Processes that load batches; 0 loads in the main process.
    augment_on_device : bool or None
        Augment on the device, a batch at once, instead of in the processes that load: the same augmentation
        with other random numbers. None means on a GPU.
    """

    image_size: int
    pretrained_weights: str | None = None
    order: str = "mixed"
    only_agreed: bool = False
    exclude: tuple[str, ...] = ()
    placebo: str = "none"
    weigh_by: str | None = None
    equality_level: float = 1.0
    oversample: str | None = None
    oversample_within_class: bool = False
    augmentation: str = "none"
    loss_name: str = "bce"
    largest_gradient_norm: float = 1.0
    warmup_iterations: int = 0
    choose_epoch_on: str = "id_val"
    method: str = ""
    accept_poor_synthetic: bool = free(False)
    workers: int = free(0)
    augment_on_device: bool | None = free(None)

    @classmethod
    def of(cls, run: Run, **given: Any) -> ClassifierSettings:
        """Return settings from the values of a config, where None means what the preset says."""
        models = run.presets
        usual: dict[str, Any] = {"image_size": run.image_size, "workers": 0 if run.preset == "demo" else 4}
        usual["compile"] = usual_compile(run.preset)
        if given.get("network_name") in PRETRAINED:
            usual["learning_rate"] = min(models.classifier.learning_rate, FINE_TUNING_RATE)
        how = chosen(cls, usual | {n: v for n, v in given.items() if v is not None}, models.classifier)
        if how.real_fraction < 1 and not run.upsamples and how.image_size != run.image_size:
            raise SettingsError(
                f"image_size {how.image_size} does not fit the synthetic images, which have {run.image_size} "
                "pixels without upsampler: leave it out, or leave upsample of generate.json true"
            )
        return replace(how, method=how.method or method_name(how, models.classifier.network_name))

    def __post_init__(self) -> None:
        choices = {"order": ORDERS, "placebo": PLACEBOS, "choose_epoch_on": VALIDATION_SPLITS}
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise SettingsError(f"there is no {name} {value!r}; there are: {', '.join(known)}")

    def baseline(self) -> ClassifierSettings:
        """Return the same training without what is to be compared: real images only, all of them alike.

        Its method has no name yet; `of` gives it one.
        """
        return replace(
            self,
            real_fraction=1.0,
            order="mixed",
            only_agreed=False,
            exclude=(),
            placebo="none",
            weigh_by=None,
            oversample=None,
            oversample_within_class=False,
            method="",
        )
