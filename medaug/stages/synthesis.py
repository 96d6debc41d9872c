"""The stage that draws synthetic images: the generator sampled by a fair plan (Section 3.1, step 2)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from medaug.diffusion.diffusion_model import DiffusionModel, load_model
from medaug.diffusion.generation import Cascade, generate
from medaug.diffusion.plan import fair_plan
from medaug.engine.distributed import is_first
from medaug.errors import SettingsError
from medaug.presets import SynthesisPreset
from medaug.stages.generator_training import early_path
from medaug.stages.preparation import log_phantom
from medaug.stages.products import identity, is_made
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, defaults, record

logger = logging.getLogger(__name__)

PLAN = "label distribution kept, attributes uniform"
EVEN_PLAN = "each condition by itself equally often, attributes uniform"


@dataclass(frozen=True, kw_only=True)
class SynthesisSettings(SynthesisPreset):
    """What to draw, and how.

    Parameters
    ----------
    exclude : tuple of str
        Dominant classes of which no synthetic images are made (the filter w2 of Section G.3.5).
    """

    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: Run, **given: Any) -> SynthesisSettings:
        """Return settings from the values of a config, where None means what the preset says."""
        return chosen(cls, given, run.presets.sampling)


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """Makes the store of synthetic images.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : SynthesisSettings
        What to draw, and how.
    """

    run: Run
    settings: SynthesisSettings

    @classmethod
    def of(cls, run: Run, **given: Any) -> Synthesis:
        """Return a stage from the values of a config; None means the default of the setting."""
        return cls(run=run, settings=SynthesisSettings.of(run, **given))

    @property
    def product(self) -> Path:
        """Folder of the store."""
        return self.run.generator_path("synthetic")

    @property
    def base(self) -> Path:
        """File of the base model: of the run, or, while it has none, of the bundle."""
        return self.run.weights("diffusion.pt")

    @property
    def came_with_bundle(self) -> bool:
        """Whether the generator was given away with the bundle, so that there is none to train."""
        return self.base != self.run.generator_path("models", "diffusion.pt")

    @property
    def upsampler(self) -> Path | None:
        """File of the upsampler, which lies beside the base model; None where one resolution is enough."""
        path = self.base.with_name("upsampler.pt")
        needed = is_made(path) if self.came_with_bundle else self.run.presets.upsampler is not None
        return path if needed else None

    @property
    def record(self) -> dict[str, Any]:
        """What the images depend on."""
        bound = {name: value for name, value in record(self.settings).items() if name != "batch_size"}
        upsampler = None if self.upsampler is None else identity(self.upsampler)
        models = {"diffusion": identity(self.base), "upsampler": upsampler}
        if self.came_with_bundle and self.has_images:
            models["data"] = identity(self.run.data_dir)
        return {**models, "skew": self.run.scarcity, "seed": self.run.seed, **bound}

    @property
    def has_images(self) -> bool:
        """Whether there are real images whose labels are kept; a generator from a bundle needs none."""
        return not self.came_with_bundle or self.run.dataset_dir is not None or is_made(self.run.data_dir)

    def pull(self) -> None:
        """Have made what is needed, and make sure that the store is one of these settings."""
        if not self.came_with_bundle:
            self.run.pull("diffusion")
            if self.upsampler is not None:
                self.run.pull("upsampler")
        elif self.has_images:
            self.run.pull("prepare")
        self.run.claim(self.product, self.record, defaults(self.settings))

    def make(self) -> None:
        """Draw the images, unless they are there."""
        if is_made(self.product):
            return
        run, how = self.run, self.settings
        if self.came_with_bundle and is_first():
            logger.info("Drawing with the generator that came with the bundle, %s", self.base)
        base = load_model(self.base, run.device)
        upsampler = None if self.upsampler is None else load_model(self.upsampler, run.device)
        guides: dict[str, DiffusionModel] = {model.kind: model for model in self._guides()}
        store = run.store if self.has_images else None
        made = generate(
            fair_plan(store, base.encoder, how.images, run.seed, how.exclude),
            Cascade(base, upsampler, how, guides),
            self.product,
            seed=run.seed,
            device=run.device,
            origin={
                "plan": PLAN if store is not None else EVEN_PLAN,
                "data": self._learnt_from(base),
                "generator": {name: self.record[name] for name in ("diffusion", "upsampler")},
                "versions": {"medaug": version("medaug")},
            },
        )
        log_phantom(made.phantom)

    def _learnt_from(self, base: DiffusionModel) -> str:
        """Return the fingerprint of the images that the generator knows, or whose labels are kept."""
        return self.run.store.fingerprint if self.has_images else str(base.info.get("data", ""))

    def _guides(self) -> Iterator[DiffusionModel]:
        """Give the earlier snapshots that autoguidance needs."""
        asked = {self.base: self.settings.autoguidance, self.upsampler: self.settings.upsampler_autoguidance}
        for path in (early_path(path) for path, scale in asked.items() if path is not None and scale != 1):
            if not path.exists():
                raise SettingsError(
                    f"autoguidance needs {path}, which is not there; train again with early_share above 0, "
                    "or leave autoguidance at 1"
                )
            yield load_model(path, self.run.device)
