"""The scores of a study: how good the images are for a diagnosis, and whether the raters find it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from medaug.study.agreement import krippendorff_alpha, pairable
from medaug.study.choice import SOURCES
from medaug.study.key import StudyKey
from medaug.study.other_raters import diagnoses_of_others

MEASURES = ("diagnosable", "confidence", "top1_accuracy", "top3_accuracy")
AGAINST_OTHERS = ("top1_against_others", "top3_against_others")
AGREEMENTS = ("agreement_diagnosable", "agreement_top1")
COLUMNS = ["source", "condition", "rater", "metric", "value", "sd", "raters", "images", "ratings"]
COLUMNS += ["estimable", "reason"]

_KEYS = ["source", "condition", "metric"]


def score(ratings: pd.DataFrame, key: StudyKey) -> pd.DataFrame:
    """Score what the raters said (Section 3.3 of the paper).

    Parameters
    ----------
    ratings : DataFrame
        What `medaug.study.exports.read_exports` returned.
    key : StudyKey
        What each image is.

    Returns
    -------
    DataFrame
        Tidy: ``source`` (``real``, ``synthetic``), ``condition`` (empty: all), ``rater`` (empty: over
        raters), ``metric``, ``value``, ``sd``, ``raters``, ``images``, ``ratings`` (numbers that went in),
        ``estimable`` and ``reason``. Over raters, ``value`` is the mean and ``sd`` the sample standard
        deviation (n − 1) of what single raters reach; a rater without any suitable image takes no part.

    Notes
    -----
    ``diagnosable`` is the share of the rated images that are good enough for a diagnosis. The other measures
    are over these alone: ``confidence`` (1–5) of the first diagnosis, ``top1_accuracy`` (the first diagnosis
    is right) and ``top3_accuracy`` (any of the up to three is). ``top1_against_others`` and
    ``top3_against_others`` are the same two with the aggregated diagnosis of the remaining raters of the
    image in place of the classes that it shows (footnote 5 of the paper; `medaug.study.other_raters`); a
    rating takes no part where the others give no diagnosis, or tied ones. The agreement is Krippendorff's
    alpha between raters: of whether the image is diagnosable, and of the class of the first diagnosis.
    """
    answers = ratings.merge(key.images, on="image")
    answers["source"] = np.where(answers["synthetic"].astype(bool), "synthetic", "real")
    answers["others"] = diagnoses_of_others(answers)
    by_condition = pd.concat([answers.assign(condition=""), answers], ignore_index=True)
    values = _values(by_condition)
    by_rater = values.groupby(["rater", *_KEYS]).agg(
        value=("value", "mean"), images=("image", "nunique"), ratings=("value", "count")
    )
    over_raters = _over_raters(by_rater, by_condition, values, key)
    parts = [over_raters.assign(rater=""), _agreement(answers), by_rater.reset_index().assign(raters=1)]
    scores = pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS)
    scores["estimable"] = scores["value"].notna()
    scores["reason"] = scores["reason"].where(~scores["estimable"], "")
    return scores.astype({"raters": int, "images": int, "ratings": int})


def _values(answers: pd.DataFrame) -> pd.DataFrame:
    """One row a rating and measure that has a value."""
    agreed = answers["others"].where(answers["others"].str.len() == 1)
    judged = answers[["rater", "image", "source", "condition", "confidence"]].assign(
        diagnosable=answers["diagnosable"].astype(float),
        top1_accuracy=_hits(answers["classes"], answers["truth"], 1),
        top3_accuracy=_hits(answers["classes"], answers["truth"], 3),
        top1_against_others=_hits(answers["classes"], agreed, 1),
        top3_against_others=_hits(answers["classes"], agreed, 3),
    )
    names = ["rater", "image", "source", "condition"]
    return judged.melt(names, [*MEASURES, *AGAINST_OTHERS], "metric").dropna(subset="value")


def _hits(classes: pd.Series[Any], right: pd.Series[Any], count: int) -> list[float]:
    """Whether one of the first `count` classes of each rating is right; NaN where either side is missing."""
    pairs = zip(classes, right, strict=True)
    return [
        float(not set(own[:count]).isdisjoint(truth)) if own and isinstance(truth, tuple) else np.nan
        for own, truth in pairs
    ]


def _over_raters(
    by_rater: pd.DataFrame, answers: pd.DataFrame, values: pd.DataFrame, key: StudyKey
) -> pd.DataFrame:
    """Means over raters, with a row for everything that was asked, whether it can be estimated or not."""
    means = by_rater.groupby(_KEYS).agg(
        value=("value", "mean"), sd=("value", "std"), raters=("value", "count"), ratings=("ratings", "sum")
    )
    means["images"] = values.groupby(_KEYS)["image"].nunique()
    sources = [source for source, value in SOURCES.items() if (key.images["synthetic"] == value).any()]
    measures = [*MEASURES, *AGAINST_OTHERS]
    asked = pd.MultiIndex.from_product([sources, ["", *key.conditions], measures], names=_KEYS)
    means = means.reindex(asked).fillna({"raters": 0, "images": 0, "ratings": 0}).reset_index()
    given = dict(iter(answers.groupby(["source", "condition"])))
    places = zip(means["source"], means["condition"], strict=True)
    return means.assign(reason=[_why_none(given.get(place, answers[:0])) for place in places])


def _why_none(answers: pd.DataFrame) -> str:
    """Say why a measure has no value for these ratings."""
    if answers.empty:
        return "none was rated"
    others = answers.loc[answers["diagnosable"], "others"].str.len()
    if others.empty:
        return "none was found diagnosable"
    return "the other raters are tied" if others.any() else "no image was diagnosed by two raters"


def _agreement(answers: pd.DataFrame) -> pd.DataFrame:
    """Agreement between raters, for each source."""
    rows = []
    for source, some in answers.groupby("source"):
        first = some[some["diagnosable"]].assign(answer=lambda t: t["classes"].str[0])
        for metric, asked in zip(AGREEMENTS, (some.assign(answer=some["diagnosable"]), first), strict=True):
            counts = pairable(asked)
            rows.append(
                {
                    "source": source,
                    "condition": "",
                    "rater": "",
                    "metric": metric,
                    "value": krippendorff_alpha(asked),
                    "raters": asked["rater"].nunique(),
                    "images": len(counts),
                    "ratings": int(counts.sum()),
                    "reason": "all answers are the same" if len(counts) else "no image has two answers",
                }
            )
    return pd.DataFrame(rows)
