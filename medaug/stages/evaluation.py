"""The stage that measures: predictions in, metrics, comparison and report out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.analysis.looks import Features, Looks
from medaug.data.real import open_real, open_synthetic
from medaug.data.skew import Skew
from medaug.data.store import ImageStore
from medaug.engine.distributed import barrier, is_first
from medaug.errors import DataError
from medaug.evaluation.family import shown_splits
from medaug.evaluation.metrics_table import headline, read_metrics
from medaug.evaluation.predictions import class_names, read_predictions
from medaug.evaluation.results import evaluate
from medaug.evaluation.settings import EvaluationSettings
from medaug.quality.judgement import Judgement
from medaug.report.arm_names import arm_name
from medaug.report.html import write_report
from medaug.report.naming import Called, named
from medaug.report.summary import summary_table
from medaug.report.tensorboard_metrics import write_tensorboard
from medaug.stages.keys import key_path, with_pseudonyms
from medaug.stages.making import working_on
from medaug.stages.products import identity, is_made, renewed, settings_path
from medaug.stages.quality import judgement_path
from medaug.stages.run import Run
from medaug.stages.seen_by_models import seen_by_models
from medaug.stages.setting_values import chosen, defaults, typed

logger = logging.getLogger(__name__)

ANSWER = "answer.txt"
"""The sentences that the report begins with."""

Files = str | Sequence[str]


def evaluation_settings(
    run: Run, predictions: Files | None, usual_threshold: float | str = 0.5, **given: Any
) -> EvaluationSettings:
    """Return settings from the values of a config, where None means what the run and its images say.

    Parameters
    ----------
    run : Run
        Its task gives the bins of numeric attributes and, where the run's own predictions are evaluated, the
        classes of high risk.
    predictions : str, sequence of str or None
        Predictions that the user gives; none means the run's own.
    usual_threshold : float or str
        Threshold for the run's own predictions. Given ones, which may have no split ``id_val`` to choose one
        on, are decided at 0.5 unless the user says otherwise.
    **given
        Fields of `EvaluationSettings`.
    """
    bins = {a.name: list(a.bins) for a in run.preparation.settings.task.attributes if a.bins}
    own = predictions is None and is_made(run.data_dir)
    usual = {
        "bins": bins,
        "high_risk": list(run.store.task.high_risk) if own else [],
        "threshold": usual_threshold if predictions is None else 0.5,
        "seed": run.seed,
    }
    return chosen(EvaluationSettings, usual | {name: v for name, v in given.items() if v is not None})


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Evaluates the predictions of a run, or those of anyone.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : EvaluationSettings
        Metrics, groups, threshold, bootstrap.
    predictions : str, sequence of str or None
        Files of predictions; none means all of this run.
    baseline : str or None
        Method that the others are compared with in ``comparison.csv``; none means the baseline of the run.
    title : str
        Heading of the report.
    patient_pictures : bool
        Whether the report shows real images; it says so where it does.
    """

    run: Run
    settings: EvaluationSettings
    predictions: Files | None = None
    baseline: str | None = None
    title: str = "Accuracy and fairness"
    patient_pictures: bool = True

    @classmethod
    def of(
        cls,
        run: Run,
        predictions: Files | None,
        baseline: str | None,
        title: str,
        patient_pictures: bool | str | None = None,
        **given: Any,
    ) -> Evaluation:
        """Return a stage from the values of a config; None means the default of the setting."""
        return cls(
            run=run,
            settings=evaluation_settings(run, predictions, **given),
            predictions=predictions,
            baseline=baseline,
            title=title,
            patient_pictures=patient_pictures is None or typed("patient_pictures", patient_pictures, bool),
        )

    @property
    def product(self) -> Path:
        """The evaluation folder."""
        return self.run.path("evaluation")

    @cached_property
    def files(self) -> list[str]:
        """The files of predictions: the user's, or all that the trainings of this run have left."""
        if self.predictions is not None:
            return [self.predictions] if isinstance(self.predictions, str) else list(self.predictions)
        folder = self.run.path("predictions")
        if found := sorted(str(path) for path in folder.glob("*.parquet")):
            return found
        raise DataError(
            f"there are no predictions in {folder}: run train.json first, or name a file with --predictions"
        )

    @property
    def compared_with(self) -> str | None:
        """The method that the others are compared with, if any."""
        file = self.run.path("predictions", f"{self.run.baseline_name}.parquet")
        if self.baseline is None and self.predictions is None and is_made(file):
            return str(read_predictions(file)["method"].iloc[0])
        return self.baseline

    @property
    def record(self) -> dict[str, Any]:
        """What the evaluation depends on."""
        return {
            "predictions": file_digests(self.files, named=self.predictions is None),
            "evaluation": self.settings,
            "baseline": self.compared_with,
            "title": self.title,
            "patient_pictures": self.patient_pictures,
            "skew": self.run.scarcity,
            "quality": identity(self._judged) if self._judged is not None else None,
        }

    def make(self) -> None:
        """Write results and report into the folder, unless they are there; print a table and the answer.

        The results are ``metrics.csv``, ``posterior.csv`` (groups beside all others, where every image has
        one right answer), ``thresholds.csv`` (of conditions that are present or absent) and, with a
        baseline, ``comparison.csv`` and ``improvement.csv``; the closer looks of the paper ``missed.csv``,
        ``overlaps.csv`` and, of the run's own classifiers, ``distances.csv`` and ``components.csv``.
        """
        if not self._is_current():
            with working_on(self.product):
                replace(self)._renew()  # with the predictions that other trainings have left meanwhile
        if is_first():
            print(_summary(named(read_metrics(self.product / "metrics.csv"), self.called), self.settings))
            if (answer := self.product / ANSWER).is_file():  # older evaluations have none
                print(answer.read_text(encoding="utf-8"))
            logger.info("The report is %s", self.product / "report.html")

    def _is_current(self) -> bool:
        known = {"evaluation": defaults(self.settings), "quality": None, "patient_pictures": True}
        return self.run.is_current(self.product, self.record, known)

    def _renew(self) -> None:
        if self._is_current():
            return
        features = self._features()
        if is_first():
            with renewed(self.product, self.record, self._logs, key_path(self.product)) as aside:
                self._write(aside, features)
        barrier()

    def _features(self) -> Features:
        """Return what the run's own classifiers see; every process has its share in it."""
        if self.predictions is not None or not is_made(self.run.data_dir):
            return {}
        names = [f"{Path(file).stem}.pt" for file in self.files]
        return seen_by_models(self.run, [self.run.path("models", name) for name in names])

    @property
    def _logs(self) -> Path:
        return self.run.path("logs", "evaluation")

    def _joined(self, aside: Path) -> pd.DataFrame:
        """Return all predictions; those that are given have pseudonyms, to which there is a key."""
        table = joined_predictions(self.files)
        if self.predictions is None:
            return table
        table, key = with_pseudonyms(table)
        key.to_csv(aside / key_path(self.product).name, index=False)
        return table

    def _write(self, aside: Path, features: Features) -> None:
        table, folder = self._joined(aside), aside / self.product.name
        store = self._own(Path(self.run.data_dir), open_real)
        known = self.settings.kind or (store.task.kind if store else None)
        results = evaluate(table, replace(self.settings, kind=known), baseline=self.compared_with)
        results.write(folder)
        settings = replace(self.settings, kind=results.kind)
        looks = Looks.at(results.predictions, features, settings)
        looks.write(folder)
        scarcity = self.run.scarcity
        answer = write_report(
            folder / "report.html",
            results,
            title=self.title,
            store=store,
            synthetic=self._own(self.run.generator_path("synthetic"), open_synthetic),
            quality=None if self._judged is None else Judgement.read(self._judged),
            skew=None if scarcity is None else Skew(**scarcity),
            rejected=self._rejected(),
            headline=self.settings.headline,
            high_risk=self.settings.high_risk,
            looks=looks,
            patient_pictures=self.patient_pictures,
            called=self.called,
            seed=self.settings.seed,
        )
        (folder / ANSWER).write_text("\n".join(answer), encoding="utf-8")
        write_tensorboard(aside / "logs" / "evaluation", results.metrics, table)

    @property
    def called(self) -> Called:
        """What reports call a method: an arm by its name in words, a method of anybody else by its own."""
        return arm_name if all(settings_path(file).is_file() for file in self.files) else str

    def _rejected(self) -> dict[str, pd.DataFrame]:
        """Return which synthetic images the trainings of the run rejected, by the names of the trainings."""
        files = [] if self.predictions is not None else sorted(self.run.path("models").glob("*.rejected.csv"))
        return {file.name.removesuffix(".rejected.csv"): pd.read_csv(file) for file in files}

    @property
    def _judged(self) -> Path | None:
        """The judgement of the run's synthetic images, which the report shows, if there is one."""
        path = judgement_path(self.run)
        return path if self.predictions is None and is_made(path) else None

    def _own(self, path: Path, opened: Callable[[Path], ImageStore]) -> ImageStore | None:
        """Open a store of the run that the report shows; given predictions have nothing to do with it."""
        return opened(path) if self.predictions is None and is_made(path) else None


