"""Limits that synthetic images have to keep to; what is wrong, and what helps, where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from medaug.quality.spoiling import SPOILINGS

Outcome = Literal["passed", "failed", "undecided"]

FEWEST = 50
"""Synthetic images, and real ones that the generator learnt from, without which nothing is decided."""

FEWEST_HELD_OUT = 20
"""Real images that nobody trained on, without which conditions, properties and copies are not decided."""

_HELD_OUT = "real held-out images"

CHANCE = 0.5
"""The AUC of guessing."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What synthetic images have to reach.

    Parameters
    ----------
    max_spoiled : float
        Largest distance of synthetic to real images (KID), as a multiple of that of real images which were
        blurred or made noisy on purpose, whichever is nearer.
    max_alike : float
        Largest share of them that have a double: another one less than half as far as real patients usually
        are.
    min_agreement : float
        Least part of what a probe tells on real held-out images (AUC above 0.5) that it must tell on
        synthetic ones, of the conditions and of each property that were asked for.
    max_copies : float
        Largest share of them that are copies of training images; fewer are left out of the mixture.
    """

    max_spoiled: float = 0.9
    max_alike: float = 0.5
    min_agreement: float = 0.2
    max_copies: float = 0.05


@dataclass(frozen=True)
class Check:
    """One question to the images: its name, how it came out, and a sentence with the numbers."""

    name: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class Numbers:
    """The overall rows of a table of measures, by name."""

    table: pd.DataFrame

    def __call__(self, measure: str, attribute: str = "") -> Mapping[str, Any]:
        """Return the row of a measure over all images; that of a property with its name."""
        of_all = (self.table["label"] == "") & (self.table["group"] == "")
        chosen = (self.table["measure"] == measure) & (self.table["attribute"] == attribute) & of_all
        return {str(key): value for key, value in self.table[chosen].iloc[0].items()}

    @property
    def properties(self) -> list[str]:
        """The properties that were asked for."""
        return list(dict.fromkeys(self.table.loc[self.table["measure"] == "property", "attribute"]))


def checks(table: pd.DataFrame, limits: Limits, asked_for: tuple[str, ...] = ()) -> list[Check]:
    """Hold the numbers against the limits.

    Parameters
    ----------
    table : DataFrame
        What `medaug.quality.resampling.tidy_table` returned.
    limits : Limits
        What is required.
    asked_for : tuple of str
        The properties that the generator is conditioned on.
    """
    numbers = Numbers(table)
    properties = [name for name in numbers.properties if name in asked_for]
    return [
        _variety(numbers, limits),
        _likeness(numbers, limits),
        _copies(numbers("copies"), limits),
        _seen(numbers("agreement"), limits, "conditions"),
        *(_seen(numbers("property", name), limits, name) for name in properties),
    ]


def _likeness(numbers: Numbers, limits: Limits) -> Check:
    kid, precision, detail = (numbers(name) for name in ("kid_ratio", "precision", "detail"))
    spoiled = min(numbers(name)["real"] for name in SPOILINGS)
    if np.isnan(kid["value"] + spoiled) or kid["n"] < FEWEST:
        question = "whether the images look like real ones"
        if kid["n"] < FEWEST or kid["real_n"] >= FEWEST_HELD_OUT:
            return _too_few("likeness", question, kid["n"], FEWEST)
        return _too_few("likeness", question, kid["real_n"], FEWEST_HELD_OUT, _HELD_OUT)
    found = (
        f"they lie {kid['value']:.1f} times as far from the training images as real ones do by chance, real "
        f"images that were spoiled {spoiled:.1f} times (at most {limits.max_spoiled:g} of that); "
        f"{precision['value']:.0%} of them lie among real ones, and their detail is {detail['value']:.2g} "
        "times that of real images"
    )
    if kid["value"] <= limits.max_spoiled * spoiled:
        return Check("likeness", "passed", f"The images look like real ones: {found}.")
    return Check(
        "likeness",
        "failed",
        f"The images do not look like real ones, {_looks(detail['value'])}: {found}. Train the generator "
        "longer (iterations of train_diffusion.json), look at its samples in TensorBoard, and sample with "
        "more steps.",
    )


def _looks(detail: float) -> str:
    """Say what is wrong with images whose detail is so many times that of real ones."""
    if detail > 1.5:
        return "they are noisy"
    return "they are blurred" if detail < 0.75 else "their detail is right but not what it shows"


def _variety(numbers: Numbers, limits: Limits) -> Check:
    alike, coverage = numbers("alike"), numbers("coverage")
    if np.isnan(alike["value"]) or alike["n"] < FEWEST:
        return _too_few("variety", "how varied the images are", alike["n"], FEWEST)
    found = (
        f"{alike['value']:.0%} of them have a double, half as far as patients usually are (at most "
        f"{limits.max_alike:.0%}), and they cover {coverage['value']:.0%} of the real images"
    )
    if alike["value"] <= limits.max_alike:
        return Check("variety", "passed", f"The images differ from one another: {found}.")
    return Check(
        "variety",
        "failed",
        f"The images repeat one another: {found}. Lower the guidance (1 is none), use an ancestral sampler, "
        "and train on more images or with another seed.",
    )


def _seen(row: Mapping[str, Any], limits: Limits, name: str) -> Check:
    """Check that what was asked for can be seen, as far as it can be seen in real images at all."""
    if not row["real_low"] > CHANCE:
        return Check(
            name,
            "undecided",
            f"Whether the images show the {name} asked for is not known: a probe does not tell the {name} of "
            f"the {row['real_n']} real held-out images either. Give more labelled images to tell.",
        )
    if np.isnan(row["ci_low"]) or row["n"] < FEWEST:
        return _too_few(name, f"whether the images show the {name} asked for", row["n"], FEWEST)
    told = (row["value"] - CHANCE) / (row["real"] - CHANCE)
    found = (
        f"a probe trained on real images tells the {name} with an AUC of {row['value']:.2f} "
        f"[{row['ci_low']:.2f}, {row['ci_high']:.2f}], that of real held-out images with {row['real']:.2f}"
    )
    if told >= limits.min_agreement and row["ci_low"] > CHANCE:
        return Check(name, "passed", f"The images show the {name} asked for: {found}.")
    if told >= limits.min_agreement:
        return Check(
            name,
            "undecided",
            f"Whether the images show the {name} asked for is not known, because guessing may tell as much: "
            f"{found}. Draw more images to tell.",
        )
    return Check(
        name,
        "failed",
        f"The images ignore the {name} asked for: {found}. Train the generator longer or on more labelled "
        "images, or raise the guidance.",
    )


def _copies(row: Mapping[str, Any], limits: Limits) -> Check:
    if np.isnan(row["value"]):
        question = "whether there are copies of patients"
        return _too_few("copies", question, row["real_n"], FEWEST_HELD_OUT, _HELD_OUT)
    count = round(row["value"] * row["n"])
    part = f"{row['value']:.1%}, at most {limits.max_copies:.1%}"
    found = f"{count} of {row['n']} images are copies of training images ({part})"
    if row["value"] <= limits.max_copies:
        left_out = ", which are left out of the mixture" if count else ""
        return Check("copies", "passed", f"Few or no patients were copied: {found}{left_out}.")
    return Check(
        "copies",
        "failed",
        f"The generator draws its training images: {found}. Train it shorter, with dropout, or on more "
        "images.",
    )


def _too_few(name: str, question: str, count: int, fewest: int, images: str = "images") -> Check:
    why = f"at least {fewest} tell" if count < fewest else "but too few others to compare them with"
    return Check(name, "undecided", f"It is not known {question}: there are {count} {images}, {why}.")
