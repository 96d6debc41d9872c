"""One run of a bundle: what all its stages share, and how one stage has another make what it needs.

A stage is a config of the bundle and runs alone. Before it works it *pulls* what it lacks: the other config
is run with the same `Run`, so that the whole of a run knows which products it has looked at already.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle.workflows import ConfigWorkflow

from medaug.data.real import open_real
from medaug.data.skew import Skew, label_budget, skewed
from medaug.data.store import ImageStore
from medaug.engine import distributed
from medaug.engine.later import later
from medaug.errors import SettingsError
from medaug.presets import Modality, Preset, PresetName, preset
from medaug.stages.command_line import PARTS, check_command_line, check_part, check_whole, explain
from medaug.stages.location import calling_workflow, config_path
from medaug.stages.making import making
from medaug.stages.products import check_writable, is_current, is_made, settings_path
from medaug.stages.setting_values import chosen, switch
from medaug.stages.tracking import check_tracking, track
from medaug.task import Task
from medaug.threads import spinning_hurts

if TYPE_CHECKING:
    from medaug.stages.preparation import Preparation

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What all stages of one run share; every field is a setting of each config that needs it.

    Parameters
    ----------
    bundle_root : str
        Folder of the bundle; found by itself.
    modality : {"histopathology", "radiology", "dermatology"}
        What the bundle is for.
    output_dir : str
        The run folder.
    data_dir : str
        Image store; may be shared by several runs.
    generator_dir : str or None
        Run folder that has the generator and its synthetic images, where several runs share them; none means
        `output_dir`.
    preset : {"demo", "single_gpu", "paper"}
        Size of all models and trainings: two CPU cores in minutes, one GPU in days, Table E1.
    seed : int
        Decides every random number of the run.
    fresh : bool
        Set a product that was made with other settings aside and make it anew, instead of an error.
    device_name : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``: where to compute.
    dataset_dir : str or None
        Folder of the data set; none means the built-in phantoms.
    reader : str
        How the files of `dataset_dir` are read, see Readers.
    external_dir : str, sequence of str or None
        Folders of external data sets, which are out of distribution.
    domain_column : str
        Column of the reader's table whose values are the domains.
    train_domains : tuple of str or None
        Domains that are in distribution; none means all of `dataset_dir`.
    properties : tuple of str
        Attributes, or ``domain``, that the generator is conditioned on besides the label; an empty list is
        label conditioning.
    skew : mapping or None
        Leaves a group only so many labelled training images, see `medaug.data.skew.Skew`.
    label_budget : int or None
        Labelled training images that each hospital of `budget_domains` may keep; none means all.
    budget_domains : tuple of str
        The hospitals that `label_budget` is for.
    prepare : mapping
        Settings handed to ``prepare.json``.
    diffusion : mapping
        Settings handed to ``train_diffusion.json``.
    upsampler : mapping
        Settings handed to ``train_upsampler.json``.
    generate : mapping
        Settings handed to ``generate.json``.
    quality : mapping
        Settings handed to ``quality.json``.
    baseline : mapping
        Settings of the training of the baseline, where it shall differ from this one.
    evaluate : mapping
        Settings handed to ``evaluate.json``.
    """

    bundle_root: str
    modality: Modality
    output_dir: str
    data_dir: str
    generator_dir: str | None = None
    preset: PresetName = "demo"
    seed: int = 0
    fresh: bool = False
    device_name: str = "auto"
    dataset_dir: str | None = None
    reader: str = "folder"
    external_dir: str | Sequence[str] | None = None
    domain_column: str = "domain"
    train_domains: tuple[str, ...] | None = None
    properties: tuple[str, ...] = ()
    skew: Mapping[str, Any] | None = None
    label_budget: int | None = None
    budget_domains: tuple[str, ...] = ()
    prepare: Mapping[str, Any] = field(default_factory=dict)
    diffusion: Mapping[str, Any] = field(default_factory=dict)
    upsampler: Mapping[str, Any] = field(default_factory=dict)
    generate: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    baseline: Mapping[str, Any] = field(default_factory=dict)
    evaluate: Mapping[str, Any] = field(default_factory=dict)
    pulled: list[tuple[str, Run]] = field(default_factory=list, repr=False, compare=False)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC), repr=False, compare=False)

    @classmethod
    def of(cls, **given: Any) -> Run:
        """Return a run from the values of a config, where None means the default.

        MONAI makes it before anything else: from here on errors are told in a sentence.

        Raises
        ------
        SettingsError
            A value is not of the setting's type, or has no end.
        """
        sys.excepthook = explain
        check_whole(sys.argv)
        run = chosen(cls, given)
        if run.skew is not None and run.label_budget is not None:
            raise SettingsError("give either skew or label_budget: both say who keeps labelled images")
        return run

    # What stages ask for

    @property
    def presets(self) -> Preset:
        """The models of this modality at this size."""
        return preset(self.modality, self.preset)

    @property
    def upsamples(self) -> bool:
        """Whether generated images are enlarged, where the preset has an upsampler."""
        told = self.generate.get("upsample")
        return told is None or switch(told)

    @property
    def image_size(self) -> int:
        """Side in pixels of the images that classifiers see: of the base model where none is enlarged."""
        if self.upsamples:
            return self.presets.image_size
        return int(self.diffusion.get("image_size", self.presets.diffusion.image_size))

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return distributed.device(self.device_name)

    @property
    def scarcity(self) -> Mapping[str, Any] | None:
        """Who keeps few labelled training images: the skew, or that of a label budget."""
        if self.label_budget is None:
            return self.skew
        return label_budget(self.label_budget, self.budget_domains)

    @cached_property
    def store(self) -> ImageStore:
        """The images as this experiment sees them: all labels, or few of some groups; opened on first use."""
        scarcity = self.scarcity
        skew = None if scarcity is None else chosen(Skew, scarcity)
        return later(lambda: skewed(open_real(self.data_dir), skew))

    @cached_property
    def preparation(self) -> Preparation:
        """How this run's images are prepared, whether they are there yet or not."""
        stage: Preparation = self._workflow("prepare").parser.get_parsed_content("stage")
        return stage

    @property
    def task(self) -> Task:
        """What is predicted, for whom: what the images say, or will say."""
        return self.store.task if is_made(self.data_dir) else self.preparation.settings.task

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return self.store.channels if is_made(self.data_dir) else self.preparation.settings.channels

    def path(self, *names: str) -> Path:
        """Return a path in the run folder."""
        return Path(self.output_dir, *names)

    def generator_path(self, *names: str) -> Path:
        """Return a path in the run folder that has the generator and its images."""
        return Path(self.generator_dir or self.output_dir, *names)

    def weights(self, name: str) -> Path:
        """Return where a model lies: this run's, or, while it has none, the one that came with the bundle."""
        own, given = self.generator_path("models", name), Path(self.bundle_root, "models", name)
        begun = is_made(own) or settings_path(own).is_file()
        return given if is_made(given) and not begun else own

    # What stages do

    def start(self, stage: str) -> None:
        """Begin: join the other processes of ``torchrun``, check the options.

        Raises
        ------
        SettingsError
            The command line names a setting that the config does not have, or MLflow, which is not there; the
            run folder cannot be made or written to.
        """
        logging.captureWarnings(True)
        distributed.start(self.device_name)
        if distributed.device(self.device_name).type == "cpu" and spinning_hurts():
            logger.info("Other programs keep all cores busy; with OMP_WAIT_POLICY=PASSIVE this run is faster")
        check_tracking(calling_workflow())
        check_command_line(sys.argv, stage, Path(self.bundle_root))
        check_writable(Path(self.output_dir))

    def finish(self) -> None:
        """End: tell MLflow, if it is to be told, and leave the other processes."""
        if distributed.is_first():
            facts = {name: getattr(self, name) for name in ("modality", "preset", "seed", "properties")}
            track(calling_workflow(), self.path("evaluation"), self.begun, facts)
        distributed.end()

    def making(
        self,
        product: Path,
        record: Mapping[str, Any],
        defaults: Mapping[str, Any],
        computed: Mapping[str, Any] | None = None,
        within: Path | None = None,
    ) -> AbstractContextManager[bool]:
        """Tell whether a product is to be made, and let no other run do it, see `medaug.stages.making`."""
        return making(product, record, fresh=self.fresh, defaults=defaults, computed=computed, within=within)

    def is_current(self, product: Path | str, record: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
        """Tell whether a product is there with these settings, see `medaug.stages.products.is_current`."""
        return is_current(product, record, self.fresh, defaults)

    def pull(self, part: str, **more: Any) -> None:
        """Have another config of the bundle make its product, unless this run has seen to it already.

        Parameters
        ----------
        part : str
            A name in `medaug.stages.command_line.PARTS`.
        **more
            Parts of the other config to replace, unless the run has settings of the user for them.
        """
        key = part, self._for(part)
        if key not in self.pulled:
            workflow = self._workflow(part, **more)
            workflow.initialize()
            workflow.run()
            self.pulled.append(key)

    def _workflow(self, part: str, **more: Any) -> ConfigWorkflow:
        given, own = getattr(self, part), {f.name for f in fields(self)}
        check_part(part, given, Path(self.bundle_root))
        return ConfigWorkflow(
            config_file=str(config_path(self.bundle_root, PARTS[part])),
            logging_file=False,
            workflow_type="train",
            shared=self._for(part),
            **{**more, **{name: value for name, value in given.items() if name not in own}},
        )

    def _for(self, part: str) -> Run:
        """Return this run as another config sees it, whose own settings come first."""
        shared = {f.name: getattr(self, f.name) for f in fields(self)}
        given = {name: value for name, value in getattr(self, part).items() if name in shared}
        return chosen(Run, shared | given)
