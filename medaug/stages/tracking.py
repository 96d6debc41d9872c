"""What a run tells MLflow when it was started with MONAI's ``--tracking mlflow``.

MONAI's handler logs the losses of an engine. Here come the settings of the stage, the metrics by group and
the report. No setting that names a place goes out: a tracking server is seen by others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from monai.bundle.workflows import ConfigWorkflow

from medaug.errors import SettingsError
from medaug.evaluation.metrics import GAP, is_derived
from medaug.evaluation.metrics_table import read_metrics
from medaug.report.tidy import tidied
from medaug.stages.products import plain
from medaug.stages.setting_values import record

_MOST, _LONGEST = 100, 500
"""Parameters that MLflow takes at once, and letters of one."""


def track(
    workflow: ConfigWorkflow | None, evaluation: Path, since: datetime, facts: Mapping[str, Any]
) -> None:
    """Tell MLflow what a workflow did, if it was started with tracking; else do nothing.

    Parameters
    ----------
    workflow : ConfigWorkflow or None
        The workflow that ends.
    evaluation : Path
        Evaluation folder of the run; told if there is a report in it.
    since : datetime
        When the workflow began, in UTC; a run of its own that MONAI's handler has opened is gone on with.
    facts : mapping
        Settings to tell besides those of the stage.

    """
    if workflow is None or not _is_tracked(workflow):
        return
    from mlflow import MlflowClient  # here, since nothing else needs it

    get = workflow.parser.get_parsed_content
    client = MlflowClient(tracking_uri=get("tracking_uri"))
    beside = (evaluation.parent / "mlruns").resolve().as_uri()  # where MONAI's handler puts artefacts, too
    artifacts = beside if get("tracking_uri").startswith("sqlite:") else None
    run = _run(client, _experiment(client, get("experiment_name"), artifacts), get("run_name"), since)
    _tell_settings(client, run, {**facts, **_settings(get("stage").settings)})
    if (evaluation / "report.html").is_file():
        _tell_evaluation(client, run, evaluation)
    client.set_terminated(run)


def check_tracking(workflow: ConfigWorkflow | None) -> None:
    """Raise a SettingsError if a workflow was started with tracking and MLflow is not installed."""
    if workflow is not None and _is_tracked(workflow):
        try:
            import_module("mlflow")
        except ImportError:
            raise SettingsError("--tracking mlflow needs MLflow: pip install mlflow") from None


def _is_tracked(workflow: ConfigWorkflow) -> bool:
    return "tracking_uri" in workflow.parser


def _tell_settings(client: Any, run: str, settings: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    parameters = [Param(name, str(value)[:_LONGEST]) for name, value in settings.items()]
    for start in range(0, len(parameters), _MOST):
        client.log_batch(run, params=parameters[start : start + _MOST])


def _tell_evaluation(client: Any, run: str, evaluation: Path) -> None:
    from mlflow.entities import Metric

    now = int(datetime.now(UTC).timestamp() * 1000)
    metrics = [Metric(name, value, now, 0) for name, value in tracked_metrics(evaluation / "metrics.csv")]
    for start in range(0, len(metrics), _MOST):
        client.log_batch(run, metrics=metrics[start : start + _MOST])
    client.log_artifact(run, str(evaluation / "report.html"))


def _experiment(client: Any, name: str, artifacts: str | None) -> str:
    """Return the experiment of a name, made if there is none."""
    found = client.get_experiment_by_name(name)
    made: str = client.create_experiment(name, artifact_location=artifacts) if found is None else ""
    return made or str(found.experiment_id)


def _run(client: Any, experiment: str, name: str | None, since: datetime) -> str:
    """Return the run that MONAI's handler opened for this workflow, or a new one."""
    begun = f"attributes.start_time >= {int(since.timestamp() * 1000)}"
    named = f" and attributes.run_name = '{name}'" if name else ""
    runs = client.search_runs(
        [experiment], begun + named, order_by=["attributes.start_time DESC"], max_results=1
    )
    run_id: str = (runs[0] if runs else client.create_run(experiment, run_name=name)).info.run_id
    return run_id


def _settings(settings: Any) -> dict[str, Any]:
    """Return the settings of a stage that decide its product and name no place, inner ones by ``a.b``."""
    return {name: value for name, value in _flat(plain(record(settings))) if not _names_a_place(value)}


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _names_a_place(value: Any) -> bool:
    return "/" in str(value) or "\\" in str(value)


def tracked_metrics(path: Path) -> Iterator[tuple[str, float]]:
    """Give the means over the labels, overall, by group and as gap, by names that MLflow takes.

    A name is ``<method>/<split>/<metric>`` and, of a group, ``/<attribute>/<group>``; the gap is the group
    ``gap``. What is not estimable is left out.
    """
    table = tidied(read_metrics(path))
    shown = table["metric"].map(lambda name: GAP.names(name) or not is_derived(name))
    for row in table[table["estimable"] & (table["label"] == "") & shown].itertuples(index=False):
        parts = [row.method, row.split, row.domain, row.metric]
        parts += [row.attribute, row.group or "gap"] if row.attribute else []
        yield "/".join(_allowed(str(part)) for part in parts if part), float(str(row.value))


def _allowed(text: str) -> str:
    """Return text in the letters that MLflow allows, for example of ``(40, 60]`` ``40 60``."""
    return " ".join(re.sub(r"[^\w. -]+", " ", text.replace("%", " percent")).split())
