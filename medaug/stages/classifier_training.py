"""The stage that trains a classifier on real and synthetic images, and predicts the images held out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from monai.engines.trainer import Trainer
from monai.inferers.inferer import Inferer
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset
from torch.utils.tensorboard import SummaryWriter

from medaug.classification import optimizers
from medaug.classification.classifier import ClassifierInfo, load_classifier
from medaug.classification.losses import Loss, WeightedLoss, loss_function, weighted
from medaug.classification.predict import predict
from medaug.classification.roc import roc_drawing
from medaug.classification.validation import KeepBest, Validation, validation_rows
from medaug.data.real import open_real
from medaug.data.sampling import Example
from medaug.engine.acceleration import AcceleratedInferer, Acceleration
from medaug.engine.distributed import barrier, is_first, unwrap
from medaug.engine.handlers import Handler, Together, training_handlers
from medaug.engine.later import later
from medaug.engine.learning_rate import scheduler
from medaug.engine.resume import Resume
from medaug.engine.tensorboard import TensorBoard
from medaug.errors import SettingsError
from medaug.evaluation.predictions import write_predictions
from medaug.stages.classifier_settings import ClassifierSettings
from medaug.stages.products import identity, is_made
from medaug.stages.quality import demand_quality, left_out
from medaug.stages.run import Run
from medaug.stages.setting_values import defaults, record, typed
from medaug.stages.training_batches import TrainingBatches
from medaug.stages.used_images import UsedImages

logger = logging.getLogger(__name__)

EVALUATED_SPLITS = ("id_val", "id_test", "ood_val", "ood_test")


@dataclass(frozen=True, kw_only=True)
class ClassifierTraining:
    """One training of a classifier; builds the parts that a config composes.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : ClassifierSettings
        How to train.
    name : str
        Of the classifier's files.
    compare_with_baseline : bool or None
        Also train a classifier without weights and oversampling on real images only, with the same settings;
        none means where there are synthetic images.
    """

    run: Run
    settings: ClassifierSettings
    name: str = "model"
    compare_with_baseline: bool | None = None

    @classmethod
    def of(cls, run: Run, name: str, compare_with_baseline: bool | None, **given: Any) -> ClassifierTraining:
        """Return a stage from the values of a config; None means the default of the setting."""
        compare = typed("compare_with_baseline", compare_with_baseline, bool)
        settings = ClassifierSettings.of(run, **given)
        return cls(run=run, name=name, compare_with_baseline=compare, settings=settings)

    @property
    def product(self) -> Path:
        """The model file."""
        return self.run.path("models", f"{self.name}.pt")

    @property
    def predictions(self) -> Path:
        """The table of predictions."""
        return self.run.path("predictions", f"{self.name}.parquet")

    @cached_property
    def used(self) -> UsedImages:
        """The synthetic images."""
        return UsedImages(run=self.run, settings=self.settings)

    @property
    def record(self) -> dict[str, Any]:
        """What the classifier depends on."""
        run = self.run
        inputs = {"data": identity(run.data_dir), "skew": run.scarcity, **self.used.record}
        return {**inputs, "seed": run.seed, **record(self.settings)}

    @property
    def computed(self) -> dict[str, Any]:
        """How the classifier is computed, which it does not depend on."""
        return self.acceleration.facts(self.run.device)

    @property
    def epochs(self) -> int:
        """Length of the training in epochs."""
        return -(-self.settings.iterations // self.settings.iterations_per_epoch)

    @property
    def needs_baseline(self) -> bool:
        """Whether a baseline is trained too: to compare with, or to choose among the synthetic images."""
        compare = self.used.any if self.compare_with_baseline is None else self.compare_with_baseline
        return compare or self.used.are_filtered

    # Parts

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network on its device, its gradients shared by all processes."""
        return self.acceleration.trained(network, self.run.device)

    @cached_property
    def acceleration(self) -> Acceleration:
        """How the network is laid onto the device."""
        return self.settings.acceleration(self.run.device)

    @property
    def inferer(self) -> Inferer:
        """What calls the network."""
        return AcceleratedInferer(self.acceleration)

    def optimizer(self, network: nn.Module) -> Optimizer:
        """Return the optimiser of the network's weights."""
        how = self.settings
        return optimizers.optimizer(
            how.optimizer_name,
            network.parameters(),
            how.learning_rate,
            how.weight_decay,
            self.acceleration.fused_optimizer,
        )

    def loss(self) -> Loss:
        """Return the loss of a batch."""
        return loss_function(self.settings.loss_name)

    def weighted(self, loss: Loss) -> WeightedLoss:
        """Return a loss for targets that come with the weights of their rows."""
        return weighted(loss)

    @cached_property
    def batches(self) -> TrainingBatches:
        """What it is trained on."""
        return TrainingBatches(
            run=self.run,
            settings=self.settings,
            used=self.used,
            augment_on_device=self.acceleration.augment_on_device,
        )

    @property
    def prepare_batch(self) -> Callable[..., Any]:
        """What turns a batch into images and targets, see `TrainingBatches`."""
        return self.batches.prepare_batch

    def dataset(self) -> Dataset[Example]:
        """Return the batches, made when the first of them is asked for."""
        return later(self.batches.dataset)

    def loader(self, dataset: Dataset[Example], epochs: int) -> DataLoader[Any]:
        """Return this process's share of all batches."""
        return self.batches.loader(dataset, epochs * self.settings.iterations_per_epoch)

    def handlers(self, network: nn.Module, optimizer: Optimizer, loss: Loss, epochs: int) -> Handler:
        """Return the handlers of the trainer, together."""
        how, run = self.settings, self.run
        shown = {**record(how), "seed": run.seed, "optimizer": type(optimizer).__name__}
        length = epochs * how.iterations_per_epoch
        schedule = scheduler(how.schedule, optimizer, length, how.warmup_iterations)
        best = KeepBest(network, later(lambda: self._validation(loss)))
        handlers = training_handlers(
            description=f"Training the classifier ({how.method})",
            product=self.product,
            save=lambda: best.save(self.product, self._info),
            resume=Resume(
                self.product.with_suffix(".resume.pt"),
                unwrap(network),
                optimizer,
                settings=shown,
                defaults=defaults(how),
                parts={"scheduler": schedule, "best": best},
            ),
            tensorboard=TensorBoard(
                run.path("logs", self.name),
                how.batch_size,
                settings={**shown, **self.computed},
                draw=[roc_drawing(best), self._draw_rejected],
            ),
            seed=run.seed,
            largest_norm=how.largest_gradient_norm,
            scheduler=schedule,
            more=[best],
        )
        return Together(handlers)

    # Work

    def pull(self) -> None:
        """Have made what is needed, and make sure that the classifier is one of these settings."""
        run = self.run
        self._check_name()
        run.pull("prepare")
        if not is_made(self.product):
            validation_rows(run.store, self.settings.choose_epoch_on)  # said before hours of other trainings
        if self.used.any:
            run.pull("quality")
            if not (is_made(self.product) or self.settings.accept_poor_synthetic):
                demand_quality(run)
        if self.needs_baseline:
            plain = vars(self.settings.baseline())
            run.pull("baseline", name=run.baseline_name, compare_with_baseline=False, **plain)
        with self._making(), self._predicting():
            pass  # whoever has to wait for another run, or has other settings, builds no network

    def fit(self, trainer: Trainer) -> None:
        """Train, unless the model is there: a run that was stopped goes on where it was."""
        with self._making() as missing:
            if missing:
                if self.used.agreed is not None:
                    self.used.agreed.write(self.product.with_suffix(".rejected.csv"))
                trainer.run()
        if is_first():
            logger.info("The classifier is %s", self.product)

    def predict(self) -> None:
        """Predict every labelled image that the classifier was not trained on, unless that is done."""
        with self._predicting() as missing:
            if missing:
                self._predict()
        if is_first():
            logger.info("Its predictions are %s", self.predictions)

    def evaluate(self) -> None:
        """Evaluate all predictions of the run; the evaluation of fewer or older ones goes aside."""
        replace(self.run, evaluate={"fresh": True, **self.run.evaluate}).pull("evaluate")

    def _check_name(self) -> None:
        if self.needs_baseline and self.name == self.run.baseline_name:
            raise SettingsError(
                f"{self.name!r} is the name of the baseline that this training needs: give this one another "
                "--name, or the baseline another --baseline::name"
            )

    def _making(self) -> AbstractContextManager[bool]:
        known = {**defaults(self.settings), "left_out": left_out(None)}
        return self.run.making(self.product, self.record, known, self.computed)

    def _predicting(self) -> AbstractContextManager[bool]:
        return self.run.making(self.predictions, {"model": identity(self.product)}, {})

    def _predict(self) -> None:
        network, info = load_classifier(self.product, self.run.device)
        store = open_real(self.run.data_dir)
        predictions = predict(
            network,
            store,
            EVALUATED_SPLITS,
            info.task,
            image_size=info.image_size,
            batch_size=4 * self.settings.batch_size,
            device=self.run.device,
            method=info.method,
            seed=info.seed,
        )
        if is_first():
            write_predictions(predictions.assign(phantom=store.phantom), self.predictions)
        barrier()

    def _draw_rejected(self, writer: SummaryWriter, iteration: int) -> None:
        if self.used.agreed is not None:
            self.used.agreed.draw(writer, iteration)

    def _validation(self, loss: Loss) -> Validation:
        how = self.settings
        return Validation(
            self.run.store,
            loss,
            image_size=how.image_size,
            batch_size=4 * how.batch_size,
            device=self.run.device,
            split=how.choose_epoch_on,
        )

    @property
    def _info(self) -> ClassifierInfo:
        store, how = self.run.store, self.settings
        return ClassifierInfo(store.task, how.image_size, how.method, self.run.seed, store.phantom)
