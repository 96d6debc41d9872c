"""Run by test_distributed.py, alone and in two processes: train on a store, predict it, leave the results."""

from pathlib import Path

import torch
from monai.engines import SupervisedTrainer

from medaug.classification.classifier import ClassifierInfo
from medaug.classification.losses import masked_bce
from medaug.classification.mixture import MixedRows, MixedStoreBatches
from medaug.classification.networks import build_classifier
from medaug.classification.optimizers import optimizer
from medaug.classification.predict import predict, predict_logits
from medaug.classification.validation import KeepBest, Validation
from medaug.data.sampling import BatchSampler, batch_loader
from medaug.data.store import ImageStore
from medaug.engine import distributed
from medaug.transforms.augmentation import augmentation


def main(data: Path | str, output: Path | str) -> None:
    distributed.start("cpu")
    store, device, output = ImageStore.open(Path(data)), distributed.device("cpu"), Path(output)
    network = distributed.wrap(build_classifier("small_resnet", 2, 1), device)
    sampler = BatchSampler(MixedRows(store, None, 1.0, seed=0), batch_size=8, iterations=6)
    dataset = MixedStoreBatches(store, None, 16, augmentation("heuristic", "radiology"), seed=0)
    validation = Validation(store, masked_bce, image_size=16, batch_size=5, device=device)
    best = KeepBest(network, validation)
    trainer = SupervisedTrainer(
        device=device,
        max_epochs=2,
        epoch_length=3,
        train_data_loader=batch_loader(dataset, sampler, workers=0),
        network=network,
        optimizer=optimizer("sgd", network.parameters(), lr=0.01, weight_decay=0.0),
        loss_function=masked_bce,
        train_handlers=[best],
        decollate=False,
    )
    trainer.run()
    how = {"image_size": 16, "batch_size": 5, "device": device, "method": "m", "seed": 0}
    table = predict(network, store, ["id_val", "id_test", "ood_test"], store.task, **how)
    table.to_parquet(output / f"predictions-{distributed.rank()}.parquet")
    one = predict_logits(network, store, store.rows()[:1], image_size=16, batch_size=5, device=device)
    torch.save(one, output / f"one-{distributed.rank()}.pt")  # two processes share a single row
    if distributed.is_first():
        best.save(output / "model.pt", ClassifierInfo(store.task, 16, "m", 0, True))
    distributed.end()