def joined_predictions(files: Sequence[str]) -> pd.DataFrame:
    """Read files of predictions into one table.

    Raises
    ------
    DataError
        A file has not the classes of the first one.
    """
    tables = [read_predictions(Path(file)) for file in files]
    classes = set(class_names(tables[0]))
    for file, table in zip(files, tables, strict=True):
        if differing := sorted(classes ^ set(class_names(table))):
            raise DataError(
                f"{file} and {files[0]} do not predict the same conditions, so they cannot be compared: "
                f"{', '.join(differing)}"
            )
    return pd.concat(tables, ignore_index=True)


def file_digests(files: Sequence[str], named: bool = True) -> list[str]:
    """Return the SHA-256 of each file, after its name (without folder) where that is one of medaug's own."""
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise DataError(f"there is no file of predictions at {missing[0]}")
    digests = [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]
    return [f"{Path(f).name} {d}" if named else d for f, d in zip(files, digests, strict=True)]


def _summary(metrics: pd.DataFrame, settings: EvaluationSettings) -> str:
    """Return the short table: the metric that leads, with its gap by the first attribute that there is."""
    attributes = [*(name for name in metrics["attribute"].unique() if name), *(settings.attributes or ())]
    return summary_table(
        metrics,
        metric=settings.headline or headline(metrics),
        attribute=attributes[0] if attributes else "",
        splits=tuple(shown_splits(metrics)),
    )
