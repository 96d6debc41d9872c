"""How a model card says places, groups and metrics to a reader who does not know this project's terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medaug.report.words import split_name

PLACES = {"id_test": "in distribution", "ood_test": "out of distribution"}

TESTED_ON = {
    "id_test": "in distribution: a place whose labelled images it was trained on, but other patients",
    "ood_test": "out of distribution: a place of which it saw no labels",
}

MEANINGS = {
    "auc": "the chance that an image with the condition scores higher than one without; 0.5 is guessing, "
    "1 is perfect",
    "balanced_top3_accuracy": "how often the true condition is among the three with the highest scores, "
    "every condition counting alike; 1 is perfect",
    "top3_accuracy": "how often the true condition is among the three with the highest scores; 1 is perfect",
    "balanced_accuracy": "how often the decision is right, every condition (or its absence) counting alike; "
    "1 is perfect",
    "accuracy": "how often the decision is right; 1 is perfect",
    "sensitivity": "of the images with a condition, the share for which it is decided",
}
"""What the metrics that may lead a card, and that of each condition, say."""

TERMS = (
    "In distribution: images from the hospitals whose labelled images it was trained on, of other patients. "
    "Out of distribution: from hospitals of which it saw no labels.",
    "Training, unlabelled: images that taught the generator only. Validation: images that chose the best "
    "epoch and the thresholds.",
    "Interval: in brackets, the values that these patients are compatible with, 95 % unless the evaluation "
    "was set otherwise, from drawing the patients again. A number without one may be chance.",
    "Gap: the best group minus the worst. Equal groups show a gap, too, by chance; p is how often one as "
    "large. A gap is clear where p is at most 0.05; one that is not clear is not shown to be absent.",
)
"""What a card says of its terms."""


def place(split: str) -> str:
    """Say where a model was tested.

    Examples
    --------
    >>> place("ood_test"), place("id_val")
    ('out of distribution', 'in distribution, validation')
    """
    return PLACES.get(split, split_name(split))


def markdown_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
