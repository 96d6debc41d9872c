"""The whole way from predictions to estimates, one cell after another."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from medaug.evaluation.cells import find_cells
from medaug.evaluation.estimates import Estimate, means_over_labels, replicated_values, single_estimates
from medaug.evaluation.gaps import compared_groups
from medaug.evaluation.groupings import find_groupings
from medaug.evaluation.permutation import shuffled_values
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.subsets import find_jobs
from medaug.evaluation.targets import find_targets
from medaug.evaluation.thresholds import chosen_thresholds
from medaug.progress import Progress
from medaug.task import Task


def bootstrap_estimates(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None
) -> Iterator[list[Estimate]]:
    """Yield the estimates of one cell after another, with all replicates.

    Parameters are those of `medaug.evaluation.metrics_table.compute_metrics`, which makes rows of them.
    """
    predictions = check_predictions(predictions)
    targets = find_targets(predictions, settings, task)
    groupings = find_groupings(predictions, settings, task)
    cells = find_cells(predictions, settings.splits)
    thresholds = chosen_thresholds(predictions, settings)
    total = len(cells) * (settings.replicates + 1)
    with Progress("Evaluating", total, unit="replicate") as shown:
        for cell in cells:
            jobs = find_jobs(predictions, cell, targets, groupings, settings)
            values = replicated_values(predictions, cell, jobs, settings, thresholds, shown)
            shuffled = shuffled_values(predictions, cell, jobs, groupings, settings)
            single = single_estimates(cell, jobs, values, shuffled)
            means = means_over_labels(predictions, single, targets, jobs)
            reported = [item for item in single if not item.in_common]
            yield [*reported, *means, *compared_groups([*single, *means])]
