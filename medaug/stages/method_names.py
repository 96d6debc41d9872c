"""How a classifier is called in tables and figures: by what it was trained on, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medaug.classification.networks import PRETRAINED

if TYPE_CHECKING:
    from medaug.stages.classifier_settings import ClassifierSettings

_SYNTHETIC = {
    "none": "synthetic",
    "noise": "noise (placebo)",
    "shuffled": "shuffled synthetic (placebo)",
}


def method_name(how: ClassifierSettings, usual_network: str) -> str:
    """Name a classifier by what was changed of the plain training.

    Parameters
    ----------
    how : ClassifierSettings
        Its settings.
    usual_network : str
        The backbone that needs no name: the preset's.

    Returns
    -------
    str
        For example ``50% real + 50% synthetic``, ``50% synthetic, then 50% real``,
        ``50% real + 50% noise (placebo)``, or ``100% real, heuristic, oversampled by sex``.
    """
    parts = [_mixture(how)]
    parts += [how.augmentation] if how.augmentation != "none" else []
    parts += [f"weighted by {how.weigh_by}"] if how.weigh_by else []
    within = " within each class" if how.oversample_within_class else ""
    parts += [f"oversampled by {how.oversample}{within}"] if how.oversample else []
    pretrained = how.network_name in PRETRAINED or how.pretrained_weights is not None
    if pretrained or how.network_name != usual_network:
        parts.append(f"pretrained {how.network_name}" if pretrained else how.network_name)
    parts += [f"epoch chosen on {how.choose_epoch_on}"] if how.choose_epoch_on != "id_val" else []
    return ", ".join(parts)


def _mixture(how: ClassifierSettings) -> str:
    synthetic = f"{'agreed ' if how.only_agreed else ''}{_SYNTHETIC[how.placebo]}"
    synthetic += f" without {', '.join(how.exclude)}" if how.exclude else ""
    shares = {"real": how.real_fraction, synthetic: 1 - how.real_fraction}
    words = [f"{100 * share:.4g}% {kind}" for kind, share in shares.items() if share > 0]
    return ", then ".join(words[::-1]) if how.order == "synthetic_first" else " + ".join(words)
