"""The stage that draws synthetic images: the generator sampled by a fair plan (Section 3.1, step 2)."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from medaug.data.real import open_synthetic
from medaug.diffusion.diffusion_model import DiffusionModel, load_model
from medaug.diffusion.generation import Cascade, generate
from medaug.diffusion.plan import fair_plan
from medaug.engine.acceleration import Acceleration
from medaug.engine.distributed import is_first
from medaug.errors import SettingsError
from medaug.presets import GeneratorPreset, SynthesisPreset
from medaug.stages.compute_settings import ComputeSettings, usual_compile
from medaug.stages.generator_training import early_path
from medaug.stages.preparation import log_phantom
from medaug.stages.products import identity, is_made
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, defaults, free, record

MOST_AT_ONCE = 512
"""Images; more of them fill no GPU better."""

VALUES_OF_A_PIXEL, BYTES_OF_A_VALUE, PASSES_OF_A_STEP = 40, 2, 2
"""An estimate from above of what a network keeps, in units of its first level; guidance asks it twice.

Counted over all tensors that live at once, for the networks of all presets: 10 to 17 values of bfloat16, so
that 40 is enough for float32 too. The half of the memory that is left alone holds the weights.
"""

logger = logging.getLogger(__name__)

PLAN = "label distribution kept, attributes uniform"
EVEN_PLAN = "each condition by itself equally often, attributes uniform"


@dataclass(frozen=True, kw_only=True)
class SynthesisSettings(ComputeSettings, SynthesisPreset):
    """What to draw, and how.

    Parameters
    ----------
    upsample : bool
        Enlarge the images with the upsampler, where the preset has one. Without it they have the size of the
        base model, and so have those of the classifier, for quick experiments (Sections G.3.1 and G.3.5).
    exclude : tuple of str
        Dominant classes of which no synthetic images are made (the filter w2 of Section G.3.5).
    noise_on_device : bool or None
        Draw the noise of an image on the device, by counting; None means on a GPU. The images are others
        then, and ``origin.json`` says so.
    cuda_graphs : bool
        Record a step of the compiled network once and replay it (CUDA graphs): faster where a GPU waits to be
        told its kernels, as with small networks, for more of its memory.
    """

    upsample: bool = True
    exclude: tuple[str, ...] = ()
    noise_on_device: bool | None = free(None)
    cuda_graphs: bool = free(False)

    @classmethod
    def of(cls, run: Run, **given: Any) -> SynthesisSettings:
        """Return settings from the values of a config, where None means what the preset says."""
        models = run.presets
        asked = {name: value for name, value in given.items() if value is not None}
        how = chosen(cls, {"compile": usual_compile(run.preset)} | asked, models.sampling)
        if run.device.type != "cuda" or given.get("batch_size") is not None:
            return how
        memory = torch.cuda.get_device_properties(run.device).total_memory
        rows = [models.diffusion, *([models.upsampler] if models.upsampler and how.upsample else [])]
        return replace(how, batch_size=images_at_once(rows, memory, how.batch_size))


def images_at_once(models: Iterable[GeneratorPreset], memory: int, least: int) -> int:
    """Return how many images are sampled at once, a power of two where it is more than the least.

    Parameters
    ----------
    models : iterable of GeneratorPreset
        The networks that make them.
    memory : int
        Bytes of the GPU; half of them are left alone.
    least : int
        What the preset says.

    Examples
    --------
    >>> from medaug.presets import preset
    >>> images_at_once([preset("histopathology", "paper").diffusion], 80 * 2**30, 64)
    256
    """
    values: int = max(VALUES_OF_A_PIXEL * m.channels[0] * (m.image_size // m.patch) ** 2 for m in models)
    affordable = memory // 2 // (values * BYTES_OF_A_VALUE * PASSES_OF_A_STEP)
    return max(least, min(MOST_AT_ONCE, 1 << (max(affordable, 1).bit_length() - 1)))


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
        """File of the upsampler, which lies beside the base model; None where none is used."""
        path = self.base.with_name("upsampler.pt")
        needed = is_made(path) if self.came_with_bundle else self.run.presets.upsampler is not None
        return path if needed and self.settings.upsample else None

    @property
    def record(self) -> dict[str, Any]:
        """What the images depend on."""
        bound = {name: value for name, value in record(self.settings).items() if name != "batch_size"}
        upsampler = None if self.upsampler is None else identity(self.upsampler)
        models = {"diffusion": identity(self.base), "upsampler": upsampler}
        if self.came_with_bundle and self.has_images:
            models["data"] = identity(self.run.data_dir)
        return {**models, "skew": self.run.scarcity, "seed": self.run.seed, **bound}

    @cached_property
    def acceleration(self) -> Acceleration:
        """How the networks are laid onto the device."""
        return self.settings.acceleration(self.run.device)

    @property
    def computed(self) -> dict[str, Any]:
        """How the images are computed."""
        return self.acceleration.facts(self.run.device)

    @property
    def has_images(self) -> bool:
        """Whether there are real images whose labels are kept; a generator from a bundle needs none."""
        return not self.came_with_bundle or self.run.dataset_dir is not None or is_made(self.run.data_dir)

    def pull(self) -> None:
        """Have made what is needed."""
        if not self.came_with_bundle:
            self.run.pull("diffusion")
            if self.upsampler is not None:
                self.run.pull("upsampler")
        elif self.has_images:
            self.run.pull("prepare")

    def make(self) -> None:
        """Draw the images, unless they are there; say where they are, and how to look at them."""
        with self.run.making(self.product, self.record, defaults(self.settings), self.computed) as missing:
            if missing:
                self._make()
        if is_first():
            count, pictures = len(open_synthetic(self.product)), self.product.with_name("pictures")
            see = ["python", "-m", "medaug.export", str(self.product), str(pictures), "--first", "100"]
            logger.info("The %s synthetic images are the store %s", f"{count:,}", self.product)
            logger.info("To see some, as files that say so: %s", shlex.join(see))

    def _make(self) -> None:
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
            acceleration=self.acceleration,
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
