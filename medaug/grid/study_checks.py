"""What is wrong with a study, in a sentence before anything runs."""

from __future__ import annotations

from dataclasses import fields
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from medaug.errors import SettingsError
from medaug.grid.arms import Arm, Conditioning, arms
from medaug.stages.command_line import PARTS, check_options, check_part

if TYPE_CHECKING:
    from medaug.grid.design import Study

_FIXED = ("iterations", "iterations_per_epoch", "batch_size")
"""Settings that no arm may have of its own."""

_DECIDED = (
    *("output_dir", "data_dir", "generator_dir", "seed", "properties", "skew", "label_budget"),
    *("prepare", "diffusion", "upsampler", "generate", "quality", "evaluate"),
    *("name", "method", "compare_with_baseline"),
)
"""Settings of ``train.json`` that a study gives each training itself."""


def check_study(study: Study) -> None:
    """Check a study.

    Raises
    ------
    SettingsError
        An arm, or a setting of an arm or part, is unknown; arms would differ in their steps, or not at all;
        a setting would change nothing, because the study decides it, or every arm does.
    """
    _check_names(study)
    _check_settings(study)
    _check_train(study)
    _check_mixtures(study)
    _check_differences(study)


def _check_names(study: Study) -> None:
    known = study.plain_arms
    if unknown := [name for name in study.arms if name not in known]:
        raise SettingsError(f"there is no arm {unknown[0]!r}; there are: {', '.join(known)}")
    if taken := {arm.name for arm in arms("").values()} & set(study.own_arms) - set(arms("")):
        raise SettingsError(f"an arm of medaug is called {min(taken)!r}: give your own another name")


def _check_settings(study: Study) -> None:
    known, folder = study.plain_arms, Path(study.bundle)
    for name, arm in known.items():
        if same := [setting for setting in _FIXED if setting in arm.settings]:
            raise SettingsError(f"arm {name!r} must not set {same[0]}: all arms have the same steps")
    for where, settings in {"train": study.train, **study.own_arms}.items():
        if decided := [setting for setting in _DECIDED if setting in settings]:
            raise SettingsError(f"{where!r} must not set {decided[0]}: the study gives it to each training")
    for part in PARTS.keys() & {f.name for f in fields(study)} - {"train"}:
        check_part(part, getattr(study, part), folder)
    for settings in (study.train, study.shared, *(known[name].settings for name in study.names)):
        check_options(settings, study.config("train"), folder)


def _check_train(study: Study) -> None:
    """Check that some arm follows each setting of `train`."""
    for setting in study.train:
        if all(setting in study.plain_arms[name].settings for name in study.names):
            raise SettingsError(
                f"{setting} of train would change nothing: every arm of the study sets it itself "
                f"({', '.join(study.names)})"
            )


def _check_mixtures(study: Study) -> None:
    """Check that arms have synthetic images where they say so, and only there."""
    for name in study.names:
        if wrong := _wrong_mixture(study.all_arms[name]):
            raise SettingsError(f"arm {name!r} {wrong}")


def _wrong_mixture(arm: Arm) -> str:
    share, known = arm.settings["real_fraction"], get_args(Conditioning)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        return f"needs a real_fraction between 0 and 1, not {share!r}"
    if share < 1 and arm.conditioning not in known:
        there = "none" if arm.conditioning is None else repr(arm.conditioning)
        return f"has synthetic images; its conditioning must be {' or '.join(known)}, not {there}"
    if share == 1 and arm.conditioning is not None:
        return "is one of synthetic images, of which a real_fraction of 1 leaves none"
    if share == 0 and arm.settings.get("order", "mixed") != "mixed":
        return "has no real images to end with, as real_fraction is 0: leave it out, or set it in train"
    return ""


def _check_differences(study: Study) -> None:
    """Check that no two arms are the same training under two names."""
    for one, other in combinations(study.names, 2):
        first, second = study.all_arms[one], study.all_arms[other]
        alike = {**study.train, **first.settings} == {**study.train, **second.settings}
        if alike and first.conditioning == second.conditioning:
            share = first.settings["real_fraction"]
            raise SettingsError(
                f"arms {one!r} and {other!r} are the same training here, with a real_fraction of {share:g}: "
                "leave one of them out, or change train"
            )
