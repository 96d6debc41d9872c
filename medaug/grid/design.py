"""The design of a study: arms × seeds × what is labelled, where each part lies, and what makes it.

A study has one image store. A generator (its training, its images and the judgement of them) belongs to a
seed and to what it is conditioned on, and serves all arms that use such images; generators of several seeds
are trainings of their own, so that differences between arms carry their variation too.
"""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from medaug.errors import SettingsError
from medaug.files import write_aside
from medaug.grid.arms import REFERENCE, Arm, Conditioning, arms
from medaug.grid.study_checks import check_study
from medaug.presets import PresetName, preset
from medaug.stages.setting_values import chosen

SMALL = ("baseline", "randaugment", "oversampling", "label_and_property", "label_and_property_randaugment")
"""The arms of a study that names none."""

DATA_SEED = 0
"""All seeds of a study see the same split of the same images."""

REPLICATES = 200
"""Of the bootstrap, unless the study says otherwise: enough for a standard error over patients."""


@dataclass(frozen=True, order=True)
class Cell:
    """A training of a study: an arm, a seed, and what is labelled."""

    labelled: str
    arm: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is trained, on what; every field is a setting of ``scripts/study.sh``.

    Parameters
    ----------
    bundle : str
        Folder of the bundle.
    output : str
        Folder of the study.
    arms : tuple of str
        Names in `medaug.grid.arms.arms`, and of `own_arms`; `REFERENCE` is always among them.
    seeds : tuple of int
        Each is a training of every generator and of every arm. Fewer than three say nothing about arms.
    labelled : mapping
        Settings of who keeps labelled images (``skew``, or ``label_budget`` and ``budget_domains``) by a
        name; every arm is trained for each.
    own_arms : mapping
        More arms by name: settings of ``train.json``, and ``conditioning`` ("label" or
        "label_and_property") where there are synthetic images.
    properties : tuple of str or None
        What a generator is conditioned on besides the label; none means the bundle's.
    group : str or None
        Whose rare groups oversampling and weights are for; none means the first of `properties`.
    preset : str
        Size of all models and trainings.
    shared : mapping
        Settings of every command, for example ``dataset_dir``.
    prepare, diffusion, upsampler, generate, quality, train : mapping
        Settings of the parts, the same for all arms; of `train`, what an arm sets itself comes first.
    evaluate : mapping
        Settings of the evaluation of the whole study.
    """

    bundle: str = "bundles/chexpert"
    output: str = "study"
    arms: tuple[str, ...] = SMALL
    seeds: tuple[int, ...] = (0, 1, 2)
    labelled: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"all": {}})
    own_arms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    properties: tuple[str, ...] | None = None
    group: str | None = None
    preset: PresetName = "demo"
    shared: Mapping[str, Any] = field(default_factory=dict)
    prepare: Mapping[str, Any] = field(default_factory=dict)
    diffusion: Mapping[str, Any] = field(default_factory=dict)
    upsampler: Mapping[str, Any] = field(default_factory=dict)
    generate: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    evaluate: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Study:
        """Return the study of a mapping, whose values may be what a command line or a YAML file has.

        Raises
        ------
        SettingsError
            A setting, an arm or a setting of an arm or part is unknown, or would change nothing, see
            `medaug.grid.study_checks.check_study`.
        """
        names = [f.name for f in fields(cls)]
        if unknown := sorted(set(given) - set(names)):
            raise SettingsError(f"a study has no setting {unknown[0]!r}; there are: {', '.join(names)}")
        study = chosen(cls, {name: _read(value) for name, value in given.items()})
        check_study(study)
        return study

    @classmethod
    def load(cls, file: Path | str) -> Study:
        """Return the study that `save` wrote."""
        return cls.of(json.loads(Path(file).read_text(encoding="utf-8")))

    def save(self, file: Path | str) -> None:
        """Write the study as JSON; the file is whole or absent."""
        content = {f.name: getattr(self, f.name) for f in fields(self)}
        with write_aside(Path(file)) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    # What there is

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What the bundle says of itself."""
        file = Path(self.bundle, "metadata.json")
        if not file.is_file():
            raise SettingsError(f"{self.bundle} is no bundle: it has no metadata.json")
        content: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return content

    @property
    def conditioned_on(self) -> tuple[str, ...]:
        """The properties of the arms that are conditioned on label and property."""
        usual = self.metadata["medaug"]["properties"] if self.properties is None else self.properties
        return tuple(usual)

    @property
    def threshold(self) -> float | str:
        """How scores become decisions: as the study says, else as the bundle does."""
        threshold: float | str = self.evaluate.get("threshold", self.metadata["medaug"]["threshold"])
        return threshold

    @property
    def high_risk(self) -> tuple[str, ...]:
        """The classes that must not be missed."""
        task = {**self.config("prepare"), **self.prepare}
        return tuple(self.evaluate.get("high_risk", task.get("high_risk", ())))

    @property
    def plain_arms(self) -> dict[str, Arm]:
        """The arms that may be named, the study's own among them, with what they set themselves."""
        group = self.group or next(iter(self.conditioned_on), "domain")
        own = {name: _own_arm(name, dict(settings)) for name, settings in self.own_arms.items()}
        return {**arms(group), **own}

    @property
    def real_fraction(self) -> float:
        """Share of real images of the arms that leave it to the study: what `train` says, else the preset."""
        usual = preset(self.metadata["medaug"]["modality"], self.preset).classifier.real_fraction
        given: float | None = {**self.shared, **self.train}.get("real_fraction")
        return usual if given is None else given

    @cached_property
    def all_arms(self) -> dict[str, Arm]:
        """The arms that may be named, each with its share of real images."""
        usual = {"real_fraction": self.real_fraction}
        return {
            name: replace(arm, settings={**usual, **arm.settings}) for name, arm in self.plain_arms.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The arms of the study, the reference first."""
        return tuple(dict.fromkeys((REFERENCE, *self.arms)))

    @property
    def looked_at(self) -> Conditioning | None:
        """What the generator is conditioned on whose images all classifiers look at; None without any."""
        there = {self.all_arms[name].conditioning for name in self.names}
        usual: tuple[Conditioning, ...] = ("label_and_property", "label")
        return next((conditioning for conditioning in usual if conditioning in there), None)

    def arm_name(self, arm: str) -> str:
        """Return what the study's page calls an arm."""
        return self.all_arms[arm].name if arm in self.all_arms else arm

    def cells(self) -> Iterator[Cell]:
        """Give every training of a classifier."""
        for labelled in self.labelled:
            for arm in self.names:
                yield from (Cell(labelled, arm, seed) for seed in self.seeds)

    # Where it lies

    @property
    def data(self) -> Path:
        """The image store."""
        return Path(self.output, "data")

    def generator(self, labelled: str, conditioning: str, seed: int) -> Path:
        """Return the run folder of a generator and its images."""
        return Path(self.output, "generators", labelled, conditioning, f"seed-{seed}")

    def run(self, cell: Cell) -> Path:
        """Return the run folder of a training."""
        return Path(self.output, "runs", cell.labelled, cell.arm, f"seed-{cell.seed}")

    def predictions(self, cell: Cell) -> Path:
        """Return the predictions of a training, which name arm (``method``) and seed."""
        return self.run(cell) / "predictions" / "model.parquet"

    def looks(self, labelled: str, seed: int) -> Path:
        """Return the folder of what the classifiers of a seed see in the same images."""
        return Path(self.output, "looks", labelled, f"seed-{seed}")

    def compared(self, labelled: str) -> Path:
        """Return the run folder of the evaluation of all trainings with the same labels."""
        return Path(self.output, "compared", labelled)

    # What makes it

    def preparation(self) -> str:
        """Return the command that makes the image store."""
        where = {"output_dir": self.output, "data_dir": self.data}
        return self._command("prepare", where, {"seed": DATA_SEED, **self.prepare})

    def generation(self, labelled: str, conditioning: Conditioning, seed: int) -> str:
        """Return the command that trains a generator, draws its images and judges them."""
        where = {"output_dir": self.generator(labelled, conditioning, seed), "data_dir": self.data}
        what = self._experiment(labelled, conditioning, seed)
        if not Path(self.bundle, "quality.json").is_file():
            return self._command(
                "generate", where, what, self._parts("diffusion", "upsampler"), self.generate
            )
        parts = self._parts("diffusion", "upsampler", "generate")
        return self._command("quality", where, what, parts, self.quality)

    def training(self, cell: Cell) -> str:
        """Return the command that trains and evaluates one classifier; the study's page has the intervals."""
        arm = self.all_arms[cell.arm]
        where = {"output_dir": self.run(cell), "data_dir": self.data}
        own: dict[str, Any] = {"method": cell.arm, "compare_with_baseline": False}
        own["evaluate"] = {**self.evaluate, "replicates": 0}
        if arm.conditioning is not None:
            where["generator_dir"] = self.generator(cell.labelled, arm.conditioning, cell.seed)
        parts = self._parts("diffusion", "upsampler", "generate", "quality")
        what = self._experiment(cell.labelled, arm.conditioning or "label", cell.seed)
        return self._command("train", where, what, parts, self.train, arm.settings, own)

    def comparison(self, labelled: str) -> str:
        """Return the command that evaluates all trainings together, arms beside the reference."""
        files = [str(self.predictions(cell)) for cell in self.cells() if cell.labelled == labelled]
        where = {"output_dir": self.compared(labelled), "data_dir": self.data, "fresh": True}
        usual: dict[str, Any] = {"predictions": files, "baseline": REFERENCE, "replicates": REPLICATES}
        usual |= {"threshold": self.threshold, "high_risk": list(self.high_risk)}
        return self._command("evaluate", where, self.labelled[labelled], usual, self.evaluate)

    def _experiment(self, labelled: str, conditioning: Conditioning, seed: int) -> dict[str, Any]:
        properties = [] if conditioning == "label" else list(self.conditioned_on)
        what: dict[str, Any] = {"seed": seed, "properties": properties, **self.labelled[labelled]}
        return {**what, "prepare": {"seed": DATA_SEED, **self.prepare}}

    def _parts(self, *names: str) -> dict[str, Any]:
        return {name: dict(getattr(self, name)) for name in names if getattr(self, name)}

    def _command(self, config: str, *options: Mapping[str, Any]) -> str:
        words = ["python", "-m", "monai.bundle", "run", "--config_file", f"{self.bundle}/{config}.json"]
        shared, there = {"preset": self.preset, **self.shared}, self.config(config)
        given: dict[str, Any] = {name: value for name, value in shared.items() if name in there}
        for more in options:
            given |= more
        for name, value in given.items():
            words += [f"--{name}", _written(value)]
        return shlex.join(words)

    def config(self, name: str) -> Mapping[str, Any]:
        """Return a config of the bundle as it stands in the file."""
        content: Mapping[str, Any] = json.loads(Path(self.bundle, f"{name}.json").read_text(encoding="utf-8"))
        return content


def _read(value: Any) -> Any:
    """Return a value with its numbers as numbers: Snakemake's command line hands them over as text."""
    if isinstance(value, Mapping):
        return {name: _read(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_read(inner) for inner in value]
    try:
        return ast.literal_eval(value) if isinstance(value, str) else value
    except (ValueError, SyntaxError):
        return value


def _written(value: Any) -> str:
    """Return a value as the command line of MONAI reads it, with quotes that the shell need not quote."""
    text = str(value) if isinstance(value, str | Path) else repr(value)
    return text if '"' in text else text.replace("'", '"')


def _own_arm(name: str, settings: dict[str, Any]) -> Arm:
    conditioning: Conditioning | None = settings.pop("conditioning", None)
    said = ", ".join(f"{key} {value}" for key, value in settings.items())
    usual = {"real_fraction": 1.0} if conditioning is None else {}
    return Arm(name, said, {**usual, **settings}, conditioning)
