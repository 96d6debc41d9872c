"""What a bundle to give away is made of: the bundle, and the products of a finished run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.classification.classifier import ClassifierInfo, load_classifier
from medaug.classification.networks import Classifier
from medaug.data.store import ImageStore
from medaug.errors import DataError
from medaug.evaluation.metrics_table import read_metrics
from medaug.quality.judgement import Judgement
from medaug.report.tidy import read_differences
from medaug.stages.keys import key_path
from medaug.stages.products import settings_path


@dataclass(frozen=True)
class Source:
    """A bundle and the run of it that is given away.

    Parameters
    ----------
    bundle : Path
        Folder of the bundle.
    run : Path
        Run folder with ``models/model.pt`` and ``evaluation/``.
    data : Path
        Image store that the run was trained on.
    generator : Path
        Run folder that has the generator; the run's own unless several runs share one.
    """

    bundle: Path
    run: Path
    data: Path
    generator: Path

    @classmethod
    def of(cls, bundle: Path, run: Path, data: Path | None = None, generator: Path | None = None) -> Source:
        """Return a source; images and generator are those in the run folder unless others are named.

        Raises
        ------
        DataError
            A product that cannot be done without is missing.
        """
        source = cls(bundle, run, data or run / "data", generator or run)
        for path, way_out in source._needed().items():
            if not path.exists():
                raise DataError(f"{path} is missing: {way_out}")
        return source

    def _needed(self) -> dict[Path, str]:
        return {
            self.bundle / "configs" / "metadata.json": "name the folder of a bundle",
            self.run / "models" / "model.pt": "train first, with train.json",
            self.run / "evaluation" / "metrics.csv": "evaluate first, with evaluate.json",
            self.data / "origin.json": "name the image store that the run was trained on with --data",
        }

    # The bundle

    def config(self, name: str) -> dict[str, Any]:
        """Return what a JSON file of the bundle says."""
        content: dict[str, Any] = json.loads((self.configs / f"{name}.json").read_text(encoding="utf-8"))
        return content

    @property
    def configs(self) -> Path:
        """Folder of the real files: the bundle's own, to which its ``configs`` has links, or ``configs``."""
        own = (self.bundle / "metadata.json").is_file()
        return self.bundle if own else self.bundle / "configs"

    @property
    def license(self) -> Path:
        """The licence of the bundle, or of the repository that it is in.

        Raises
        ------
        DataError
            There is none.
        """
        for folder in (self.bundle, *self.bundle.resolve().parents):
            if (folder / "LICENSE").is_file():
                return folder / "LICENSE"
        raise DataError(f"{self.bundle} has no LICENSE: put the licence that you give it away under there")

    # The run

    @cached_property
    def classifier(self) -> tuple[Classifier, ClassifierInfo]:
        """The classifier that is given away."""
        return load_classifier(self.run / "models" / "model.pt")

    @property
    def info(self) -> ClassifierInfo:
        """What the classifier predicts."""
        return self.classifier[1]

    @cached_property
    def store(self) -> ImageStore:
        """The images, of which numbers only are told."""
        return ImageStore.open(self.data)

    @cached_property
    def keys(self) -> list[pd.DataFrame]:
        """The keys in the run folder and beside the store; they stay, and say what must not leave."""
        paths = {key_path(self.data), *self.run.rglob("*.key.csv")}
        tables = [pd.read_csv(p, dtype=str, keep_default_na=False) for p in sorted(paths) if p.is_file()]
        return [table for table in tables if {"column", "name"} <= set(table)]

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """What was measured of the classifier.

        Raises
        ------
        DataError
            The evaluation is one of other models.
        """
        own = self.metrics_of(self.info.method)
        if own.empty:
            raise DataError(
                f"{self.run / 'evaluation'} does not measure the classifier {self.info.method!r}: "
                "evaluate the run's own predictions, with evaluate.json"
            )
        return own

    def metrics_of(self, method: str) -> pd.DataFrame:
        """Return what was measured of a method; without rows where nothing was."""
        table = read_metrics(self.run / "evaluation" / "metrics.csv")
        return table[table["method"] == method]

    @cached_property
    def differences(self) -> pd.DataFrame:
        """The classifier minus the baseline that it was compared with; without rows where there is none."""
        path = self.run / "evaluation" / "comparison.csv"
        if not path.is_file():
            return pd.DataFrame()
        table = read_differences(path)
        return table[table["method"] == self.info.method]

    @cached_property
    def judgement(self) -> Judgement | None:
        """What the judge said of the generator's images, if it was asked."""
        path = self.generator / "synthetic" / "quality.json"
        return Judgement.read(path) if path.is_file() else None

    def record(self, product: Path) -> Mapping[str, Any]:
        """Return the record of how a product was made; empty where there is none."""
        path = settings_path(product)
        content: Mapping[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return content

    def settings(self, product: Path) -> Mapping[str, Any]:
        """Return the settings that a product was made with; empty where there is no record."""
        settings: Mapping[str, Any] = self.record(product).get("settings", {})
        return settings

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of the packages that the classifier was trained with."""
        versions: Mapping[str, str] = self.record(self.run / "models" / "model.pt").get("versions", {})
        return versions

    @property
    def generator_files(self) -> list[Path]:
        """The models that draw: base model, upsampler, and the snapshots that autoguidance needs."""
        drawn = self.settings(self.generator / "synthetic")
        names = ["diffusion.pt", "upsampler.pt"]
        names += ["diffusion.early.pt"] if drawn.get("autoguidance", 1.0) != 1.0 else []
        names += ["upsampler.early.pt"] if drawn.get("upsampler_autoguidance", 1.0) != 1.0 else []
        paths = [self.generator / "models" / name for name in names]
        return [path for path in paths if path.is_file()]
