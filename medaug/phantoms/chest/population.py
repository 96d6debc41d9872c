"""Who is X-rayed where: two phantom hospitals that differ in patients, conditions and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import ndtri

CONDITIONS = ("atelectasis", "cardiomegaly", "consolidation", "edema", "effusion")


@dataclass(frozen=True)
class Patient:
    """One person at the time of one radiograph.

    Parameters
    ----------
    sex : {"F", "M"}
        Changes the size of the thorax; women have breast shadows.
    age : int
        Years; changes aorta, spine and heart a little.
    conditions : frozenset of str
        What is present, out of `CONDITIONS`.
    """

    sex: Literal["F", "M"]
    age: int
    conditions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Referral:
    """Who is sent for an X-ray that is reported, where that depends on sex: the confounding of a hospital.

    Men come when they are ill, women for routine films in which nothing is found. The others come rarely, so
    that among reported images the sex tells the conditions, which it does not among all patients.

    Parameters
    ----------
    reported : float
        Share of patients whose images have a report, and thereby labels. The others are in the archive as
        patients are, with sex and conditions independent.
    exceptions : float
        Chance of an ill woman, or of a man in whom nothing is found, to be sent, over that of the others.

    Notes
    -----
    Women with the same illness are referred less often (Ayanian and Epstein 1991,
    doi:10.1056/NEJM199107253250401). Classifiers of radiographs do worse on the sex that is rare in their
    training (Larrazabal et al. 2020, doi:10.1073/pnas.1919012117), overlook what under-served groups have
    (Seyyed-Kalantari et al. 2021, doi:10.1038/s41591-021-01595-0), and take whatever tells who was sent for
    the condition itself (Zech et al. 2018, doi:10.1371/journal.pmed.1002683; DeGrave et al. 2021,
    doi:10.1038/s42256-021-00338-7). Here that is stronger than in any known hospital, so that it shows in a
    few hundred images.
    """

    reported: float
    exceptions: float

    def sends(self, sex: str, conditions: frozenset[str], generator: np.random.Generator) -> bool:
        """Decide whether a person with these conditions is sent."""
        return (sex == "M") == bool(conditions) or generator.random() < self.exceptions


@dataclass(frozen=True)
class Site:
    """A hospital: its patients and how its images look.

    Parameters
    ----------
    name : str
        Name of the public data set that it stands for.
    prevalence : mapping of str to float
        Share of radiographs with each condition.
    co_occurrence : float
        Correlation (0 to 1) of the hidden severity behind the conditions; 0 makes them independent.
    female : float
        Share of women.
    age_mean, age_sd : float
        Years.
    gamma, contrast, brightness : float
        Grey value = brightness + contrast * density ** gamma, before clipping to [0, 1].
    noise : float
        Standard deviation of the noise in grey values of [0, 1].
    collimation : float
        Largest width of the black border, as a share of the side.
    referral : Referral or None
        Who has a report; None is everyone.
    """

    name: str
    prevalence: Mapping[str, float]
    co_occurrence: float
    female: float
    age_mean: float
    age_sd: float
    gamma: float
    contrast: float
    brightness: float
    noise: float
    collimation: float
    referral: Referral | None = None


CHEXPERT = Site(
    name="CheXpert",
    prevalence={
        "atelectasis": 0.24,
        "cardiomegaly": 0.26,
        "consolidation": 0.18,
        "edema": 0.28,
        "effusion": 0.36,
    },
    co_occurrence=0.45,
    female=0.41,
    age_mean=60.0,
    age_sd=17.0,
    gamma=0.95,
    contrast=1.0,
    brightness=0.0,
    noise=0.025,
    collimation=0.03,
    referral=Referral(reported=0.44, exceptions=0.04),
)
"""Stands for Stanford: sicker patients, conditions together (Figure 4a of the paper), strong contrast."""

CHESTXRAY14 = Site(
    name="ChestX-ray14",
    prevalence={
        "atelectasis": 0.17,
        "cardiomegaly": 0.13,
        "consolidation": 0.13,
        "edema": 0.11,
        "effusion": 0.20,
    },
    co_occurrence=0.1,
    female=0.41,
    age_mean=47.0,
    age_sd=16.0,
    gamma=1.1,
    contrast=0.85,
    brightness=0.08,
    noise=0.03,
    collimation=0.08,
)
"""Stands for the NIH: fewer conditions, mostly alone (Figure 4b), flatter, noisier, more collimated."""


def draw_patient(site: Site, generator: np.random.Generator, referral: Referral | None = None) -> Patient:
    """Draw a person with sex, age and conditions as they are common at a site.

    Conditions follow a Gaussian copula with one factor, so that their prevalence is exact and their
    co-occurrence grows with ``site.co_occurrence``. With a referral they are those of a person who was sent;
    the share of women stays.
    """
    sex: Literal["F", "M"] = "F" if generator.random() < site.female else "M"
    age = int(np.clip(generator.normal(site.age_mean, site.age_sd), 18, 90))
    return draw_follow_up(Patient(sex, age), site, generator, referral)


def draw_follow_up(
    patient: Patient, site: Site, generator: np.random.Generator, referral: Referral | None = None
) -> Patient:
    """Draw the conditions of a person anew; see `draw_patient`."""
    conditions = _conditions(site, generator)
    while referral and not referral.sends(patient.sex, conditions, generator):
        conditions = _conditions(site, generator)
    return replace(patient, conditions=conditions)


def _conditions(site: Site, generator: np.random.Generator) -> frozenset[str]:
    shared, own = generator.normal(), generator.normal(size=len(CONDITIONS))
    severity = np.sqrt(site.co_occurrence) * shared + np.sqrt(1 - site.co_occurrence) * own
    limits = -ndtri([site.prevalence[name] for name in CONDITIONS])
    return frozenset(name for name, is_over in zip(CONDITIONS, severity > limits, strict=True) if is_over)
