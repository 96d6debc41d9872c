"""A step of each training, as its config composes it, waits for no device."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from ignite.engine import Events
from monai.bundle import ConfigWorkflow
from unwaited import unwaited

from benchmarks.store import random_store
from medaug.stages import Run
from medaug.stages.classifier_settings import ClassifierSettings
from medaug.stages.generator_settings import GeneratorSettings
from medaug.stages.synthesis import SynthesisSettings

BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
GENERATOR = {
    "image_size": 16,
    "channels": [8, 8],
    "head_channels": 8,
    "residual_blocks": 1,
    "largest_shift": 0.1,
}
TRAININGS = {
    "train_diffusion": GENERATOR,
    "train_upsampler": {**GENERATOR, "low_size": 8},
    "train": {
        "image_size": 32,
        "network_name": "small_resnet",
        "real_fraction": 1.0,
        "augmentation": "randaugment+heuristic",
        "augment_on_device": True,
    },
}

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")


@pytest.mark.parametrize(("preset", "usual"), [("demo", False), ("single_gpu", None)])
def test_what_is_done_in_minutes_is_not_compiled_unless_asked_for(preset, usual, tmp_path):
    where = {"bundle_root": str(BUNDLE), "output_dir": str(tmp_path), "data_dir": str(tmp_path / "data")}
    run = Run.of(modality="radiology", preset=preset, device_name="cpu", **where)
    settings = partial(GeneratorSettings.of, run, "base"), partial(ClassifierSettings.of, run)
    for of in (*settings, partial(SynthesisSettings.of, run)):
        assert of().compile is of(compile=None).compile is usual
        assert of(compile=True).compile is True


@pytest.mark.parametrize("stage", TRAININGS)
def test_an_iteration_waits_for_no_device(stage, tmp_path, meta):
    """With everything around it: augmentation or noise, loss, gradients, optimiser, averages, handlers."""
    own = TRAININGS[stage]
    random_store(tmp_path / "data", 8, own["image_size"])
    workflow = ConfigWorkflow(
        str(BUNDLE / f"{stage}.json"),
        logging_file=False,
        bundle_root=str(BUNDLE),
        output_dir=str(tmp_path),
        preset="single_gpu",
        device_name="meta",
        **({} if stage == "train" else {"noise_on_device": True}),
        **own,
        batch_size=4,
        iterations=8,
        iterations_per_epoch=8,
        workers=0,
        channels_last=True,
    )
    workflow.initialize()
    trainer = workflow.trainer
    with ExitStack() as stack:
        # The first iteration puts tables on the device that stay there.
        first, last = Events.ITERATION_COMPLETED(once=1), Events.ITERATION_COMPLETED(once=3)
        trainer.add_event_handler(first, lambda: stack.enter_context(unwaited()))
        trainer.add_event_handler(last, lambda: trainer.terminate(skip_completed=True))
        trainer.run()
    assert trainer.state.iteration == 3
    assert trainer.state.output["loss"].device == meta
