"""Measure what was asked for against what was drawn: AUC of each condition's feature in generated phantoms.

    python scripts/measure_phantoms.py bundles/chexpert/output/synthetic [more stores]

A phantom's findings can be measured back from its pixels (heart width, height of the lung floor, haze). Here
the measurement of a generated image is compared with the condition that its generator was asked for.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.metrics import roc_auc_score

from measurements.chest import measure
from medaug.data.store import ImageStore
from medaug.task import label_column


def measured_aucs(store: ImageStore) -> dict[str, tuple[float, int, int]]:
    """Return for each condition the AUC of its measurement, and the numbers asked for and not."""
    images = store.images(64)
    measured = [measure(np.asarray(image[..., 0])) for image in images]
    result = {}
    for name in store.task.classes:
        label = store.table[label_column(name)].to_numpy()
        known = ~np.isnan(label)
        present = label[known] >= 0.5
        values = np.array([m[name] for m in measured])[known]
        result[name] = (float(roc_auc_score(present, values)), int(present.sum()), int((~present).sum()))
    return result


def main() -> None:
    """Print a line for each condition of each store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("stores", nargs="+", help="image stores of phantom radiographs, generated or drawn")
    for path in parser.parse_args().stores:
        store = ImageStore.open(path)
        if not store.phantom:
            parser.error(f"{path} does not hold phantom radiographs")
        print(path)
        for name, (auc, present, absent) in measured_aucs(store).items():
            print(f"  {name:<15} AUC {auc:.3f}  ({present} asked for, {absent} not)")


if __name__ == "__main__":
    main()
