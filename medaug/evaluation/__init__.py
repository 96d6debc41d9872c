"""Accuracy and fairness of predictions, ours or anyone's, by group and with intervals over patients.

Start with `evaluate` (`medaug.evaluation.results`): a table of predictions in, all tables of results out.
They are made by

- `medaug.evaluation.metrics_table`: ``metrics.csv``, every metric overall, by group, gaps and worst groups;
- `medaug.evaluation.comparison`: ``comparison.csv``, methods beside a baseline, with paired intervals;
- `medaug.evaluation.improvement`: ``improvement.csv``, methods beside a baseline, over several seeds;
- `medaug.evaluation.posterior`: ``posterior.csv``, each group beside all others.

What a metric is stands in `medaug.evaluation.metrics`, the one place to add another. Everything starts from
the table of `medaug.evaluation.predictions`, never from a network or an image. Of other rooms it imports only
`medaug.tabular` and the small modules (task, files, progress, randomness); `medaug.report` shows what comes
out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medaug.lazy import lazy_names

if TYPE_CHECKING:
    from medaug.evaluation.results import Results, evaluate
    from medaug.evaluation.settings import EvaluationSettings

__all__ = ["EvaluationSettings", "Results", "evaluate"]

# Settings alone shall not wait for torch, which the results draw in.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "EvaluationSettings": "settings",
        "Results": "results",
        "evaluate": "results",
    },
)
